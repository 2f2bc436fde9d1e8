"""From a private draft to what colleagues use: request, review, release, rollback, withdrawal.

The rules decide who may publish to whom and who may approve; every act is on record before it
happens. What is released is a copy of the draft as it was requested: later typing changes nothing
for colleagues, and needs a review of its own. Knows neither pages nor how tests are run.
"""

import secrets
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from agents.catalog import REQUEST_PREFIX
from agents.publishing_acts import NOTE_CHARACTERS
from agents.publishing_checks import blocking
from agents.publishing_lives import Lives
from agents.publishing_records import OPEN, PublishRequest, audience_key, reach
from agents.publishing_tables import requests
from agents.spec import AgentSpec
from agents.versions import Bump, needs_review, next_version
from guardrails.actor import Actor
from guardrails.errors import BadInput, PolicyDenied
from guardrails.processes import orphaned


class Publishing(Lives):
    """Acts on the requests of one store; on what is live see `Lives`, what there is `Shelf`."""

    # ── the author ───────────────────────────────────────────────────────────────────────

    def request(
        self,
        agent: str,
        by: Actor,
        *,
        audience: str,
        bump: Bump = "minor",
        notes: str = "",
    ) -> PublishRequest:
        """Ask to publish the draft as it is now; an open request for it is replaced.

        When nothing changed that has to be reviewed and the audience is the approved one, the
        version is released at once under the approval that stands. Else the request is `checking`
        until `collected`, then `waiting`. Raises PolicyDenied, and BadInput: agent-not-found,
        bad-audience, request-incomplete, request-secret, request-injection, nothing-changed,
        agent-changed, documents-reading, document-gone.
        """
        record = self._catalog.get(agent, by.id)
        if record.status != "draft":
            raise BadInput("agent-not-found", id=agent)
        audience = audience_key(audience)
        blocking(record.spec, self._screen)
        self._documents.ready(agent, record.spec)
        current = self.current(agent)
        last = self._last(agent)
        spec = record.spec.model_copy(update={"version": next_version(last, bump)})
        before = self.release(agent, current.version) if current else None
        standing = before if current and current.state == "live" else None
        documents = dict(self._documents.digests(spec, agent))
        same = before is not None and dict(before.documents) == documents
        if standing and same and _same(standing.spec, spec) and standing.audience == audience:
            raise BadInput("nothing-changed", id=agent)
        changed = needs_review(before.spec if before else None, spec)
        if before and not same:
            changed = tuple(dict.fromkeys((*changed, "knowledge")))
        if before and before.audience != audience:
            changed = (*changed, "audience")
        approved = standing is not None and not changed
        decision = self._decide("publish", by, spec, audience, approved=approved)
        id = f"{REQUEST_PREFIX}{secrets.token_hex(8)}"
        self._record(
            "publish.request", by.id, spec, decision, id, documents, audience=reach(audience)
        )
        decision.require()
        with self._writing() as db:
            now, mine = self._now(), requests.c.agent == agent
            closing = sa.update(requests).where(mine, requests.c.state.in_(OPEN))
            db.execute(closing.values(state="replaced", decided=now))
            gone = sa.select(requests.c.id).where(mine, requests.c.decided == now)
            for old in db.scalars(gone).all():
                self._documents.thaw(db, old)
            self._open(
                db, id, spec, documents,
                owner=by.id, department=by.department, roles=by.roles, audience=audience,
                notes=notes.strip()[:NOTE_CHARACTERS], changed=changed,
            )  # fmt: skip
            if decision.outcome == "allow":
                approver = before.approved_by if before else by.id
                self._release(db, self._read(db, id), approver, current)
        return self.get(id)

    def collected(self, id: str, evidence: Mapping[str, Any]) -> PublishRequest:
        """Add evidence to a request and, when it was being checked, put it in the queue."""
        with self._engine.begin() as db:
            request = self._read(db, id)
            merged = {**request.evidence, **evidence}
            state = "waiting" if request.state == "checking" else request.state
            db.execute(
                sa.update(requests)
                .where(requests.c.id == id, requests.c.state == request.state)
                .values(evidence=merged, state=state)
            )
        return self.get(id)

    def noted(self, id: str, evidence: Mapping[str, Any]) -> None:
        """Add evidence while more is being collected."""
        with self._engine.begin() as db:
            merged = {**self._read(db, id).evidence, **evidence}
            db.execute(sa.update(requests).where(requests.c.id == id).values(evidence=merged))

    def cancel(self, id: str, by: Actor) -> PublishRequest:
        """Take back one's own open request. Raises BadInput: no-such-request, request-over."""
        request = self.get(id)
        if request.owner != by.id:
            raise BadInput("no-such-request", id=id)
        self._act("publish.cancel", by.id, request)
        self._close(request, "cancelled", by.id, "")
        return self.get(id)

    # ── the reviewer ─────────────────────────────────────────────────────────────────────

    def approve(self, id: str, by: Actor, note: str = "") -> PublishRequest:
        """Release what was requested. Raises PolicyDenied (PB-06 for one's own), BadInput:
        no-such-request, request-over (somebody was faster), request-checking, agent-changed,
        release-model-gone, release-tool-gone."""
        request = self._reviewed(id, by)
        self._still(request.spec)
        before = self.current(request.agent)
        decision = self._decide(
            "publish",
            Actor(request.owner, request.department, request.roles),
            request.spec,
            request.audience,
            approved=True,
        )
        self._record("publish.approve", by.id, request.spec, decision, id, request.documents)
        decision.require()
        with self._writing() as db:
            self._end(db, request, "published", by.id, note)
            self._release(db, request, by.id, before)
        return self.get(id)

    def send_back(self, id: str, by: Actor, note: str) -> PublishRequest:
        """Return a request with a note. Raises as `approve`, and BadInput("note-needed")."""
        if not note.strip():
            raise BadInput("note-needed")
        request = self._reviewed(id, by)
        self._act("publish.return", by.id, request)
        self._close(request, "returned", by.id, note)
        return self.get(id)

    def recover(self) -> int:
        """Queue what a dead process was still checking; returns how many."""
        left = sa.and_(requests.c.state == "checking", orphaned(requests.c.process))
        with self._engine.begin() as db:
            done = db.execute(sa.update(requests).where(left).values(state="waiting"))
        return int(done.rowcount)

    # ── inside ───────────────────────────────────────────────────────────────────────────

    def _reviewed(self, id: str, by: Actor) -> PublishRequest:
        request = self.seen(id, by)
        decision = self._asked("approve", by, request.spec, author=by.id == request.owner)
        if decision.outcome != "allow":
            # on record under the rule's id: the watch raises an alert for PB-06
            self._record("publish.approve", by.id, request.spec, decision, id)
            raise PolicyDenied("own-work" if decision.rule == "PB-06" else None, rule=decision.rule)
        if request.state == "checking":
            raise BadInput("request-checking")
        if request.state != "waiting":
            raise BadInput("request-over", state=request.state)
        return request


def _same(one: AgentSpec, other: AgentSpec) -> bool:
    """Equal but for the number."""
    return one.model_copy(update={"version": other.version}) == other
