"""Signing in through the identity provider, and being signed out by it."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from guardrails.audit.ledger import Act
from guardrails.errors import GuardrailError, NotPermitted
from ui.access import Role
from ui.accounts import RESTING, Account
from ui.identity import SESSION_COOKIE, VIEW_COOKIE, set_cookie
from ui.oidc import COOKIE, COOKIE_SECONDS, Ended, Known, Provider
from ui.routes.common import Limits, Services
from ui.routes.session import inside
from ui.routes.shapes import Done

router = APIRouter(prefix="/session/oidc", tags=["session"])


def provider(request: Request) -> Provider:
    """The configured provider. Raises GuardrailError("oidc-off")."""
    found: Provider | None = request.app.state.provider
    if found is None:
        raise GuardrailError("oidc-off")
    return found


Configured = Annotated[Provider, Depends(provider)]


@router.get("", response_class=RedirectResponse, status_code=303)
async def begin(request: Request, app: Services, at: Configured, next: str = "/") -> Response:
    """Go to the identity provider, and come back to `next`."""
    try:
        start = await at.begin(_callback(request, app), inside(next))
    except GuardrailError as error:
        if "text/html" not in request.headers.get("accept", ""):
            raise
        # somebody pressed the button: the page that they came from says what happened
        return _again(error.code, next)
    answer = RedirectResponse(start.url, 303)
    answer.set_cookie(
        COOKIE,
        start.cookie,
        max_age=COOKIE_SECONDS,
        path="/api/v1/session/oidc",
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )
    return answer


@router.get("/callback", response_class=RedirectResponse, status_code=303)
async def callback(request: Request, app: Services, rates: Limits, at: Configured) -> Response:
    """Where the identity provider sends the browser back to."""
    rates.sign_in_address.take(request.client.host if request.client else "")
    cookie = request.cookies.get(COOKIE, "")
    try:
        known = await at.finish(_callback(request, app), cookie, request.query_params)
    except GuardrailError as error:
        act = Act("signin", "system", verdict="deny", rule=error.code)
        await app.ledger.arecord(act)
        # a person stands before this page: the sign-in page says it better than JSON
        return _again(error.code, at.wanted(cookie))
    agent = request.headers.get("user-agent", "")
    try:
        value = await run_in_threadpool(_session, app, at, known, agent)
    except GuardrailError as error:
        await app.ledger.arecord(Act("signin", "system", verdict="deny", rule=error.code))
        return _again(error.code, known.next)
    await run_in_threadpool(app.identity.sign_out, request)  # the session this browser had
    answer = RedirectResponse(inside(known.next), 303)
    set_cookie(answer, SESSION_COOKIE, value, secure=request.url.scheme == "https")
    answer.delete_cookie(VIEW_COOKIE, path="/")
    answer.delete_cookie(COOKIE, path="/api/v1/session/oidc")
    return answer


@router.post("/logout")
async def logout(
    logout_token: Annotated[str, Form()],
    request: Request,
    response: Response,
    app: Services,
    rates: Limits,
    at: Configured,
) -> Done:
    """The provider ends one session or all sessions of a person (back-channel logout)."""
    # anybody may send a token, and a bad one makes us ask the provider for its keys again
    rates.logout.take(request.client.host if request.client else "")
    ended = await at.logged_out(logout_token)
    await run_in_threadpool(_end, app, ended)
    at.obeyed(ended)  # only now: a provider whose logout failed here sends the same token again
    response.headers["cache-control"] = "no-store"
    return Done()


def _again(code: str, next: str) -> Response:
    """Back to the sign-in page, which says what happened and still knows where to go after."""
    query = {"failed": code, "next": inside(next)}
    if query["next"] == "/":
        del query["next"]
    return RedirectResponse(f"/sign-in?{urlencode(query)}", 303)


def _session(app: Any, at: Provider, known: Known, agent: str) -> str:
    account = admit(app, at, known)
    # recorded before the session exists: without a record nobody gets in
    app.ledger.record(
        Act("signin", account.id, rule="oidc", payload={"roles": sorted(account.roles)})
    )
    return str(app.identity.begin(account, provider_session=known.session, agent=agent))


def admit(app: Any, at: Provider, known: Known) -> Account:
    """The account of somebody who came from the provider, with the roles of their groups.

    Roles come from the settings' map and from groups of the store that sign-ins keep ("token").
    When neither gives any to anybody, everybody the provider knows is staff. Raises
    GuardrailError("oidc-no-role") for somebody who has none, and NotPermitted when disabled.
    """
    kept = [group for group in app.groups.all() if group.source == "token"]
    mine = [group for group in kept if {group.name, group.external} & set(known.groups)]
    maps = at.maps_roles or any(group.roles for group in kept)
    roles: frozenset[Role] = known.roles if maps else frozenset({"staff"})
    before = app.people.by_provider(known.key) or app.people.provisioned(known.external)
    given = roles.union(*(group.roles for group in mine))
    if before is not None and before.source == "scim":
        # provisioning decides; the sign-in only proves who it is
        roles, given = before.own, given | before.roles
    if not given:
        raise GuardrailError("oidc-no-role")
    _record_roles(app, before, roles.union(*(group.gives for group in mine)))
    account: Account = app.people.provided(
        known.key,
        name=known.name,
        department=known.department,
        roles=roles,
        language="fr" if known.language == "fr" else "en",
        external=known.external,
        email=known.email,
    )
    app.groups.set_groups(account.id, [group.id for group in mine], ["token"])
    after: Account = app.people.known(account.id)
    return after


def _record_roles(app: Any, before: Account | None, given: frozenset[Role]) -> None:
    """Put on record what a sign-in is about to make of an account. Raises NotPermitted."""
    if before is None:
        act = Act("user.add", "system", rule="oidc", payload={"roles": sorted(given)})
        app.ledger.record(act)
        return
    if before.disabled:
        raise NotPermitted
    kept = [group for group in app.groups.of(before.id) if group.source != "token"]
    after = given.union(*(group.gives for group in kept))
    after -= RESTING if before.rests else frozenset()
    if before.roles != after:
        payload = {"from": sorted(before.roles), "to": sorted(after)}
        app.ledger.record(
            Act("roles.change", "system", subject=before.id, rule="oidc", payload=payload)
        )


def _end(app: Any, ended: Ended) -> None:
    if ended.session:
        for person in app.identity.sign_ins.of_provider(ended.session):
            app.ledger.record(Act("signout", person, rule="oidc"))
        app.identity.sign_ins.end_provider(ended.session)
        return
    account = app.people.by_provider(ended.key)
    if account is not None:
        app.ledger.record(Act("signout", account.id, rule="oidc"))
        app.identity.end_all(account.id)


def _callback(request: Request, app: Any) -> str:
    base = app.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/").removesuffix(
        "/api/v1"
    )
    return f"{base}/api/v1/session/oidc/callback"
