"""What colleagues get: a version put back, an agent withdrawn, documents that changed since."""

import secrets
from collections.abc import Mapping

import sqlalchemy as sa

from agents.catalog import REQUEST_PREFIX
from agents.publishing_acts import NOTE_CHARACTERS, Acts
from agents.publishing_records import Live, PublishRequest, Release
from agents.publishing_tables import live
from agents.versions import needs_review, next_version, version_hash
from guardrails.actor import SYSTEM, Actor
from guardrails.audit.ledger import Act
from guardrails.errors import BadInput, NotPermitted

GUARDIANS = frozenset({"champion", "security"})  # may withdraw what is not theirs


class Lives(Acts):
    """Acts on what is live."""

    def rollback(self, agent: str, version: str, by: Actor) -> Live:
        """Put an approved version back, with the documents it was approved with.

        Raises BadInput: agent-not-found, no-such-release, agent-changed, release-documents-gone,
        release-model-gone, release-tool-gone.

        The owner or a champion may; a withdrawn agent comes back by somebody else's hand only.
        """
        current = self._owned(agent, by)
        release = self.release(agent, version)
        if lost := self._documents.lacking(release.request, release.documents):
            raise BadInput("release-documents-gone", version=version, file=", ".join(lost)[:200])
        self._still(release.spec)
        if current.state == "withdrawn":
            own = self._asked("approve", by, release.spec, author=by.id == current.owner)
            self._record("publish.rollback", by.id, release.spec, own, agent)
            own.require()
        else:
            decision = self._decide("publish", by, release.spec, release.audience, approved=True)
            self._record("publish.rollback", by.id, release.spec, decision, agent)
            decision.require()
        with self._writing() as db:
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
            documents = dict(self._documents.digests(release.spec, current.agent))
            if documents == dict(release.documents):
                continue
            try:
                opened.append(self._reopened(current, release, documents))
            except BadInput:
                continue  # still being read in, or another server was faster: the next look tells
        return opened

    def _reopened(
        self, current: Live, release: Release, documents: Mapping[str, str]
    ) -> PublishRequest:
        version = next_version(self._last(current.agent), "patch")
        spec = release.spec.model_copy(update={"version": version})
        id = f"{REQUEST_PREFIX}{secrets.token_hex(8)}"
        payload = {"request": id, "content": version_hash(spec, documents)}
        self._documents.ready(current.agent, spec)
        act = Act("publish.reopen", SYSTEM, current.agent, version, payload=payload)
        self._ledger.record(act)
        with self._writing() as db:
            self._open(
                db, id, spec, documents,
                owner=current.owner, department=current.department,
                roles=self._read(db, release.request).roles, audience=current.audience,
                changed=("documents",), state="waiting",
                evidence={"documents": dict(documents), "model": release.model},
            )  # fmt: skip
        return self.get(id)

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
        if dict(release.documents) != dict(self._documents.digests(release.spec, agent)):
            found.append("documents")
        if model and release.model and not release.spec.model and model != release.model:
            found.append("operator-model")
        return tuple(found)

    def _owned(self, agent: str, by: Actor) -> Live:
        current = self.current(agent)
        if current is None:
            raise BadInput("agent-not-found", id=agent)
        if current.owner != by.id and by.roles.isdisjoint(GUARDIANS):
            if current.audience in self._catalog.audiences(by.id):
                raise NotPermitted("not-yours", id=agent)
            raise BadInput("agent-not-found", id=agent)
        return current
