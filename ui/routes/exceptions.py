"""Exceptions: "why was this blocked?" asked on, and security's answer."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from guardrails.actor import pseudonym
from guardrails.errors import BadInput
from guardrails.policy.catalogue import explain
from guardrails.policy.exceptions import PolicyException, liftable
from ui.access import may
from ui.identity import Person
from ui.routes.common import Services, allowed
from ui.routes.shapes import Shape

router = APIRouter(tags=["exceptions"])

DAY = 86_400.0


class ExceptionRow(Shape):
    """A rule lifted, or asked to be lifted, for one person and one agent ("" for every agent).

    `person` is a pseudonym; `holds` says that it is in force now; `trace_id` is the turn that was
    blocked.
    """

    id: str
    rule: str
    sentence: str
    person: str
    agent: str
    reason: str
    state: str
    asked: datetime
    expires: datetime | None
    holds: bool
    trace_id: str
    note: str
    mine: bool


class Wanted(BaseModel):
    """What is asked: which rule, for which blocked turn of the caller's own, and why."""

    model_config = ConfigDict(extra="forbid")

    rule: Annotated[str, Field(min_length=1, max_length=80)]
    trace_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class Grant(BaseModel):
    """For how many days (90 at most), and a word to the person."""

    model_config = ConfigDict(extra="forbid")

    days: Annotated[float, Field(gt=0, le=90)] = 7
    note: Annotated[str, Field(max_length=500)] = ""


class Refuse(BaseModel):
    """A word to the person."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=500)] = ""


@router.get("/exceptions")
def exceptions(
    app: Services, person: Annotated[Person, allowed("conversations.own")]
) -> list[ExceptionRow]:
    """The caller's own, newest first; for security everybody's."""
    everybody = may(person, "policies.view")
    rows = [_row(app, person, one) for one in app.exceptions.all()]
    return [row for row in rows if everybody or row.mine]


@router.post("/exceptions")
def ask(
    wanted: Wanted, app: Services, person: Annotated[Person, allowed("conversations.own")]
) -> ExceptionRow:
    """Ask security to lift a rule for the caller and the agent of a blocked turn.

    Rules about secrets and failed guards are never lifted.
    """
    found = app.conversations.of_trace(wanted.trace_id, person.id)
    if not liftable(app.policy.policies, wanted.rule):
        raise BadInput("rule-not-liftable", rule=wanted.rule)
    asked = app.exceptions.ask(
        wanted.rule,
        by=pseudonym(app.keys, person.id),
        agent=found.agent,
        reason=app.screen.text(wanted.reason, None).text,
        trace_id=wanted.trace_id,
    )
    return _row(app, person, asked)


@router.post("/exceptions/{exception}/grant")
def grant(
    exception: str,
    given: Grant,
    app: Services,
    person: Annotated[Person, allowed("policies.approve")],
) -> ExceptionRow:
    """Lift the rule for that person, that agent and so many days. Nobody grants their own."""
    return _decide(app, person, exception, True, given.note, given.days * DAY)


@router.post("/exceptions/{exception}/refuse")
def refuse(
    exception: str,
    given: Refuse,
    app: Services,
    person: Annotated[Person, allowed("policies.approve")],
) -> ExceptionRow:
    """Say no; the person sees the word that goes with it."""
    return _decide(app, person, exception, False, given.note, 0.0)


@router.post("/exceptions/{exception}/end")
def end(
    exception: str, app: Services, person: Annotated[Person, allowed("policies.approve")]
) -> ExceptionRow:
    """Take a granted exception back before its time."""
    by = pseudonym(app.keys, person.id)
    ended = app.exceptions.end(exception, by=by, roles=frozenset(person.roles))
    return _row(app, person, ended)


def _decide(
    app: Any, person: Person, exception: str, yes: bool, note: str, seconds: float
) -> ExceptionRow:
    wanted = app.exceptions.get(exception)
    if yes and not liftable(app.policy.policies, wanted.rule):
        raise BadInput("rule-not-liftable", rule=wanted.rule)  # the rules changed meanwhile
    decided = app.exceptions.decide(
        exception,
        yes,
        by=pseudonym(app.keys, person.id),
        roles=frozenset(person.roles),
        seconds=seconds,
        note=app.screen.text(note, None).text if note else "",
    )
    return _row(app, person, decided)


def _row(app: Any, person: Person, one: PolicyException) -> ExceptionRow:
    words = explain(one.rule, person.language, own=app.policy.policies.words)
    return ExceptionRow(
        id=one.id,
        rule=one.rule,
        sentence=words.sentence,
        person=one.person,
        agent=one.agent,
        reason=one.reason,
        state=one.state,
        asked=datetime.fromtimestamp(one.asked, UTC),
        expires=datetime.fromtimestamp(one.expires, UTC) if one.expires else None,
        holds=one.holds(datetime.now(UTC).timestamp()),
        trace_id=one.trace_id,
        note=one.note,
        mine=one.person == pseudonym(app.keys, person.id),
    )
