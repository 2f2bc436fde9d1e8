"""Security roles that an administrator gave, for somebody else in security to confirm."""

from typing import Annotated, Literal

from fastapi import APIRouter

from ui.confirming import confirm_group, confirm_person, waiting
from ui.identity import Person
from ui.routes.common import Limits, Services, allowed, limited
from ui.routes.shapes import Done, Shape

router = APIRouter(prefix="/duties", tags=["people"])

Officer = Annotated[Person, allowed("duties.confirm")]


class WaitingPerson(Shape):
    """Somebody whose security role rests. `why`: the role was given, or a password was made.
    `early`: they have not used the way in that was made for them."""

    id: str
    name: str
    department: str
    why: Literal["role", "password"]
    early: bool


class WaitingGroup(Shape):
    """A group that shall give the security role."""

    id: str
    name: str
    members: int


class WaitingDuties(Shape):
    """What waits for somebody in security."""

    people: list[WaitingPerson]
    groups: list[WaitingGroup]


@router.get("")
def duties(app: Services, person: Officer) -> WaitingDuties:
    """Security roles that rest until somebody in security confirms them."""
    found = waiting(app)
    return WaitingDuties(
        people=[
            WaitingPerson(
                id=each.id,
                name=each.name,
                department=each.department,
                why="role" if each.rests == "role" else "password",
                early=each.id in found.early,
            )
            for each in found.people
        ],
        groups=[
            WaitingGroup(id=each.id, name=each.name, members=each.members) for each in found.groups
        ],
    )


@router.post("/people/{person_id}/confirm")
def confirm_one(person_id: str, app: Services, rates: Limits, person: Officer) -> Done:
    """Put somebody's security role in force. Never one's own, never by who manages people."""
    limited(rates.manage, person)
    confirm_person(app, person, person_id)
    return Done()


@router.post("/groups/{group}/confirm")
def confirm_members(group: str, app: Services, rates: Limits, person: Officer) -> Done:
    """Let a group give the security role to its members, now and from now on."""
    limited(rates.manage, person)
    confirm_group(app, person, group)
    return Done()
