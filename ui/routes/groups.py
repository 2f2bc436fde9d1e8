"""Groups of people and the roles they give, for the administrator."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from guardrails.audit.ledger import Act
from guardrails.errors import BadInput
from ui import duties, seen
from ui.access import Role
from ui.accounts import Account
from ui.groups import Group
from ui.identity import Person
from ui.routes.common import Limits, Seen, Services, allowed, limited, shown
from ui.routes.shapes import Done, Shape

router = APIRouter(prefix="/groups", tags=["people"])

Manager = Annotated[Person, allowed("people.manage")]
Text = Annotated[str, Field(max_length=200)]


class GroupRow(Shape):
    """One group. `source`: who keeps the members — people here (`local`), the directory (`scim`),
    or the groups that the identity provider names at sign-in (`token`). While it `rests` it does
    not give the security role: somebody in security must confirm that first."""

    id: str
    name: str
    roles: list[Role]
    source: Literal["local", "scim", "token"]
    members: int
    rests: bool


class GroupDetail(GroupRow):
    """A group with the ids of its members."""

    people: list[str]


class NewGroup(BaseModel):
    """A group to add. A `token` group is named as the identity provider names it."""

    model_config = ConfigDict(extra="forbid")
    name: Text
    roles: list[Role] = []
    source: Literal["local", "token"] = "local"


class GroupChange(BaseModel):
    """What to change; what is absent stays."""

    model_config = ConfigDict(extra="forbid")
    name: Text | None = None
    roles: list[Role] | None = None


class Members(BaseModel):
    """Exactly these people, by id."""

    model_config = ConfigDict(extra="forbid")
    people: list[Text] = Field(max_length=10_000)


@router.get("")
def groups(app: Services, person: Manager) -> list[GroupRow]:
    """Every group, by name."""
    return [row(group) for group in app.groups.all()]


@router.post("")
def add_group(new: NewGroup, app: Services, rates: Limits, person: Manager) -> GroupRow:
    """Add a group."""
    limited(rates.manage, person)
    if duties.combined(new.roles):
        raise BadInput("duties-apart", name=new.name)
    rests = duties.rests(person, (), new.roles, app.people)
    payload = {"roles": sorted(new.roles), "source": new.source, "rests": rests}
    app.ledger.record(Act("group.add", person.id, payload=payload))
    return row(app.groups.add(new.name, roles=new.roles, source=new.source, rests=rests))


@router.get("/{group}")
def one_group(group: str, app: Services, person: Manager, response: Response) -> GroupDetail:
    """One group with its members."""
    found = app.groups.get(group)
    shown(response, seen.group(app, found))
    return _detail(app, found)


@router.put("/{group}")
def change_group(
    group: str, change: GroupChange, app: Services, rates: Limits, person: Manager, save: Seen
) -> GroupRow:
    """Change the name or the roles; members get and lose roles at once."""
    limited(rates.manage, person)
    with save.still(lambda: seen.group(app, app.groups.get(group))):
        return _changed(group, change, app, person)


def _changed(group: str, change: GroupChange, app: Any, person: Person) -> GroupRow:
    found, rests = app.groups.get(group), None
    if change.name is not None and found.source == "scim":
        raise BadInput("group-kept-elsewhere")
    if change.roles is not None:
        if duties.combined(change.roles):
            raise BadInput("duties-apart", name=found.name)
        accounts = [app.people.known(id_) for id_ in app.groups.members(group)]
        changed = set(change.roles) ^ found.roles
        if changed and any(account.id == person.id for account in accounts):
            raise duties.own_roles()
        duties.check_group(person, change.roles, accounts, app.people)
        if "security" in found.roles and "security" not in change.roles:
            duties.check_last_security(_losing(accounts), app.people)
        if "security" not in found.roles:
            rests = duties.rests(person, (), change.roles, app.people)
    payload = {
        "group": found.id,
        "from": sorted(found.roles),
        "to": sorted(found.roles if change.roles is None else change.roles),
        "rests": bool(rests),
    }
    app.ledger.record(Act("group.change", person.id, payload=payload))
    return row(app.groups.change(group, name=change.name, roles=change.roles, rests=rests))


@router.put("/{group}/members")
def set_members(
    group: str, members: Members, app: Services, rates: Limits, person: Manager, save: Seen
) -> GroupDetail:
    """Exactly these members. Groups that a directory keeps are changed there."""
    limited(rates.manage, person)
    with save.still(lambda: seen.group(app, app.groups.get(group))):
        return _with_members(group, members, app, person)


def _with_members(group: str, members: Members, app: Any, person: Person) -> GroupDetail:
    found = app.groups.get(group)
    if found.source != "local":
        raise BadInput("group-kept-elsewhere")
    before = set(app.groups.members(group))
    joining = [app.people.known(id_) for id_ in set(members.people) - before]
    leaving = before - set(members.people)
    if found.roles and person.id in {*leaving, *(each.id for each in joining)}:
        raise duties.own_roles()
    duties.check_group(person, found.roles, joining, app.people)
    if "security" in found.roles and not found.rests:
        duties.check_last_security(_losing(app.people.known(each) for each in leaving), app.people)
    payload = {"group": found.id, "joined": len(joining), "left": len(leaving)}
    app.ledger.record(Act("group.members", person.id, payload=payload))
    for account in joining:
        after = account.held | found.roles
        if after != account.held:
            duties.record_roles(app, person.id, account, after, rule="group")
        if duties.rests(person, account.held, after, app.people):
            app.people.change(account.id, rests="role")
            duties.warn_given(app, account.id)
    app.groups.set_members(group, members.people)
    return _detail(app, app.groups.get(group))


@router.delete("/{group}")
def remove_group(group: str, app: Services, person: Manager) -> Done:
    """Remove a group; its members lose the roles it gave."""
    found = app.groups.get(group)
    if found.roles and person.id in app.groups.members(group):
        raise duties.own_roles()
    if "security" in found.roles and not found.rests:
        accounts = [app.people.known(id_) for id_ in app.groups.members(group)]
        duties.check_last_security(_losing(accounts), app.people)
    app.ledger.record(Act("group.remove", person.id, payload={"group": found.id}))
    app.groups.remove(group)
    return Done()


def _losing(accounts: Iterable[Account]) -> list[Account]:
    """Those who have the security role from groups alone."""
    return [each for each in accounts if "security" not in each.own]


def _detail(app: Any, found: Group) -> GroupDetail:
    return GroupDetail(**row(found).model_dump(), people=app.groups.members(found.id))


def row(group: Group) -> GroupRow:
    """A group as the API shows it."""
    return GroupRow(
        id=group.id,
        name=group.name,
        roles=sorted(group.roles),
        source=group.source,
        members=group.members,
        rests=group.rests,
    )
