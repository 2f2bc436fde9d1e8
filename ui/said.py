"""What a person said, asked or tried beside their conversations: to take away and to forget.

Feedback, problem reports, stars, comparisons, approvals, exceptions, comments, evaluation runs.
What the organisation still needs stays without the person and without their words: that there was
a report of some kind, that an act was approved, on which run a release rests.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from agents import feedback, publishing_tables
from agents.comparisons import comparisons
from guardrails.policy import tables
from sandbox.broker.source_tables import grants

if TYPE_CHECKING:
    from ui.wiring import App

ERASED: Final = "erased"  # stands where a person was


@dataclass(frozen=True)
class Place:
    """One table. `account` tells whether `column` holds the account's id or the pseudonym;
    `blank` is what replaces the person's words, None deletes the rows."""

    name: str
    table: sa.Table
    column: str
    account: bool = False
    blank: Mapping[str, object] | None = field(default_factory=dict)


PLACES: Final = (
    Place(
        "feedback",
        feedback.reports,
        "person",
        blank={"note": "", "conversation": "", "trace_id": "", "department": ""},
    ),
    Place(
        "reports",
        publishing_tables.reports,
        "person",
        blank={"text": "", "input": "", "trace_id": ""},
    ),
    Place("ratings", publishing_tables.ratings, "person", blank=None),
    Place("comparisons", comparisons, "owner", account=True, blank=None),
    Place(
        "approvals",
        tables.approvals,
        "person",
        blank={"payload": "{}", "note": "", "conversation": "", "trace_id": "", "department": ""},
    ),
    Place("exceptions", tables.exceptions, "person", blank={"reason": "", "trace_id": None}),
    Place("comments", publishing_tables.comments, "by", account=True),
    Place("evaluations", publishing_tables.runs, "by", account=True),
    Place("services", grants, "person", account=True, blank=None),
)


def export(app: "App", person: str) -> dict[str, list[dict[str, Any]]]:
    """Everything by place, as it is kept: texts are masked, times are UTC."""
    runs, results = publishing_tables.runs, publishing_tables.results
    found: dict[str, list[dict[str, Any]]] = {}
    with app.engine.connect() as db:
        for place in PLACES:
            query = sa.select(place.table).where(_theirs(app, place, person))
            found[place.name] = [_plain(place.table, row._mapping) for row in db.execute(query)]
        mine = sa.select(runs.c.id).where(runs.c.by == person)
        rows = db.execute(sa.select(results).where(results.c.run.in_(mine)))
        found["evaluation-results"] = [_plain(results, row._mapping) for row in rows]
    return found


def forget(app: "App", person: str) -> None:
    """Erase the person's words and take the person out of what has to stay.

    Approvals and requests for an exception that still wait are withdrawn: nobody needs them now.
    """
    runs, results = publishing_tables.runs, publishing_tables.results
    proof = [
        str(request.evidence["run"])
        for request in app.desk.publishing.of(owner=person)
        if "run" in request.evidence
    ]
    with app.engine.begin() as db:
        who = app.record.pseudonym(person)
        waiting = sa.and_(tables.approvals.c.person == who, tables.approvals.c.state == "pending")
        db.execute(sa.update(tables.approvals).where(waiting).values(state="withdrawn"))
        asked = sa.and_(tables.exceptions.c.person == who, tables.exceptions.c.state == "asked")
        db.execute(sa.delete(tables.exceptions).where(asked))
        idle = sa.and_(runs.c.by == person, runs.c.id.not_in(proof))
        db.execute(sa.delete(results).where(results.c.run.in_(sa.select(runs.c.id).where(idle))))
        db.execute(sa.delete(runs).where(idle))
        for place in PLACES:
            here = _theirs(app, place, person)
            if place.blank is None:
                db.execute(sa.delete(place.table).where(here))
            else:
                values = {**place.blank, place.column: ERASED}
                db.execute(sa.update(place.table).where(here).values(values))


def _theirs(app: "App", place: Place, person: str) -> sa.ColumnElement[bool]:
    who = person if place.account else app.record.pseudonym(person)
    return place.table.c[place.column] == who


def _plain(table: sa.Table, row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row with its times readable: columns of whole numbers this wide are microseconds."""
    return {
        column.name: datetime.fromtimestamp(row[column.name] / 1e6, UTC)
        if isinstance(column.type, sa.BigInteger) and row[column.name] is not None
        else row[column.name]
        for column in table.columns
        if not isinstance(column.type, sa.LargeBinary)  # sealed: nobody's to read
    }
