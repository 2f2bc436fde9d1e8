"""Keys for programs: one's own, and those of service accounts. A secret is told once, here."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from guardrails.audit.ledger import Act
from guardrails.errors import BadInput, NotPermitted
from ui.access import MAY, Permission
from ui.accounts import Account
from ui.apikeys import NEVER, ApiKey
from ui.identity import Person
from ui.leaving import shut_out
from ui.routes.common import Limits, Services, allowed, limited
from ui.routes.shapes import Done, Shape

router = APIRouter(tags=["keys"])

Owner = Annotated[Person, allowed("keys.own")]
Manager = Annotated[Person, allowed("access.manage")]
Text = Annotated[str, Field(max_length=200)]
ServiceRole = Literal["staff", "champion"]


class KeyRow(Shape):
    """One key. `hint` is how it begins; times are ISO 8601, `used` is empty for never."""

    id: str
    name: str
    hint: str
    owner: str
    owner_name: str
    scopes: list[Permission]
    created: str
    ends: str
    used: str


class NewKey(BaseModel):
    """A key to make. `scopes` are permissions that the owner has."""

    model_config = ConfigDict(extra="forbid")
    name: Text
    scopes: list[Text] = Field(max_length=50)
    days: int = 90


class MadeKey(Shape):
    """The new key; `secret` is shown this once."""

    key: KeyRow
    secret: str


class NewService(BaseModel):
    """A service account: an owner for keys that is no person. Nobody signs in as one."""

    model_config = ConfigDict(extra="forbid")
    name: Text
    department: Text = ""
    role: ServiceRole = "staff"


class ServiceRow(Shape):
    """One service account with its keys."""

    id: str
    name: str
    department: str
    role: str
    disabled: bool
    keys: list[KeyRow]


@router.get("/keys/scopes")
def scopes(person: Owner) -> list[Permission]:
    """What a key of the caller may be allowed."""
    return grantable(person.granted)


@router.get("/keys")
def keys(app: Services, person: Owner) -> list[KeyRow]:
    """The caller's own keys, the newest first."""
    return [row(app, key) for key in app.api_keys.all(person.id, "api")]


@router.post("/keys")
def make_key(new: NewKey, app: Services, rates: Limits, person: Owner) -> MadeKey:
    """Make a key for a program of the caller's. It never allows more than its owner may."""
    limited(rates.passwords, person)
    return _made(app, person, person.id, person.granted, new)


@router.delete("/keys/{key}")
def revoke_key(key: str, app: Services, person: Owner) -> Done:
    """End a key at once: one's own, or any for administrators."""
    found = app.api_keys.get(key)
    if found.owner != person.id and not (
        "administrator" in person.roles and found.kind in ("api", "scim")
    ):
        raise BadInput("no-such-key")
    app.ledger.record(Act("key.revoke", person.id, subject=found.owner, payload={"key": found.id}))
    app.api_keys.revoke(key)
    return Done()


@router.get("/access/keys")
def all_keys(app: Services, person: Manager) -> list[KeyRow]:
    """Every key of everybody, without secrets."""
    return [row(app, key) for key in app.api_keys.all(kind="api")]


@router.get("/services")
def services(app: Services, person: Manager) -> list[ServiceRow]:
    """Every service account with its keys."""
    return [service_row(app, account) for account in app.people.all("service")]


@router.post("/services")
def add_service(new: NewService, app: Services, rates: Limits, person: Manager) -> ServiceRow:
    """Add a service account. Its roles end at champion: what security may do needs a person."""
    limited(rates.manage, person)
    app.ledger.record(Act("service.add", person.id, payload={"roles": [new.role]}))
    account = app.people.add(
        f"service:{new.name}",
        None,
        name=new.name,
        department=new.department,
        roles=[new.role],
        kind="service",
    )
    return service_row(app, account)


@router.post("/services/{service}/keys")
def make_service_key(
    service: str, new: NewKey, app: Services, rates: Limits, person: Manager
) -> MadeKey:
    """Make a key for a service account."""
    limited(rates.passwords, person)
    account = _service(app, service)
    return _made(app, person, account.id, account.roles, new)


@router.delete("/services/{service}")
def remove_service(service: str, app: Services, person: Manager) -> Done:
    """Remove a service account; its keys end at once."""
    account = _service(app, service)
    app.ledger.record(Act("service.remove", person.id, subject=account.id))
    shut_out(app.people, app.identity, account.id)
    app.people.remove(account.login)
    return Done()


def grantable(roles: frozenset[Any]) -> list[Permission]:
    """The permissions of roles that a program may have."""
    return [name for name, who in MAY.items() if name not in NEVER and not who.isdisjoint(roles)]


def row(app: Any, key: ApiKey) -> KeyRow:
    """A key as the API and the pages show it."""
    try:
        name = app.people.known(key.owner).name
    except BadInput:
        name = ""  # the local owner of workshop mode has no account
    return KeyRow(
        id=key.id,
        name=key.name,
        hint=key.hint,
        owner=key.owner,
        owner_name=name,
        scopes=sorted(key.scopes),
        created=key.created,
        ends=key.ends,
        used=key.used,
    )


def service_row(app: Any, account: Account) -> ServiceRow:
    """A service account as the API and the pages show it."""
    return ServiceRow(
        id=account.id,
        name=account.name,
        department=account.department,
        role=",".join(sorted(account.roles)),
        disabled=account.disabled,
        keys=[row(app, key) for key in app.api_keys.all(account.id, "api")],
    )


def _made(app: Any, person: Person, owner: str, roles: frozenset[Any], new: NewKey) -> MadeKey:
    beyond = set(new.scopes) - set(grantable(roles))
    if beyond and beyond <= set(MAY):
        raise NotPermitted(permission=", ".join(sorted(beyond)), roles="-")
    payload = {"scopes": sorted(new.scopes), "days": new.days}
    app.ledger.record(Act("key.make", person.id, subject=owner, payload=payload))
    key, secret = app.api_keys.make(
        new.name, owner=owner, maker=person.id, scopes=new.scopes, days=new.days
    )
    return MadeKey(key=row(app, key), secret=secret)


def _service(app: Any, id_: str) -> Account:
    account: Account = app.people.known(id_)
    if account.kind != "service":
        raise BadInput("no-such-account", login=id_)
    return account
