"""How people get in: the identity provider's state, and the keys of the directory (SCIM)."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from guardrails.audit.ledger import Act
from guardrails.errors import GuardrailError
from ui.apikeys import ApiKey
from ui.identity import Person
from ui.routes.common import Limits, Services, allowed, limited
from ui.routes.people import origin
from ui.routes.shapes import Shape

router = APIRouter(prefix="/access", tags=["people"])

Manager = Annotated[Person, allowed("access.manage")]


class ProviderState(Shape):
    """The identity provider as the settings name it. Secrets are never told.

    `problem` is the code of what went wrong when it was asked just now, or empty.
    """

    configured: bool
    issuer: str
    client_id: str
    secret: bool
    scope: str
    groups_claim: str
    person_claim: str
    roles: str
    redirect: str
    logout: str
    problem: str


class ScimState(Shape):
    """Where a directory finds us, and the keys it may use."""

    address: str
    keys: list[dict[str, str]]
    users: int
    groups: int


class NewScimKey(BaseModel):
    """A provisioning key to make. `days` until it ends."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=200)]
    days: int = 365


class MadeScimKey(Shape):
    """`secret` is shown this once."""

    id: str
    secret: str
    ends: str


@router.get("/provider")
async def provider_state(
    request: Request, app: Services, rates: Limits, person: Manager
) -> ProviderState:
    """What is configured, and whether the provider answers right now."""
    limited(rates.manage, person)
    problem = ""
    found = request.app.state.provider
    if found is not None:
        try:
            await found.check()
        except GuardrailError as error:
            problem = error.code
    return state(request, app, problem)


@router.get("/scim")
def scim_state(request: Request, app: Services, person: Manager) -> ScimState:
    """The address, the keys without their secrets, and how much a directory keeps here."""
    return ScimState(
        address=f"{origin(request, app)}/scim/v2",
        keys=[key_row(key) for key in app.api_keys.all(kind="scim")],
        users=sum(each.source == "scim" for each in app.people.all("person")),
        groups=sum(each.source == "scim" for each in app.groups.all()),
    )


@router.post("/scim")
def make_scim_key(new: NewScimKey, app: Services, rates: Limits, person: Manager) -> MadeScimKey:
    """Make a key for a directory. `DELETE /keys/{key}` ends it."""
    limited(rates.passwords, person)
    app.ledger.record(Act("key.make", person.id, rule="scim", payload={"days": new.days}))
    key, secret = app.api_keys.make(new.name, owner="", maker=person.id, days=new.days, kind="scim")
    return MadeScimKey(id=key.id, secret=secret, ends=key.ends)


def state(request: Request, app: Any, problem: str) -> ProviderState:
    """The settings as an administrator may see them."""
    settings, base = app.settings, origin(request, app)
    return ProviderState(
        configured=bool(settings.oidc_issuer),
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        secret=settings.oidc_client_secret is not None,
        scope=settings.oidc_scope,
        groups_claim=settings.oidc_groups_claim,
        person_claim=settings.oidc_person_claim,
        roles=settings.oidc_roles,
        redirect=f"{base}/api/v1/session/oidc/callback",
        logout=f"{base}/api/v1/session/oidc/logout",
        problem=problem,
    )


def key_row(key: ApiKey) -> dict[str, str]:
    """A provisioning key without its secret."""
    return {
        "id": key.id,
        "name": key.name,
        "hint": key.hint,
        "created": key.created,
        "ends": key.ends,
        "used": key.used,
    }
