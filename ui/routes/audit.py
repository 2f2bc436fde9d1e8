"""The record, for security: traces page by page, one trace, and proof that nothing was altered.

Every look is itself an act in the ledger, written before anything is shown.
"""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from guardrails.audit.ledger import Act
from guardrails.audit.search import TraceFilter, TraceRow
from guardrails.audit.verify import verify
from guardrails.errors import BadInput
from ui.identity import Person
from ui.routes.common import Limits, Services, allowed, limited
from ui.routes.shapes import TracePage, TraceShort, TraceWhole, VerificationResult

router = APIRouter(prefix="/audit", tags=["audit"])

Reviewer = Annotated[Person, allowed("traces.view")]
Word = Annotated[str, Query(max_length=200)]


@router.get("/traces")
def traces(
    app: Services,
    person: Reviewer,
    verdict: Word = "",
    agent: Word = "",
    pseudonym: Word = "",
    conversation: Word = "",
    rule: Word = "",
    text: Word = "",
    after: Word = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> TracePage:
    """Traces, newest first. `after` is the `next` of the page before."""
    filter_ = TraceFilter(
        verdict=verdict,
        agent=agent,
        person=pseudonym,
        conversation=conversation,
        rule=rule,
        text=text,
    )
    used = {name: value for name, value in asdict(filter_).items() if value}
    # the words searched for may name a person: how many is enough for the record
    used["text"] = len(text.split())
    app.ledger.record(Act("audit.search", person.id, payload=used))
    page = app.traces.page(filter_, after or None, limit)
    rows = [TraceShort.model_validate(_row(row)) for row in page.rows]
    return TracePage(rows=rows, next=page.next, counts=app.traces.counts(filter_))


@router.get("/traces/{trace_id}")
def trace(trace_id: str, app: Services, person: Reviewer) -> TraceWhole:
    """One trace with its spans and the acts in the ledger. Ids may be shortened to 8 digits."""
    found = app.traces.get(trace_id)
    if found is None:
        raise BadInput("trace-not-found")
    app.ledger.record(
        Act(
            "trace.view",
            person.id,
            trace_id=found.row.trace_id,
            conversation=found.row.conversation,
            subject=found.row.person,
        )
    )
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
    app.ledger.checkpoint()
    result = verify(
        app.engine,
        app.keys.signing().public_key(),
        app.checkpoint_file,
        mac_key=app.keys.derive("ledger-chain"),
    )
    return VerificationResult(**asdict(result))


def _row(row: TraceRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TraceShort.model_fields}
