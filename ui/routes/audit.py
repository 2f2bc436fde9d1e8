"""The record, for security: traces page by page, one trace, and proof that nothing was altered.

Every look is itself an act in the ledger, written before anything is shown.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from guardrails.audit.ledger import Act
from guardrails.audit.trace_rows import TraceRow
from ui.identity import Person
from ui.looking import TraceQuery, opened, searched
from ui.routes.common import Limits, Services, allowed, limited
from ui.routes.shapes import Done, Shape, TracePage, TraceShort, TraceWhole, VerificationResult

router = APIRouter(prefix="/audit", tags=["audit"])

Reviewer = Annotated[Person, allowed("traces.view")]


class TracePageQuery(TraceQuery):
    """A question, and which page of the answer."""

    after: str = Field("", max_length=40, description="`next` of the page before")
    limit: int = Field(50, ge=1, le=200)


class TrendSteps(Shape):
    """Turns per verdict in equal steps from `since` to `until`."""

    since: datetime
    until: datetime
    counts: dict[str, list[int]]


class Overview(Shape):
    """What there is among the turns that a question matches."""

    facets: dict[str, dict[str, int]]
    trend: TrendSteps


class SavedView(TraceQuery):
    """A question under a name."""

    name: str = Field(min_length=1, max_length=60)


@router.get("/traces")
def traces(app: Services, person: Reviewer, query: Annotated[TracePageQuery, Query()]) -> TracePage:
    """Traces, newest first. `after` is the `next` of the page before."""
    filter_ = query.filter()
    page = searched(app, person, filter_, query.after or None, query.limit)
    rows = [TraceShort.model_validate(_row(row)) for row in page.rows]
    return TracePage(rows=rows, next=page.next, counts=app.traces.counts(filter_))


@router.get("/overview")
def overview(app: Services, person: Reviewer, query: Annotated[TraceQuery, Query()]) -> Overview:
    """Values to filter by with counts (of the newest 50,000 turns), and the trend of verdicts."""
    filter_, facets = query.filter(), app.record.facets
    trend = facets.trend(filter_, datetime.now(UTC))
    counts = {name: list(row) for name, row in trend.counts.items()}
    return Overview(
        facets=facets.facets(filter_),
        trend=TrendSteps(since=trend.since, until=trend.until, counts=counts),
    )


@router.get("/traces/{trace_id}")
def trace(trace_id: str, app: Services, person: Reviewer) -> TraceWhole:
    """One trace with its spans and the acts in the ledger. Ids may be shortened to 8 digits."""
    found = opened(app, person, trace_id)
    return TraceWhole(
        **_row(found.row),
        spans=[asdict(span) | {"attributes": dict(span.attributes)} for span in found.spans],
        ledger=[asdict(row) for row in found.ledger],
    )


@router.post("/verify")
def verification(
    app: Services, rates: Limits, person: Annotated[Person, allowed("audit.verify")]
) -> VerificationResult:
    """Check the whole ledger now: every row, every signed checkpoint."""
    limited(rates.verify, person)
    app.ledger.record(Act("audit.verify", person.id))
    return VerificationResult(**asdict(app.record.verify()))


@router.get("/views")
def views(app: Services, person: Reviewer) -> dict[str, dict[str, str]]:
    """The caller's saved views: name and question."""
    saved: dict[str, dict[str, str]] = app.record.saved.all(app.record.pseudonym(person.id))
    return saved


@router.post("/views")
def save_view(app: Services, person: Reviewer, view: SavedView) -> Done:
    """Keep a question under a name; an earlier one of that name is replaced."""
    view.filter()  # raises what a search with it would raise
    question = view.asked()
    del question["name"]
    app.record.saved.save(app.record.pseudonym(person.id), view.name, question)
    return Done()


# a name may hold a slash
@router.delete("/views/{name:path}")
def delete_view(name: str, app: Services, person: Reviewer) -> Done:
    """Forget a saved view."""
    app.record.saved.delete(app.record.pseudonym(person.id), name)
    return Done()


def _row(row: TraceRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TraceShort.model_fields}
