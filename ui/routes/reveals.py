"""Reveal: real values of one turn, with a reason, a second person, a time limit; and the author's
own list of who looked at what.
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from guardrails.audit.reveal import Reveal
from ui.identity import Person
from ui.looking import revealed
from ui.routes.common import Services, allowed, cleared
from ui.routes.shapes import Done, Shape

router = APIRouter(tags=["reveal"])

Revealer = Annotated[Person, allowed("audit.reveal")]
Own = Annotated[Person, allowed("privacy.own")]


class Reason(BaseModel):
    """Why real values have to be seen; the author reads it."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(max_length=500)


class RevealRow(Shape):
    """A request to see real values. People are pseudonyms; `mine` when the caller asked."""

    id: str
    trace_id: str
    author: str
    requester: str
    reason: str
    state: str
    asked: datetime
    decided_by: str
    expires: datetime | None
    mine: bool


class RevealContent(RevealRow):
    """Real values, for the requester, until `expires`."""

    request: str
    reply: str


class Look(Shape):
    """One line of who-saw-what. `viewer` is a pseudonym; `new` until it was read.

    `kind`: listed, searched, viewed, reveal-asked, reveal-granted, reveal-refused, revealed,
    exported.
    """

    at: datetime
    viewer: str
    trace_id: str
    kind: str
    reason: str
    new: bool


class Looks(Shape):
    """Who looked at the caller's turns, newest first; `unread` counts all that are new."""

    rows: list[Look]
    unread: int


@router.post("/audit/traces/{trace_id}/reveal")
def ask(trace_id: str, reason: Reason, app: Services, person: Revealer) -> RevealRow:
    """Ask to see real values. Nothing is shown before a second person of security agrees."""
    me = app.record.pseudonym(person.id)
    why = cleared(app, reason.reason)
    return _row(app.record.reveals.ask(trace_id, by=me, reason=why), me)


@router.get("/audit/reveals")
def reveals(app: Services, person: Revealer) -> list[RevealRow]:
    """Requests, newest first."""
    me = app.record.pseudonym(person.id)
    return [_row(one, me) for one in app.record.reveals.all()]


@router.post("/audit/reveals/{reveal}/approve")
def approve(reveal: str, app: Services, person: Revealer) -> RevealRow:
    """Agree, for thirty minutes. Neither the requester nor the author may."""
    return _decide(app, person, reveal, True)


@router.post("/audit/reveals/{reveal}/refuse")
def refuse(reveal: str, app: Services, person: Revealer) -> RevealRow:
    """Say no. Neither the requester nor the author may."""
    return _decide(app, person, reveal, False)


@router.get("/audit/reveals/{reveal}")
def content(reveal: str, app: Services, person: Revealer) -> RevealContent:
    """Real values, for the person who asked and while it is granted. Each look is recorded."""
    me = app.record.pseudonym(person.id)
    found = revealed(app, person, reveal)
    row = _row(found.reveal, me).model_dump()
    return RevealContent(**row, request=found.request, reply=found.reply)


@router.get("/me/looked")
def looked(app: Services, person: Own, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> Looks:
    """Who looked at my turns, when, and why."""
    me = app.record.pseudonym(person.id)
    rows = [
        Look(
            at=_when(one.at), viewer=one.viewer, trace_id=one.trace_id, kind=one.kind,
            reason=one.reason, new=one.new,
        )
        for one in app.record.reveals.who_saw(me, limit)
    ]  # fmt: skip
    return Looks(rows=rows, unread=app.record.reveals.unread(me))


@router.post("/me/looked/read")
def read(app: Services, person: Own) -> Done:
    """Mark everything up to now as read."""
    app.record.reveals.read(app.record.pseudonym(person.id))
    return Done()


def _decide(app: Services, person: Person, reveal: str, granted: bool) -> RevealRow:
    me = app.record.pseudonym(person.id)
    roles = frozenset(person.roles)
    return _row(app.record.reveals.decide(reveal, granted, by=me, roles=roles), me)


def _row(one: Reveal, me: str) -> RevealRow:
    return RevealRow(
        id=one.id,
        trace_id=one.trace_id,
        author=one.author,
        requester=one.requester,
        reason=one.reason,
        state=one.state,
        asked=_when(one.asked),
        decided_by=one.decided_by,
        expires=_when(one.expires) if one.expires else None,
        mine=one.requester == me,
    )


def _when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
