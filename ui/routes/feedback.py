"""What people say of an answer, and the humans who look at it."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from agents.feedback import LOOKED_AT, Report
from guardrails.actor import pseudonym
from guardrails.audit.ledger import Act
from guardrails.errors import BadInput
from ui.identity import Person
from ui.routes.common import Limits, Services, allowed, limited
from ui.routes.shapes import Shape

router = APIRouter(tags=["feedback"])


class FeedbackRow(Shape):
    """One opinion. `request` and `reply` are masked and shown to reviewers only: reporting an
    answer hands its turn over. `person` is a pseudonym."""

    id: str
    at: datetime
    person: str
    agent: str
    version: str
    message: int
    trace_id: str
    kind: str
    note: str
    state: str
    answer: str
    request: str
    reply: str
    mine: bool


class Opinion(BaseModel):
    """`message` is the number of the answer in its conversation."""

    model_config = ConfigDict(extra="forbid")

    message: Annotated[int, Field(ge=1)]
    kind: Literal["good", "wrong", "biased", "leaks"]
    note: Annotated[str, Field(max_length=2000)] = ""


class Looked(BaseModel):
    """What the reviewer says to the person."""

    model_config = ConfigDict(extra="forbid")

    answer: Annotated[str, Field(min_length=1, max_length=2000)]


@router.post("/conversations/{conversation}/feedback")
def give(
    conversation: str,
    opinion: Opinion,
    app: Services,
    rates: Limits,
    person: Annotated[Person, allowed("conversations.own")],
) -> FeedbackRow:
    """Say that an answer is good, or have a human look at it. Saying it again replaces it."""
    limited(rates.messages, person)
    found = app.conversations.get(conversation, person.id)
    kept = app.conversations.messages(conversation, person.id)
    about = next((one for one in kept if one.number == opinion.message), None)
    if about is None or about.role != "assistant":
        raise BadInput("no-such-message")
    report = app.feedback.give(
        by=pseudonym(app.keys, person.id),
        kind=opinion.kind,
        note=app.sessions.masked(conversation, opinion.note) if opinion.note.strip() else "",
        department=person.department,
        agent=found.agent,
        version=found.version,
        conversation=conversation,
        message=opinion.message,
        trace_id=about.trace_id,
    )
    return _row(app, person, report)


@router.get("/feedback")
def feedback(
    app: Services,
    person: Annotated[Person, allowed("feedback.review")],
    state: Literal["open", "closed", "all"] = "open",
    agent: str = "",
) -> list[FeedbackRow]:
    """Answers that people want looked at, newest first, with their masked turn.

    The look is on record before anything is shown, and told to those whose turns are in it.
    """
    found = app.feedback.all(state="" if state == "all" else state, agent=agent)
    me = pseudonym(app.keys, person.id)
    app.ledger.record(Act("audit.search", me, payload={"feedback": state, "rows": len(found)}))
    handed = {one.person: one.trace_id for one in found if one.kind in LOOKED_AT}
    app.record.reveals.listed(handed, by=me, targeted=False)
    return [_row(app, person, one, reviewer=True) for one in found]


@router.get("/feedback/mine")
def mine(
    app: Services, person: Annotated[Person, allowed("conversations.own")]
) -> list[FeedbackRow]:
    """What the caller said, and what came of it."""
    found = app.feedback.all(person=pseudonym(app.keys, person.id))
    return [_row(app, person, one) for one in found]


@router.post("/feedback/{report}/close")
def close(
    report: str,
    looked: Looked,
    app: Services,
    person: Annotated[Person, allowed("feedback.review")],
) -> FeedbackRow:
    """A human has looked; the person sees the answer. Nobody closes their own."""
    answer = app.screen.text(looked.answer, None).text
    closed = app.feedback.close(report, by=pseudonym(app.keys, person.id), answer=answer)
    return _row(app, person, closed, reviewer=True)


def _row(app: Any, person: Person, one: Report, reviewer: bool = False) -> FeedbackRow:
    request = reply = ""
    if reviewer and one.kind in LOOKED_AT:  # praise hands nothing over
        request, reply = app.conversations.turn(one.conversation, one.message)
    return FeedbackRow(
        id=one.id,
        at=datetime.fromtimestamp(one.at, UTC),
        person=one.person,
        agent=one.agent,
        version=one.version,
        message=one.message,
        trace_id=one.trace_id,
        kind=one.kind,
        note=one.note,
        state=one.state,
        answer=one.answer,
        request=request,
        reply=reply,
        mine=one.person == pseudonym(app.keys, person.id),
    )
