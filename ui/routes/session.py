"""Signing in and out, looking as one role, choosing a language. Sets cookies and nothing else."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import FormData

from guardrails.audit.ledger import Act
from guardrails.errors import BadInput, GuardrailError
from ui.access import MAY, Role, may
from ui.identity import (
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    VIEW_COOKIE,
    Person,
    set_cookie,
)
from ui.messages import Language
from ui.password_links import SOON
from ui.routes.common import Limits, Rates, Services, allowed, somebody
from ui.routes.shapes import Done, Me

router = APIRouter(tags=["session"])


class Credentials(BaseModel):
    """Name and password of a local account."""

    model_config = ConfigDict(extra="forbid")
    login: str = Field(max_length=200)
    password: str = Field(max_length=1024)


class View(BaseModel):
    """The one role to look as; null for all of one's roles."""

    model_config = ConfigDict(extra="forbid")
    role: Role | None


class Choice(BaseModel):
    """The language to speak."""

    model_config = ConfigDict(extra="forbid")
    language: Language


@router.get("/me")
def me(person: Annotated[Person, allowed("agents.use")]) -> Me:
    """Who the caller is and what they may do."""
    return Me(
        id=person.id,
        name=person.name,
        department=person.department,
        roles=sorted(person.roles),
        granted=sorted(person.granted),
        view=person.view,
        language=person.language,
        workshop=person.workshop,
        permissions=[permission for permission in MAY if may(person, permission)],
    )


_BODY = {"schema": Credentials.model_json_schema()}
_CREDENTIALS = {
    "requestBody": {
        "required": True,
        "content": {"application/json": _BODY, "application/x-www-form-urlencoded": _BODY},
    }
}


@router.post("/session", openapi_extra=_CREDENTIALS, response_model=Done)
async def sign_in(request: Request, app: Services, rates: Limits) -> Response:
    """Sign in with a local account. A form gets a redirection to its field `next`."""
    form = await request.form() if _is_form(request) else None
    given = _credentials(form) if form is not None else await _json(request)
    address = request.client.host if request.client else ""
    try:
        agent = request.headers.get("user-agent", "")
        value = await run_in_threadpool(_try, app, rates, given, address, agent, form is not None)
    except PasswordDue as due:
        return RedirectResponse(f"/password#{due.token}", 303)
    except GuardrailError as error:
        if form is None or error.code not in _ON_THE_PAGE:
            raise
        query = urlencode({"failed": error.code, "next": inside(form.get("next"))})
        return RedirectResponse(f"/sign-in?{query}", 303)
    # the browser forgets the token that it had, so nobody could end it any more
    await run_in_threadpool(app.identity.sign_out, request)
    done: Response = JSONResponse({"done": True})
    if form is not None:
        done = RedirectResponse(inside(form.get("next")), 303)
    secure = request.url.scheme == "https"
    set_cookie(done, SESSION_COOKIE, value, secure=secure)
    done.delete_cookie(VIEW_COOKIE, path="/")
    return done


_ON_THE_PAGE = frozenset({"bad-sign-in", "too-many-attempts", "once-ended"})


class PasswordDue(Exception):
    """The password was right and is good for one use: `token` opens the choice of another."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token


def _try(
    app: Services, rates: Rates, given: Credentials, address: str, agent: str, browser: bool
) -> str:
    name = given.login.strip().casefold()
    rates.sign_in_address.take(address)
    rates.sign_in_name.take(name)
    account = app.people.check(given.login, given.password)
    if account is None:
        # the name tried may be a password typed in the wrong field: it is not written down
        app.ledger.record(Act("signin", "system", verdict="deny", rule="bad-sign-in"))
        raise GuardrailError("bad-sign-in")
    if account.once:
        # good for one sign-in: nothing is opened before they have chosen their own
        if not browser:
            raise GuardrailError("password-due")
        app.ledger.record(Act("signin", account.id, rule="once"))
        if not app.people.spend(account.id):
            raise GuardrailError("once-ended")
        rates.sign_in_name.forget(name)
        raise PasswordDue(app.password_links.make(account.id, SOON))
    # recorded before the session exists: without a record nobody gets in
    app.ledger.record(Act("signin", account.id, rule="password"))
    rates.sign_in_name.forget(name)
    return str(app.identity.begin(account, agent=agent))


@router.delete("/session")
def sign_out(request: Request, response: Response, app: Services) -> Done:
    """Sign out: the session ends on the server too."""
    person = somebody(request)
    if person is not None and not person.workshop:
        app.ledger.record(Act("signout", person.id))
    app.identity.sign_out(request)
    response.delete_cookie(SESSION_COOKIE, path="/")
    response.delete_cookie(VIEW_COOKIE, path="/")
    return Done()


@router.put("/session/view")
def look_as(
    view: View,
    request: Request,
    response: Response,
    app: Services,
    person: Annotated[Person, allowed("agents.use")],
) -> Done:
    """Look at the product as one of one's own roles."""
    if view.role is None:
        response.delete_cookie(VIEW_COOKIE, path="/")
    elif view.role not in person.granted:
        raise BadInput("bad-role", role=view.role, roles=", ".join(sorted(person.granted)))
    else:
        set_cookie(response, VIEW_COOKIE, view.role, secure=request.url.scheme == "https")
    app.ledger.record(Act("role.switch", person.id, payload={"view": view.role or "all"}))
    return Done()


@router.put("/session/language")
def choose_language(choice: Choice, request: Request, response: Response) -> Done:
    """Choose the language of pages and messages."""
    set_cookie(response, LANGUAGE_COOKIE, choice.language, secure=request.url.scheme == "https")
    return Done()


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "")
    return kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data"))


def _credentials(form: FormData) -> Credentials:
    login, password = form.get("login", ""), form.get("password", "")
    if not isinstance(login, str) or not isinstance(password, str):
        raise BadInput("bad-request")
    return Credentials(login=login[:200], password=password[:1024])


async def _json(request: Request) -> Credentials:
    try:
        return Credentials.model_validate_json(await request.body())
    except ValueError as error:
        raise BadInput("bad-request") from error


def inside(target: object) -> str:
    """A path of ours, or the front page: never another site's address.

    Browsers drop tabs and line ends from an address and read a backslash as a slash (WHATWG URL).
    """
    text = target if isinstance(target, str) else ""
    plain = text.startswith("/") and not text.startswith("//") and "\\" not in text
    return text if plain and text.isascii() and text.isprintable() and " " not in text else "/"
