"""How long the record is kept, what may not be deleted, and what the next run would delete."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from guardrails.audit.ledger import Act
from guardrails.audit.retention import Hold, HoldField
from guardrails.audit.schedule import REST, Kept, Schedules
from ui import seen
from ui.identity import Person
from ui.routes.common import Seen, Services, allowed, cleared
from ui.routes.shapes import Shape

router = APIRouter(prefix="/retention", tags=["retention"])

Keeper = Annotated[Person, allowed("retention.manage")]
EVERYTHING_ELSE = "rest"  # how the class of the rest is named in addresses


class Days(BaseModel):
    """How long to keep a class; less than 184 days needs a reason."""

    model_config = ConfigDict(extra="forbid")
    days: int
    reason: str = Field("", max_length=500)


class NewHold(BaseModel):
    """What to keep, and why. `value` is a pseudonym, an agent, a conversation or a department."""

    model_config = ConfigDict(extra="forbid")
    field: HoldField
    value: str = Field("", max_length=200)
    reason: str = Field(max_length=500)


class Released(BaseModel):
    """Why a hold ends."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field("", max_length=500)


class ClassRow(Shape):
    """One data class (`rest`: whatever has no days of its own, and the ledger's payloads).

    `due` turns would be deleted by a run now, `held` are past their time and kept by a hold.
    """

    data_class: str
    days: int
    own: bool
    reason: str
    changed_by: str
    due: int
    held: int


class HoldRow(Shape):
    """A legal hold. It beats retention and erasure until it is released."""

    id: int
    field: str
    value: str
    reason: str
    placed_by: str
    placed: datetime
    released: datetime | None
    released_by: str


class RetentionState(Shape):
    """Days, holds, and what a run now would delete."""

    classes: list[ClassRow]
    payloads_due: int
    holds: list[HoldRow]


@router.get("")
def state(app: Services, person: Keeper) -> RetentionState:
    """Days per class, holds, and what the next run would delete."""
    retention = app.record.retention
    due = {one.data_class: one for one in retention.preview()}
    rows = []
    for kept in retention.schedules.all():
        own = bool(kept.changed) or kept.data_class == REST
        one = due.get(kept.data_class)
        rows.append(
            ClassRow(
                data_class=kept.data_class or EVERYTHING_ELSE,
                days=kept.days,
                own=own,
                reason=kept.reason,
                changed_by=kept.changed_by,
                due=one.traces if one else 0,
                held=one.held if one else 0,
            )
        )
    holds = [_hold(hold) for hold in retention.holds()]
    return RetentionState(classes=rows, payloads_due=due[REST].payloads, holds=holds)


@router.put("/classes/{data_class}")
def set_days(
    data_class: str, days: Days, app: Services, person: Keeper, save: Seen
) -> RetentionState:
    """Keep a class for so many days."""
    name = REST if data_class == EVERYTHING_ELSE else data_class
    schedules = app.record.retention.schedules
    reason = cleared(app, days.reason)
    schedules.check(name, days.days, reason)
    me = app.record.pseudonym(person.id)
    payload = {"class": data_class, "days": days.days, "reason": reason}
    with save.still(lambda: seen.keeping(_kept(schedules, name))):
        app.ledger.record(Act("retention.set", me, payload=payload))
        schedules.set(name, days.days, by=me, reason=reason)
    return state(app, person)


@router.post("/holds")
def place(hold: NewHold, app: Services, person: Keeper) -> HoldRow:
    """Place a legal hold: nothing that it covers is deleted, by anyone, until it is released."""
    me = app.record.pseudonym(person.id)
    reason = cleared(app, hold.reason)
    return _hold(app.record.retention.hold(hold.field, hold.value, by=me, reason=reason))


@router.post("/holds/{hold}/release")
def release(hold: int, why: Released, app: Services, person: Keeper) -> HoldRow:
    """End a hold. What is past its time goes with the next run."""
    me = app.record.pseudonym(person.id)
    return _hold(app.record.retention.release(hold, by=me, reason=cleared(app, why.reason)))


def _kept(schedules: Schedules, name: str) -> Kept:
    return next(each for each in schedules.all() if each.data_class == name)


def _hold(hold: Hold) -> HoldRow:
    return HoldRow(
        id=hold.id,
        field=hold.field,
        value=hold.value,
        reason=hold.reason,
        placed_by=hold.placed_by,
        placed=_when(hold.placed),
        released=_when(hold.released) if hold.released else None,
        released_by=hold.released_by,
    )


def _when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
