"""From a private draft to what colleagues use: request, review, release, rollback, withdrawal.

The rules decide who may publish to whom and who may approve; every act is on record before it
happens. What is released is a copy of the draft as it was requested: later typing changes nothing
for colleagues, and needs a review of its own. Knows neither pages nor how tests are run.
"""

import datetime as dt
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from agents.catalog import REQUEST_PREFIX, Catalog
from agents.publishing_checks import blocking
from agents.publishing_records import (
    OPEN,
    Live,
    PublishRequest,
    Release,
    audience_key,
    reach,
)
from agents.publishing_shelf import Shelf
from agents.publishing_tables import live, releases, requests
from agents.spec import AgentSpec
from agents.versions import Bump, needs_review, next_version
from guardrails.actor import SYSTEM, Actor
from guardrails.audit.ledger import Act, Ledger
from guardrails.errors import BadInput, NotPermitted, PolicyDenied
from guardrails.policy.engine import Decision, Engine, Request
from guardrails.screen import Screen

NOTE_CHARACTERS = 4_000
GUARDIANS = frozenset({"champion", "security"})  # may withdraw what is not theirs
Digests = Callable[[AgentSpec, str], Mapping[str, str]]  # of the documents an agent reads


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Publishing(Shelf):
    """Acts on the requests and releases of one store; what there is to read is `Shelf`'s."""

    def __init__(
        self,
        engine: sa.Engine,
        catalog: Catalog,
        ledger: Ledger,
        policy: Engine,
        screen: Screen,
        digests: Digests = lambda spec, agent: {},
        lifted: Callable[[str, str], frozenset[str]] = lambda person, agent: frozenset(),
        now: Callable[[], dt.datetime] = _now,
    ) -> None:
        super().__init__(engine)
        self._catalog = catalog
        self._ledger = ledger
        self._policy = policy
        self._screen = screen
        self._digests = digests
        self._lifted = lifted  # rules that security has lifted for a person and an agent
        self._now = now

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
        agent-changed.
        """
        record = self._catalog.get(agent, by.id)
        if record.status != "draft":
            raise BadInput("agent-not-found", id=agent)
        audience = audience_key(audience)
        blocking(record.spec, self._screen)
        current = self.current(agent)
        last = self._last(agent)
        spec = record.spec.model_copy(update={"version": next_version(last, bump)})
        before = self.release(agent, current.version) if current else None
        standing = before if current and current.state == "live" else None
        if standing and _same(standing.spec, spec) and standing.audience == audience:
            raise BadInput("nothing-changed", id=agent)
        changed = needs_review(before.spec if before else None, spec)
        if before and dict(before.documents) != dict(self._digests(spec, agent)):
            changed = tuple(dict.fromkeys((*changed, "knowledge")))
        if before and before.audience != audience:
            changed = (*changed, "audience")
        approved = standing is not None and not changed
        decision = self._decide("publish", by, spec, audience, approved=approved)
        id = f"{REQUEST_PREFIX}{secrets.token_hex(8)}"
        self._record("publish.request", by.id, spec, decision, id, audience=reach(audience))
        decision.require()
        values = {
            "id": id,
            "agent": agent,
            "owner": by.id,
            "department": by.department,
            "roles": ",".join(sorted(by.roles)),
            "version": spec.version,
            "audience": audience,
            "notes": notes.strip()[:NOTE_CHARACTERS],
            "spec": spec.model_dump(mode="json"),
            "hash": spec.content_hash(),
            "changed": list(changed),
            "evidence": {},
            "state": "checking",
            "asked": self._now(),
            "decided_by": "",
            "decided": None,
            "note": "",
        }
        with self._engine.begin() as db:
            db.execute(
                sa.update(requests)
                .where(requests.c.agent == agent, requests.c.state.in_(OPEN))
                .values(state="replaced", decided=self._now())
            )
            db.execute(sa.insert(requests), values)
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
        no-such-request, request-over (somebody was faster), request-checking, agent-changed."""
        request = self._reviewed(id, by)
        before = self.current(request.agent)
        decision = self._decide(
            "publish",
            Actor(request.owner, request.department, request.roles),
            request.spec,
            request.audience,
            approved=True,
        )
        self._record("publish.approve", by.id, request.spec, decision, id)
        decision.require()
        with self._engine.begin() as db:
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

    # ── what is live ─────────────────────────────────────────────────────────────────────

    def rollback(self, agent: str, version: str, by: Actor) -> Live:
        """Put an approved version back. Raises BadInput: agent-not-found, no-such-release,
        agent-changed.

        The owner or a champion may; a withdrawn agent comes back by somebody else's hand only.
        """
        current = self._owned(agent, by)
        release = self.release(agent, version)
        if current.state == "withdrawn":
            own = self._asked("approve", by, release.spec, author=by.id == current.owner)
            self._record("publish.rollback", by.id, release.spec, own, agent)
            own.require()
        else:
            decision = self._decide("publish", by, release.spec, release.audience, approved=True)
            self._record("publish.rollback", by.id, release.spec, decision, agent)
            decision.require()
        with self._engine.begin() as db:
            self._set_live(db, release, current.owner, current.department, current)
        return self._known(agent)

    def withdraw(self, agent: str, by: Actor, reason: str) -> Live:
        """Take an agent away from everybody but its author, at once.

        The owner, a champion or security may. The caller stops the turns that are under way.
        Raises BadInput: agent-not-found, note-needed.
        """
        if not reason.strip():
            raise BadInput("note-needed")
        current = self._owned(agent, by)
        self._ledger.record(
            Act("publish.withdraw", by.id, agent, current.version, payload={"emergency": True})
        )
        values = {"state": "withdrawn", "reason": reason.strip()[:NOTE_CHARACTERS]}
        with self._engine.begin() as db:
            db.execute(
                sa.update(live).where(live.c.agent == agent).values(**values, since=self._now())
            )
        return self._known(agent)

    def reopen(self) -> list[PublishRequest]:
        """Open a review for every live agent whose documents are not those that were approved.

        The live version stays up; an agent with an open request gets no second one.
        """
        opened = []
        waiting = {request.agent for request in self.queue()}
        for current in self.published():
            if current.state != "live" or current.agent in waiting:
                continue
            release = self.release(current.agent, current.version)
            documents = dict(self._digests(release.spec, current.agent))
            if documents == dict(release.documents):
                continue
            version = next_version(self._last(current.agent), "patch")
            spec = release.spec.model_copy(update={"version": version})
            id = f"{REQUEST_PREFIX}{secrets.token_hex(8)}"
            payload = {"request": id, "content": spec.content_hash()}
            self._ledger.record(
                Act("publish.reopen", SYSTEM, current.agent, version, payload=payload)
            )
            with self._engine.begin() as db:
                roles = self._read(db, release.request).roles
                values = {
                    "id": id,
                    "agent": current.agent,
                    "owner": current.owner,
                    "department": current.department,
                    "roles": ",".join(sorted(roles)),
                    "version": version,
                    "audience": current.audience,
                    "notes": "",
                    "spec": spec.model_dump(mode="json"),
                    "hash": spec.content_hash(),
                    "changed": ["documents"],
                    "evidence": {"documents": documents, "model": release.model},
                    "state": "waiting",
                    "asked": self._now(),
                    "decided_by": "",
                    "decided": None,
                    "note": "",
                }
                db.execute(sa.insert(requests), values)
            opened.append(self.get(id))
        return opened

    def drift(self, agent: str, model: str = "") -> tuple[str, ...]:
        """What is no longer as it was approved: fields of the author's draft, `documents` behind
        the live version, the `model` that answers for those that name none."""
        current = self.current(agent)
        if current is None:
            return ()
        release = self.release(agent, current.version)
        found: list[str] = []
        try:
            draft = self._catalog.get(agent, current.owner)
            if draft.status == "draft":
                found += needs_review(release.spec, draft.spec)
        except BadInput:
            pass  # the author removed the draft; what is live stays as approved
        if dict(release.documents) != dict(self._digests(release.spec, agent)):
            found.append("documents")
        if model and release.model and not release.spec.model and model != release.model:
            found.append("operator-model")
        return tuple(found)

    def recover(self) -> int:
        """Queue what a dead server was still checking; returns how many. Call at start."""
        with self._engine.begin() as db:
            done = db.execute(
                sa.update(requests).where(requests.c.state == "checking").values(state="waiting")
            )
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

    def _owned(self, agent: str, by: Actor) -> Live:
        current = self.current(agent)
        if current is None:
            raise BadInput("agent-not-found", id=agent)
        if current.owner != by.id and by.roles.isdisjoint(GUARDIANS):
            if current.audience in self._catalog.audiences(by.id):
                raise NotPermitted("not-yours", id=agent)
            raise BadInput("agent-not-found", id=agent)
        return current

    def _decide(
        self, action: Any, who: Actor, spec: AgentSpec, audience: str, *, approved: bool
    ) -> Decision:
        return self._policy.decide(
            Request(
                action=action,
                actor=who,
                agent=spec.id,
                data_class=spec.data_class,
                audience=reach(audience),
                author=True,
                approved=approved,
                exceptions=self._lifted(who.id, spec.id),
            )
        )

    def _asked(self, action: Any, by: Actor, spec: AgentSpec, *, author: bool) -> Decision:
        return self._policy.decide(
            Request(
                action=action, actor=by, agent=spec.id, data_class=spec.data_class, author=author
            )
        )

    def _record(
        self, kind: str, by: str, spec: AgentSpec, decision: Decision, id: str, **more: object
    ) -> None:
        self._ledger.record(
            Act(
                kind,
                by,
                spec.id,
                spec.version,
                verdict=decision.outcome,
                rule=decision.rule,
                payload={"request": id, "content": spec.content_hash(), **more},
            )
        )

    def _act(self, kind: str, by: str, request: PublishRequest) -> None:
        payload = {"request": request.id, "content": request.hash}
        self._ledger.record(Act(kind, by, request.agent, request.version, payload=payload))

    def _close(self, request: PublishRequest, state: str, by: str, note: str) -> None:
        with self._engine.begin() as db:
            self._end(db, request, state, by, note)

    def _end(
        self, db: sa.Connection, request: PublishRequest, state: str, by: str, note: str
    ) -> None:
        # the state is part of the condition: of two reviewers one is first, the other is told
        done = db.execute(
            sa.update(requests)
            .where(requests.c.id == request.id, requests.c.state.in_(OPEN))
            .values(
                state=state,
                decided_by=by,
                decided=self._now(),
                note=note.strip()[:NOTE_CHARACTERS],
            )
        )
        if done.rowcount != 1:
            raise BadInput("request-over", state=self._read(db, request.id).state)

    def _release(
        self, db: sa.Connection, request: PublishRequest, approved_by: str, before: Live | None
    ) -> None:
        now = self._now()
        # what was looked at: documents that were changed since then open a review of their own
        seen = request.evidence.get("documents")
        if not isinstance(seen, Mapping):
            seen = self._digests(request.spec, request.agent)
        release = Release(
            request.agent, request.version, request.hash, request.spec, request.audience,
            request.notes, request.id, approved_by, str(request.evidence.get("model", "")),
            dict(seen), now,
        )  # fmt: skip
        db.execute(
            sa.insert(releases),
            {
                "agent": release.agent,
                "version": release.version,
                "hash": release.hash,
                "spec": release.spec.model_dump(mode="json"),
                "audience": release.audience,
                "notes": release.notes,
                "request": release.request,
                "approved_by": approved_by,
                "model": release.model,
                "documents": dict(release.documents),
                "at": now,
            },
        )
        db.execute(
            sa.update(requests)
            .where(requests.c.id == request.id)
            .values(state="published", decided=now, decided_by=approved_by)
        )
        self._set_live(db, release, request.owner, request.department, before)

    def _set_live(
        self,
        db: sa.Connection,
        release: Release,
        owner: str,
        department: str,
        before: Live | None,
    ) -> None:
        """`before` is what was decided on: a withdrawal since then must not be undone by it."""
        values = {
            "agent": release.agent,
            "owner": owner,
            "department": department,
            "version": release.version,
            "audience": release.audience,
            "state": "live",
            "reason": "",
            "since": self._now(),
        }
        if before is None:
            db.execute(sa.insert(live), values)
            return
        same = (
            live.c.agent == release.agent,
            live.c.state == before.state,
            live.c.version == before.version,
        )
        if db.execute(sa.update(live).where(*same).values(values)).rowcount == 0:
            raise BadInput("agent-changed")


def _same(one: AgentSpec, other: AgentSpec) -> bool:
    """Equal but for the number."""
    return one.model_copy(update={"version": other.version}) == other
