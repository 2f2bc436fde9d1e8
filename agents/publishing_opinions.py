"""What people say about agents: reviewers' comments, colleagues' stars and reports. Texts masked.

A report becomes a test case of the author's draft; see `agents.cases`.
"""

import datetime as dt
from collections.abc import Callable

import sqlalchemy as sa

from agents.publishing_records import Comment, Rating, Report, ReportKind, report_of
from agents.publishing_tables import comments, ratings, reports
from guardrails.audit.ledger import Act, Ledger
from guardrails.errors import BadInput
from guardrails.store import aware

TEXT_CHARACTERS = 4_000


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Opinions:
    """Comments, ratings and reports of one store. The caller has checked who may."""

    def __init__(
        self, engine: sa.Engine, ledger: Ledger, now: Callable[[], dt.datetime] = _now
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._now = now

    def comment(self, request: str, by: str, text: str, line: str = "") -> Comment:
        """Say something about one line (`instructions.en:3`) or the whole. BadInput: note-needed"""
        text = text.strip()[:TEXT_CHARACTERS]
        if not text:
            raise BadInput("note-needed")
        self._ledger.record(Act("publish.comment", by, payload={"request": request}))
        at, line = self._now(), line[:120]
        values = {"request": request, "by": by, "line": line, "text": text, "at": at}
        with self._engine.begin() as db:
            key = db.execute(sa.insert(comments), values).inserted_primary_key
        return Comment(int(key[0]) if key else 0, by, line, text, at)

    def comments(self, request: str) -> list[Comment]:
        """All comments of a request, oldest first."""
        query = sa.select(comments).where(comments.c.request == request).order_by(comments.c.id)
        with self._engine.connect() as db:
            return [
                Comment(row.id, row.by, row.line, row.text, aware(row.at))
                for row in db.execute(query)
            ]

    def rate(self, agent: str, version: str, person: str, stars: int) -> Rating:
        """One person's stars; a second rating replaces the first. `person` is a pseudonym."""
        self._ledger.record(Act("agent.rate", person, agent, version, payload={"stars": stars}))
        values = {"stars": stars, "version": version, "at": self._now()}
        mine = sa.and_(ratings.c.agent == agent, ratings.c.person == person)
        with self._engine.begin() as db:
            if not db.execute(sa.update(ratings).where(mine).values(values)).rowcount:
                db.execute(sa.insert(ratings), {"agent": agent, "person": person, **values})
        return self.rating(agent)

    def rating(self, agent: str) -> Rating:
        """Everybody's stars."""
        count = sa.func.count()
        query = (
            sa.select(ratings.c.stars, count)
            .where(ratings.c.agent == agent)
            .group_by(ratings.c.stars)
        )
        with self._engine.connect() as db:
            return Rating({int(stars): int(n) for stars, n in db.execute(query)})

    def mine(self, agent: str, person: str) -> int:
        """The stars that one person (a pseudonym) gave; 0 for none."""
        mine = sa.and_(ratings.c.agent == agent, ratings.c.person == person)
        with self._engine.connect() as db:
            return int(db.execute(sa.select(ratings.c.stars).where(mine)).scalar() or 0)

    def report(
        self,
        agent: str,
        version: str,
        person: str,
        kind: ReportKind,
        text: str,
        input: str = "",
        trace_id: str = "",
    ) -> Report:
        """Keep a problem report (masked texts, a pseudonym)."""
        self._ledger.record(
            Act("agent.report", person, agent, version, trace_id=trace_id, payload={"kind": kind})
        )
        values = {
            "agent": agent,
            "version": version,
            "person": person,
            "kind": kind,
            "text": text[:TEXT_CHARACTERS],
            "input": input[:8000],
            "trace_id": trace_id[:32],
            "state": "open",
            "case": "",
            "at": self._now(),
        }
        with self._engine.begin() as db:
            key = db.execute(sa.insert(reports), values).inserted_primary_key
        return self.report_by_id(int(key[0]) if key else 0)

    def report_by_id(self, id: int) -> Report:
        """One report. Raises BadInput("no-such-report")."""
        with self._engine.connect() as db:
            row = db.execute(sa.select(reports).where(reports.c.id == id)).one_or_none()
        if row is None:
            raise BadInput("no-such-report", id=id)
        return report_of(row)

    def reports(self, agent: str) -> list[Report]:
        """Reports about an agent, newest first."""
        query = sa.select(reports).where(reports.c.agent == agent).order_by(reports.c.id.desc())
        with self._engine.connect() as db:
            return [report_of(row) for row in db.execute(query.limit(200))]

    def settle(self, id: int, by: str, *, case: str = "") -> Report:
        """Close a report, with the test case it became or without."""
        report = self.report_by_id(id)
        payload: dict[str, object] = {"report": id, "case": case}
        self._ledger.record(Act("agent.report-settled", by, report.agent, payload=payload))
        with self._engine.begin() as db:
            db.execute(
                sa.update(reports)
                .where(reports.c.id == id)
                .values(state="case" if case else "closed", case=case)
            )
        return self.report_by_id(id)
