"""Services that a person signs in to, so that an agent's tools act in their name: see
`sandbox.broker.grants`. The browser goes to the service's own sign-in and comes back here."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from guardrails.errors import BadInput, GuardrailError
from sandbox.broker.source import Source
from ui.access import may, require
from ui.identity import Person
from ui.routes.common import Limits, Services, allowed, limited
from ui.routes.session import inside
from ui.routes.shapes import Done, Shape

router = APIRouter(prefix="/me/services", tags=["tools"])
Own = Annotated[Person, allowed("agents.use")]
COOKIE = "atelier_connect"
COOKIE_SECONDS = 600
PATH = "/api/v1/me/services"


class ServiceRow(Shape):
    """One service. `for_house`: one sign-in, an administrator's, serves everybody."""

    id: str
    title: str
    address: str
    for_house: bool
    connected: bool
    since: datetime | None


@router.get("")
def services(app: Services, person: Own) -> list[ServiceRow]:
    """Services that the caller may connect."""
    return listed(app, person)


@router.get("/callback", response_class=RedirectResponse, status_code=303)
async def come_back(request: Request, app: Services, rates: Limits, person: Own) -> Response:
    """Where a service's sign-in sends the browser back to."""
    limited(rates.tried, person)
    held = request.cookies.get(COOKIE, "")
    given = {key: value[:4000] for key, value in request.query_params.items()}
    try:
        source, back = await app.tools.connected(held, person.id, given)
    except GuardrailError as error:
        # a person stands before this page: one of ours says it better than JSON
        answer = RedirectResponse(f"/{person.language}/privacy?connect={error.code}", 303)
    else:
        if source.state == "sign-in" and may(person, "models.manage"):
            with suppress(GuardrailError):  # the page says what is missing
                await app.tools.check(source.id, person.id)
        joint = "&" if "?" in back else "?"
        answer = RedirectResponse(f"{back}{joint}connect=done", 303)
    answer.delete_cookie(COOKIE, path=PATH)
    return answer


@router.get("/{source}/connect", response_class=RedirectResponse, status_code=303)
async def connect(
    source: str,
    request: Request,
    app: Services,
    rates: Limits,
    person: Own,
    next: str = "/",
) -> Response:
    """Go to the service's sign-in, and come back to `next`. For the house: administrators only."""
    limited(rates.tried, person)
    found = await run_in_threadpool(_known, app, source, person)
    begun = app.tools.sign_in.begin(found, person.id, inside(next))
    answer = RedirectResponse(begun.url, 303)
    answer.set_cookie(
        COOKIE,
        begun.held,
        max_age=COOKIE_SECONDS,
        path=PATH,
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )
    return answer


@router.delete("/{source}")
async def disconnect(source: str, app: Services, rates: Limits, person: Own) -> Done:
    """Forget the caller's sign-in at a service, and tell the service."""
    limited(rates.tried, person)
    found = await run_in_threadpool(_known, app, source, person)
    if not await app.tools.sign_in.end(found, person.id):
        raise BadInput("no-such-source", id=source[:40])
    return Done()


def listed(app: Any, person: Person) -> list[ServiceRow]:
    """Services that a person may connect."""
    grants = app.tools.sign_in.grants
    manages = may(person, "models.manage")
    found = []
    for one in app.tools.all():
        house = one.connect == "house"
        # before its tools are allowed, a service is of use to who allows them
        if not one.connect or not one.enabled or not (manages or (one.hash and not house)):
            continue
        since = grants.of("" if house else person.id).get(one.id)
        found.append(
            ServiceRow(
                id=one.id,
                title=one.title or one.id,
                address=str(one.settings.get("url", "")),
                for_house=house,
                connected=since is not None,
                since=datetime.fromtimestamp(since, UTC) if since else None,
            )
        )
    return found


def callback(request: Request, app: Any) -> str:
    """The address that services send browsers back to."""
    base = app.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/").removesuffix(
        "/api/v1"
    )
    return f"{base}{PATH}/callback"


def _known(app: Any, source: str, person: Person) -> Source:
    found: Source = app.tools.get(source)
    if not found.connect or not found.enabled:
        raise BadInput("no-such-source", id=source[:40])
    if found.connect == "house":
        require(person, "models.manage")
    return found
