"""What every act of publishing shares: the rules' word, the record, a release and what is live."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

import sqlalchemy as sa

from agents.catalog import Catalog
from agents.publishing_records import OPEN, Live, PublishRequest, Release, RequestState, reach
from agents.publishing_shelf import Shelf
from agents.publishing_tables import live, releases, requests
from agents.spec import AgentSpec
from agents.versions import version_hash
from guardrails.actor import Actor
from guardrails.audit.ledger import Act, Ledger
from guardrails.errors import BadInput
from guardrails.policy.engine import Decision, Engine, Request
from guardrails.screen import Screen

NOTE_CHARACTERS = 4_000


class Documents(Protocol):
    """The documents of agents; see `agents.files.AgentFiles`. Digests go by name."""

    def digests(self, spec: AgentSpec, agent: str) -> Mapping[str, str]: ...
    def lacking(self, holder: str, wanted: Mapping[str, str]) -> Sequence[str]: ...
    def freeze(
        self, db: sa.Connection, holder: str, agent: str, spec: AgentSpec
    ) -> Mapping[str, str]: ...
    def thaw(self, db: sa.Connection, holder: str) -> None: ...
    def ready(self, agent: str, spec: AgentSpec) -> None: ...


def utc_now() -> dt.datetime:
    """The present moment."""
    return dt.datetime.now(dt.UTC)


class Acts(Shelf):
    """The tools of the trade; who may do what is said by `Publishing` and `Lives`."""

    def __init__(
        self,
        engine: sa.Engine,
        catalog: Catalog,
        ledger: Ledger,
        policy: Engine,
        screen: Screen,
        documents: Documents,
        lifted: Callable[[str, str], frozenset[str]] = lambda person, agent: frozenset(),
        usable: Callable[[str], bool] = lambda model: True,
        exists: Callable[[str], bool] = lambda tool: True,
        now: Callable[[], dt.datetime] = utc_now,
        process: str = "",
    ) -> None:
        super().__init__(engine)
        self._process = process  # who checks what is asked for here
        self._catalog = catalog
        self._ledger = ledger
        self._policy = policy
        self._screen = screen
        self._documents = documents
        self._lifted = lifted  # rules that security has lifted for a person and an agent
        self._usable = usable  # whether a model may still answer
        self._exists = exists  # whether there is such a tool still
        self._now = now

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """One transaction. Of two acts at once the second is told: BadInput("agent-changed")."""
        try:
            with self._engine.begin() as db:
                yield db
        except sa.exc.IntegrityError as error:
            raise BadInput("agent-changed") from error

    def _open(
        self,
        db: sa.Connection,
        id: str,
        spec: AgentSpec,
        documents: Mapping[str, str],
        *,
        owner: str,
        department: str,
        roles: Iterable[str],
        audience: str,
        changed: Iterable[str],
        notes: str = "",
        state: RequestState = "checking",
        evidence: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Open a request and hold what it reads: `documents`, or BadInput("agent-changed")."""
        values = {
            "id": id,
            "agent": spec.id,
            "owner": owner,
            "department": department,
            "roles": ",".join(sorted(roles)),
            "version": spec.version,
            "audience": audience,
            "notes": notes,
            "spec": spec.model_dump(mode="json"),
            "documents": dict(documents),
            "hash": version_hash(spec, documents),
            "changed": list(changed),
            "evidence": dict(evidence),
            "state": state,
            "asked": self._now(),
            "decided_by": "",
            "decided": None,
            "note": "",
            "process": self._process,
        }
        db.execute(sa.insert(requests), values)
        if dict(self._documents.freeze(db, id, spec.id, spec)) != dict(documents):
            raise BadInput("agent-changed")  # somebody changed them just now

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

    def _still(self, spec: AgentSpec) -> None:
        """What a version needs is there. Raises BadInput: release-model-gone, release-tool-gone."""
        if spec.model and not self._usable(spec.model):
            raise BadInput("release-model-gone", version=spec.version, model=spec.model)
        if gone := [tool for tool in spec.tools if not self._exists(tool)]:
            raise BadInput("release-tool-gone", version=spec.version, tool=", ".join(gone)[:200])

    def _asked(self, action: Any, by: Actor, spec: AgentSpec, *, author: bool) -> Decision:
        return self._policy.decide(
            Request(
                action=action, actor=by, agent=spec.id, data_class=spec.data_class, author=author
            )
        )

    def _record(
        self,
        kind: str,
        by: str,
        spec: AgentSpec,
        decision: Decision,
        id: str,
        documents: Mapping[str, str] | None = None,
        **more: object,
    ) -> None:
        self._ledger.record(
            Act(
                kind,
                by,
                spec.id,
                spec.version,
                verdict=decision.outcome,
                rule=decision.rule,
                payload={"request": id, "content": version_hash(spec, documents or {}), **more},
            )
        )

    def _act(self, kind: str, by: str, request: PublishRequest) -> None:
        payload = {"request": request.id, "content": request.hash}
        self._ledger.record(Act(kind, by, request.agent, request.version, payload=payload))

    def _close(self, request: PublishRequest, state: str, by: str, note: str) -> None:
        with self._writing() as db:
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
        if state != "published":
            self._documents.thaw(db, request.id)

    def _release(
        self, db: sa.Connection, request: PublishRequest, approved_by: str, before: Live | None
    ) -> None:
        now = self._now()
        release = Release(
            request.agent, request.version, request.hash, request.spec, request.audience,
            request.notes, request.id, approved_by, str(request.evidence.get("model", "")),
            dict(request.documents), now,
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
