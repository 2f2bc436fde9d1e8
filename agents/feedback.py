"""What people say of an answer: good, or a case for a human to look at. Masked; no names."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from guardrails.audit.ledger import Act, Ledger
from guardrails.errors import BadInput, NotPermitted
from guardrails.store import metadata

Kind = Literal["good", "wrong", "biased", "leaks"]
State = Literal["open", "closed", "none"]
LOOKED_AT: Final = frozenset({"wrong", "biased", "leaks"})  # kinds that open a review

reports = sa.Table(
    "reports",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("person", sa.Text, nullable=False),  # pseudonym
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("message", sa.Integer, nullable=False),
    sa.Column("trace_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),  # masked
    sa.Column("state", sa.Text, nullable=False),  # open, closed; none: nothing to look at
    sa.Column("decided_by", sa.Text),
    sa.Column("decided", sa.BigInteger),
    sa.Column("answer", sa.Text, nullable=False),
    sa.UniqueConstraint("conversation", "message", "person"),
    sa.Index("ix_reports_agent", "agent"),
    sa.Index("ix_reports_state", "state"),
)


@dataclass(frozen=True, slots=True)
class Report:
    """One opinion on one answer. `at` in seconds since 1970; `answer` is the reviewer's word."""

    id: str
    at: float
    person: str
    department: str
    agent: str
    version: str
    conversation: str
    message: int
    trace_id: str
    kind: Kind
    note: str
    state: State
    decided_by: str = ""
    answer: str = ""


class Feedback:
    """The opinions of one store. People are pseudonyms, notes masked by the caller."""

    def __init__(
        self, engine: sa.Engine, ledger: Ledger, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._clock = clock

    def give(self, *, by: str, kind: Kind, note: str, **about: Any) -> Report:
        """Say it of one answer; a second opinion of the same person takes the first one's place.

        `about` is department, agent, version, conversation, message and trace_id.
        """
        act = Act(
            "feedback",
            by,
            about["agent"],
            about["version"],
            about["conversation"],
            about["trace_id"],
            "allow",
            kind,
            {"message": about["message"], "note": note},
        )
        self._ledger.record(act)
        table = reports
        same = (
            table.c.conversation == about["conversation"],
            table.c.message == about["message"],
            table.c.person == by,
        )
        row = {
            **about,
            "id": uuid.uuid4().hex,
            "at": int(self._clock() * 1e6),
            "person": by,
            "kind": kind,
            "note": note,
            "state": "open" if kind in LOOKED_AT else "none",
            "answer": "",
        }
        with self._engine.begin() as db:
            db.execute(sa.delete(table).where(*same))
            db.execute(sa.insert(table), row)
        return self.get(row["id"])

    def close(self, identity: str, *, by: str, answer: str) -> Report:
        """A reviewer has looked. Raises BadInput("wrong-state"), NotPermitted("self-approval")."""
        found = self.get(identity)
        if found.person == by:
            raise NotPermitted("self-approval", id=identity)
        act = Act("feedback.close", by, found.agent, found.version, found.conversation,
                  found.trace_id, "allow", found.kind, {"report": identity, "answer": answer},
                  subject=found.person)  # fmt: skip
        self._ledger.record(act)
        with self._engine.begin() as db:
            done = db.execute(
                sa.update(reports)
                .where(reports.c.id == identity, reports.c.state == "open")
                .values(
                    state="closed",
                    decided_by=by,
                    decided=int(self._clock() * 1e6),
                    answer=answer,
                )
            )
        if not done.rowcount:
            raise BadInput("wrong-state", state=found.state)
        return self.get(identity)

    def get(self, identity: str) -> Report:
        """One opinion. Raises BadInput("no-such-report")."""
        with self._engine.connect() as db:
            row = db.execute(sa.select(reports).where(reports.c.id == identity)).first()
        if row is None:
            raise BadInput("no-such-report")
        return _report(row)

    def all(self, *, state: str = "", agent: str = "", person: str = "") -> list[Report]:
        """Opinions, newest first."""
        query = sa.select(reports).order_by(reports.c.at.desc()).limit(500)
        for column, value in (("state", state), ("agent", agent), ("person", person)):
            if value:
                query = query.where(reports.c[column] == value)
        with self._engine.connect() as db:
            return [_report(row) for row in db.execute(query)]


def _report(row: Any) -> Report:
    return Report(
        row.id, row.at / 1e6, row.person, row.department, row.agent, row.version,
        row.conversation, row.message, row.trace_id, row.kind, row.note, row.state,
        row.decided_by or "", row.answer,
    )  # fmt: skip
