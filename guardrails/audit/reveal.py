"""See the real values of one trace: a reason, a second person, a time limit, the author told.

Knows nothing of vaults: whoever shows the content asks `allowed` first and records the view.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.search import Traces
from guardrails.audit.tables import reveals, views, views_read
from guardrails.audit.trace_rows import TraceRow
from guardrails.errors import BadInput, NotPermitted

MINUTES = 30  # a granted reveal lasts this long
LISTED_SECONDS = 3_600  # a reviewer's looks at lists are told to an author once in this time
SHORTEST_REASON = 10  # characters


# listed: was among many; searched: somebody looked for this person's turns
Kind = Literal[
    "listed", "searched", "viewed", "reveal-asked", "reveal-granted", "reveal-refused", "revealed",
    "exported",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reveal:
    """One request to see content. Times in seconds; people are pseudonyms."""

    id: str
    trace_id: str
    author: str
    requester: str
    reason: str
    state: Literal["asked", "granted", "refused"]
    asked: float
    decided_by: str = ""
    expires: float | None = None
    decided: float | None = None


@dataclass(frozen=True, slots=True)
class View:
    """One line of who-saw-what. `new` when the author has not read it yet."""

    at: float
    viewer: str
    trace_id: str
    kind: Kind
    reason: str
    new: bool = True


class Reveals:
    """Reveals and the log of views, of one store."""

    def __init__(
        self, engine: sa.Engine, ledger: Ledger, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._traces = Traces(engine)
        self._clock = clock

    def ask(self, trace_id: str, *, by: str, reason: str) -> Reveal:
        """Ask to see the content. Raises BadInput("reason-missing", "no-such-trace")."""
        if len(reason.strip()) < SHORTEST_REASON:
            raise BadInput("reason-missing", shortest=SHORTEST_REASON)
        trace = self._traces.get(trace_id)
        if trace is None:
            raise BadInput("no-such-trace", trace=trace_id)
        author = trace.row.person
        identity = uuid.uuid4().hex
        self._ledger.record(
            Act("reveal.ask", by, trace.row.agent, "", trace.row.conversation, trace.row.trace_id,
                "ask", "", {"reveal": identity, "reason": reason})
        )  # fmt: skip
        row = {
            "id": identity,
            "trace_id": trace.row.trace_id,
            "author": author,
            "requester": by,
            "reason": reason,
            "state": "asked",
            "asked": self._now(),
        }
        with self._engine.begin() as connection:
            connection.execute(sa.insert(reveals), row)
            self._log(connection, by, author, trace.row.trace_id, "reveal-asked", reason)
        return self.get(identity)

    def decide(self, identity: str, granted: bool, *, by: str, roles: frozenset[str]) -> Reveal:
        """Grant for 30 minutes, or refuse.

        Raises NotPermitted for the requester, for the author of the content, and without the role
        security; BadInput("wrong-state") when it was decided.
        """
        wanted = self.get(identity)
        if wanted.state != "asked":
            raise BadInput("wrong-state", state=wanted.state)
        if by in (wanted.requester, wanted.author) or "security" not in roles:
            code = "not-approver" if by != wanted.requester else "self-approval"
            act = Act("reveal.decide", by, trace_id=wanted.trace_id, verdict="deny", rule=code)
            self._ledger.record(act)
            raise NotPermitted(code, id=identity)
        verdict = "allow" if granted else "deny"
        payload = {"reveal": identity}
        self._ledger.record(
            Act("reveal.decide", by, trace_id=wanted.trace_id, verdict=verdict, payload=payload)
        )
        now = self._now()
        with self._engine.begin() as connection:
            done = connection.execute(
                sa.update(reveals)
                .where(reveals.c.id == identity, reveals.c.state == "asked")
                .values(
                    state="granted" if granted else "refused",
                    decided_by=by,
                    decided=now,
                    expires=now + MINUTES * 60_000_000 if granted else None,
                )
            )
            if done.rowcount:
                kind: Kind = "reveal-granted" if granted else "reveal-refused"
                self._log(connection, by, wanted.author, wanted.trace_id, kind, wanted.reason)
        if not done.rowcount:
            raise BadInput("wrong-state", state=self.get(identity).state)
        return self.get(identity)

    def allowed(self, trace_id: str, *, to: str) -> Reveal:
        """The reveal under which `to` may see the content now; records and logs the view.

        Raises NotPermitted("no-reveal") when there is none or it has expired.
        """
        with self._engine.connect() as connection:
            row = connection.execute(
                sa.select(reveals).where(
                    reveals.c.trace_id == trace_id,
                    reveals.c.requester == to,
                    reveals.c.state == "granted",
                    reveals.c.expires > self._now(),
                )
            ).first()
        if row is None:
            raise NotPermitted("no-reveal", trace=trace_id)
        found = _reveal(row)
        payload = {"reveal": found.id, "approved_by": found.decided_by}
        self._ledger.record(Act("reveal.view", to, trace_id=trace_id, payload=payload))
        with self._engine.begin() as connection:
            self._log(connection, to, found.author, trace_id, "revealed", found.reason)
        return found

    def viewed(self, trace: TraceRow, *, by: str) -> None:
        """Record that a reviewer opens a trace (masked); call it before showing anything.

        An author's own looks are recorded and not told to them.
        """
        self._ledger.record(
            Act(
                "trace.view",
                by,
                trace_id=trace.trace_id,
                conversation=trace.conversation,
                subject=trace.person,
            )
        )
        if by == trace.person:
            return
        with self._engine.begin() as connection:
            self._log(connection, by, trace.person, trace.trace_id, "viewed", "")

    def listed(self, authors: Mapping[str, str], *, by: str, targeted: bool) -> None:
        """Log that `by` had turns of `authors` (with a trace of each) in a list or an export.

        `targeted` when they were looked for by name. The search itself is in the ledger already.
        """
        kind: Kind = "searched" if targeted else "listed"
        since = self._now() - LISTED_SECONDS * 1_000_000
        others = {author: trace for author, trace in authors.items() if author not in ("", by)}
        if not others:
            return
        with self._engine.begin() as connection:
            known = set(
                connection.scalars(
                    sa.select(views.c.author).where(
                        views.c.author.in_(list(others)),
                        views.c.viewer == by,
                        views.c.kind == kind,
                        views.c.at > since,
                    )
                )
            )
            for author, trace in others.items():
                if author not in known:
                    self._log(connection, by, author, trace, kind, "")

    def exported(self, authors: Iterable[str], *, by: str) -> None:
        """Log that turns of `authors` left in an export."""
        with self._engine.begin() as connection:
            for author in authors:
                if author not in ("", by):
                    self._log(connection, by, author, "", "exported", "")

    def who_saw(self, author: str, limit: int = 200, before: float | None = None) -> list[View]:
        """Who looked at `author`'s traces, newest first: for the author to read."""
        query = sa.select(views).where(views.c.author == author)
        if before is not None:
            query = query.where(views.c.at < int(before * 1e6))
        with self._engine.connect() as connection:
            since = self._read(connection, author)
            rows = connection.execute(query.order_by(views.c.id.desc()).limit(limit)).all()
        return [
            View(r.at / 1e6, r.viewer, r.trace_id, r.kind, r.reason, r.at > since) for r in rows
        ]

    def unread(self, author: str) -> int:
        """How many lines the author has not read."""
        with self._engine.connect() as connection:
            since = self._read(connection, author)
            query = sa.select(sa.func.count()).where(views.c.author == author, views.c.at > since)
            return connection.scalar(query) or 0

    def read(self, author: str) -> None:
        """The author has read everything up to now."""
        now = self._now()
        with self._engine.begin() as connection:
            query = sa.update(views_read).where(views_read.c.author == author)
            if not connection.execute(query.values(at=now)).rowcount:
                connection.execute(sa.insert(views_read), {"author": author, "at": now})

    def all(self, limit: int = 100) -> list[Reveal]:
        """Requests, newest first."""
        query = sa.select(reveals).order_by(reveals.c.asked.desc(), reveals.c.id).limit(limit)
        with self._engine.connect() as connection:
            return [_reveal(row) for row in connection.execute(query)]

    def of(self, trace_id: str) -> list[Reveal]:
        """Requests about one trace, newest first."""
        query = sa.select(reveals).where(reveals.c.trace_id == trace_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(reveals.c.asked.desc()))
            return [_reveal(row) for row in rows]

    def waiting(self) -> list[Reveal]:
        """Requests that wait for a second person, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                sa.select(reveals).where(reveals.c.state == "asked").order_by(reveals.c.asked)
            ).all()
        return [_reveal(row) for row in rows]

    def get(self, identity: str) -> Reveal:
        """One request. Raises BadInput("no-such-reveal")."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(reveals).where(reveals.c.id == identity)).first()
        if row is None:
            raise BadInput("no-such-reveal", id=identity)
        return _reveal(row)

    @staticmethod
    def _read(connection: sa.Connection, author: str) -> int:
        return (
            connection.scalar(sa.select(views_read.c.at).where(views_read.c.author == author)) or 0
        )

    def _log(
        self, connection: sa.Connection, viewer: str, author: str, trace: str, kind: Kind, why: str
    ) -> None:
        row = {"at": self._now(), "viewer": viewer, "author": author, "trace_id": trace}
        connection.execute(sa.insert(views), row | {"kind": kind, "reason": why})

    def _now(self) -> int:
        return int(self._clock() * 1_000_000)


def _reveal(row: Any) -> Reveal:
    return Reveal(
        row.id, row.trace_id, row.author, row.requester, row.reason, row.state, row.asked / 1e6,
        row.decided_by or "", row.expires / 1e6 if row.expires else None,
        row.decided / 1e6 if row.decided else None,
    )  # fmt: skip
