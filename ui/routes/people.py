"""People for the administrator: list, add, change, disable, passwords, sessions.

Every change is in the ledger before it is made. Who may give which role is decided by `ui.duties`.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from guardrails.audit.ledger import Act
from guardrails.errors import BadInput
from ui import duties, leaving, seen
from ui.access import Role
from ui.accounts import Account
from ui.identity import Person
from ui.messages import Language
from ui.passwords import one_time
from ui.routes.common import Limits, Seen, Services, allowed, limited, shown
from ui.routes.shapes import Done, Shape

router = APIRouter(tags=["people"])

Manager = Annotated[Person, allowed("people.manage")]
Text = Annotated[str, Field(max_length=200)]


class PersonRow(Shape):
    """One person. `roles` are in force: `own` and those that groups give, without a security role
    that `rests` until somebody else in security confirms it."""

    id: str
    login: str
    name: str
    email: str
    department: str
    language: Language
    roles: list[Role]
    own: list[Role]
    groups: list[str]
    source: Literal["local", "oidc", "scim"]
    disabled: bool
    password: bool
    signed_in: str
    sessions: int
    duties_combined: bool
    rests: Literal["", "role", "password"]


class PeoplePage(Shape):
    """Some people, by sign-in name; `next` is the `after` of the page that follows, or empty."""

    people: list[PersonRow]
    total: int
    next: str


class NewPerson(BaseModel):
    """Somebody to add. `invite` says how they get in for the first time."""

    model_config = ConfigDict(extra="forbid")
    login: Text
    name: Text = ""
    email: Text = ""
    department: Text = ""
    language: Language = "en"
    roles: list[Role] = ["staff"]
    groups: list[Text] = Field([], max_length=100)
    invite: Literal["link", "once", "none"] = "link"


class PersonChange(BaseModel):
    """What to change; what is absent stays."""

    model_config = ConfigDict(extra="forbid")
    name: Text | None = None
    email: Text | None = None
    department: Text | None = None
    language: Language | None = None
    roles: list[Role] | None = None
    groups: list[Text] | None = Field(None, max_length=100)


class Way(BaseModel):
    """How somebody gets a password: a link for a day, or one to read out that works once."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["link", "once"] = "link"


class Invitation(Shape):
    """Shown this once. `link` is an address of this product; `password` is good for one sign-in."""

    person: str
    link: str
    password: str


@router.get("/people")
def people(
    app: Services,
    person: Manager,
    text: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> PeoplePage:
    """People by sign-in name, those who may not sign in any more too."""
    found, total = app.people.search(text, after=after, limit=limit)
    shown = rows(app, found)
    return PeoplePage(
        people=shown, total=total, next=found[-1].login if len(found) == limit else ""
    )


@router.post("/people")
def add_person(
    new: NewPerson, request: Request, app: Services, rates: Limits, person: Manager
) -> Invitation:
    """Add somebody, and make the link or the password that lets them in for the first time."""
    limited(rates.passwords, person)
    groups = [app.groups.get(id_) for id_ in new.groups]
    given = frozenset(new.roles) | duties.groups_given(groups)
    if duties.combined(given):
        raise BadInput("duties-apart", name=new.name or new.login)
    rests = duties.rests(person, (), given, app.people)
    # the account's own id does not exist yet; its sign-in name must not be in the ledger
    payload = {"roles": sorted(given), "rests": rests}
    app.ledger.record(Act("user.add", person.id, payload=payload))
    once = one_time() if new.invite == "once" else ""
    account = app.people.add(
        new.login,
        once or None,
        name=new.name,
        email=new.email,
        department=new.department,
        language=new.language,
        roles=new.roles,
        once=bool(once),
        rests="role" if rests else "",
    )
    if rests:
        duties.warn_given(app, account.id)
    if groups:
        app.groups.set_groups(account.id, new.groups)
    link = _link(request, app, account.id) if new.invite == "link" else ""
    return Invitation(person=account.id, link=link, password=once)


@router.get("/people/{person_id}")
def one_person(person_id: str, app: Services, person: Manager, response: Response) -> PersonRow:
    """One person."""
    account = known(app, person_id)
    shown(response, seen.person(app, account))
    return rows(app, [account])[0]


@router.put("/people/{person_id}")
def change_person(
    person_id: str, change: PersonChange, app: Services, rates: Limits, person: Manager, save: Seen
) -> PersonRow:
    """Change what is given. Roles: never one's own, never security and administration together."""
    limited(rates.manage, person)
    with save.still(lambda: seen.person(app, known(app, person_id))):
        return _changed(person_id, change, app, person)


def _changed(person_id: str, change: PersonChange, app: Any, person: Person) -> PersonRow:
    account = known(app, person_id)
    own = account.own if change.roles is None else frozenset(change.roles)
    grouped, here = account.grouped, None
    if change.groups is not None:
        here = [app.groups.get(id_) for id_ in change.groups]
        foreign = [each for each in app.groups.of(account.id) if each.source != "local"]
        if any(each.source != "local" for each in here if each not in foreign):
            raise BadInput("group-kept-elsewhere")
        grouped = duties.groups_given([*here, *foreign])
    after = own | grouped
    duties.check_roles(person, account, after, app.people)
    rests = duties.rests(person, account.held, after, app.people)
    if own != account.own and account.source != "local":
        raise BadInput("roles-kept-elsewhere")
    if after != account.held:
        duties.record_roles(app, person.id, account, after, rule="rests" if rests else "")
    else:
        app.ledger.record(Act("user.change", person.id, subject=account.id))
    directory = account.source != "local"
    app.people.change(
        account.id,
        # a directory would write its own values over these at the next sign-in
        name=None if directory else _named(change.name),
        email=None if directory else change.email,
        department=None if directory else change.department,
        language=change.language,
        roles=None if change.roles is None else sorted(own) or ["staff"],
        # with the role, or before a group gives it
        rests="role" if rests else None if "security" in after else "",
    )
    if rests:
        duties.warn_given(app, account.id)
    if here is not None:
        app.groups.set_groups(account.id, [each.id for each in here])
    return rows(app, [known(app, account.id)])[0]


@router.post("/people/{person_id}/password")
def give_password(
    person_id: str,
    way: Way,
    request: Request,
    app: Services,
    rates: Limits,
    person: Manager,
) -> Invitation:
    """A link or a password for one sign-in; every session of that person ends, and it is recorded.

    Not for oneself, and not for people whom an identity provider signs in.
    """
    limited(rates.passwords, person)
    account = known(app, person_id)
    if account.id == person.id:
        raise duties.own_roles()
    if account.source != "local":
        raise BadInput("signs-in-elsewhere")
    rule = "security" if "security" in account.held else ""
    app.ledger.record(Act("user.password", person.id, subject=account.id, rule=rule))
    if rule and not person.workshop:
        # whoever hands out this password could sign in as somebody who watches them
        app.people.change(account.id, rests="password")
        duties.warn_password(app, account.id)
    once = ""
    if way.kind == "once":
        once = one_time()
        app.people.change(account.id, password=once, once=True)
    app.identity.end_all(account.id)
    link = _link(request, app, account.id) if way.kind == "link" else ""
    return Invitation(person=account.id, link=link, password=once)


@router.post("/people/{person_id}/disable")
def disable_person(person_id: str, app: Services, person: Manager) -> Done:
    """Nobody signs in as this person any more; sessions and keys end at once."""
    account = known(app, person_id)
    if account.id == person.id:
        raise duties.own_roles()
    duties.check_last(account, app.people)
    app.ledger.record(Act("user.disable", person.id, subject=account.id))
    leaving.shut_out(app.people, app.identity, account.id)
    return Done()


@router.post("/people/{person_id}/enable")
def enable_person(person_id: str, app: Services, person: Manager) -> Done:
    """The person may sign in again, with the roles they had."""
    account = known(app, person_id)
    app.ledger.record(Act("user.enable", person.id, subject=account.id))
    app.people.change(account.id, disabled=False)
    return Done()


@router.delete("/people/{person_id}")
def remove_person(person_id: str, app: Services, person: Manager) -> Done:
    """Remove the account with its sessions, keys and groups. What it did stays in the record."""
    account = known(app, person_id)
    if account.id == person.id:
        raise duties.own_roles()
    duties.check_last(account, app.people)
    duties.check_last_security([account], app.people)
    app.ledger.record(Act("user.remove", person.id, subject=account.id))
    leaving.remove(app.people, app.identity, account)
    return Done()


@router.delete("/people/{person_id}/sessions")
def end_sessions(person_id: str, app: Services, person: Manager) -> Done:
    """End every session of this person."""
    account = known(app, person_id)
    app.ledger.record(Act("signout", person.id, subject=account.id, rule="administrator"))
    app.identity.end_all(account.id)
    return Done()


def known(app: Any, person_id: str) -> Account:
    """A person, not a service. Raises BadInput("no-such-account")."""
    account: Account = app.people.known(person_id)
    if account.kind != "person":
        raise BadInput("no-such-account", login=person_id)
    return account


def rows(app: Any, accounts: list[Account]) -> list[PersonRow]:
    """People as the API and the page show them."""
    groups = app.groups.of_all([account.id for account in accounts])
    return [
        PersonRow(
            id=account.id,
            login="" if account.login.startswith("oidc:") else account.login,
            name=account.name,
            email=account.email,
            department=account.department,
            language=account.language,
            roles=sorted(account.roles),
            own=sorted(account.own),
            groups=[group.name for group in groups[account.id]],
            source=account.source,
            disabled=account.disabled,
            password=account.password,
            signed_in=account.signed_in,
            sessions=len(app.identity.sign_ins.all(account.id)),
            duties_combined=duties.combined(account.held),
            rests=account.rests if "security" in account.held else "",
        )
        for account in accounts
    ]


def _named(name: str | None) -> str | None:
    return name.strip() if name and name.strip() else None


def _link(request: Request, app: Any, person_id: str) -> str:
    # after the #: browsers send that part to no server, so no proxy writes it to its log
    return f"{origin(request, app)}/password#{app.password_links.make(person_id)}"


def origin(request: Request, app: Any) -> str:
    """The address that people use: the setting, else what the request asked for."""
    base = str(request.base_url).rstrip("/").removesuffix("/api/v1")
    return app.settings.public_url.rstrip("/") or base
