"""One's own account: sessions and password; and the link by which a password is chosen."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from guardrails.audit.ledger import Act
from guardrails.errors import BadInput, GuardrailError
from ui.identity import Person
from ui.routes.common import Limits, Services, allowed
from ui.routes.shapes import Done, Shape

router = APIRouter(tags=["session"])

Own = Annotated[Person, allowed("account.own")]
Word = Annotated[str, Field(max_length=1024)]


class SessionRow(Shape):
    """One of the caller's sessions. `current` is the one that asks."""

    id: str
    started: str
    renewed: str
    ends: str
    agent: str
    current: bool


class PasswordChange(BaseModel):
    """The password in use and the one to use from now on."""

    model_config = ConfigDict(extra="forbid")
    current: Word
    password: Word


class Chosen(BaseModel):
    """The token of a link, and the password to use from now on."""

    model_config = ConfigDict(extra="forbid")
    token: Annotated[str, Field(max_length=200)]
    password: Word


@router.get("/me/sessions")
def sessions(request: Request, app: Services, person: Own) -> list[SessionRow]:
    """Where the caller is signed in, the session used last first."""
    mine = app.identity.current_session(request)
    return [
        SessionRow(
            id=each.id,
            started=each.started.isoformat(),
            renewed=each.renewed.isoformat(),
            ends=each.ends.isoformat(),
            agent=each.agent,
            current=each.id == mine,
        )
        for each in app.identity.sign_ins.all(person.id)
    ]


@router.delete("/me/sessions")
def end_others(request: Request, app: Services, person: Own) -> Done:
    """End every session of the caller but the one that asks."""
    app.ledger.record(Act("signout", person.id, rule="others"))
    app.identity.sign_ins.end_all(person.id, but=app.identity.token(request))
    return Done()


@router.delete("/me/sessions/{session}")
def end_session(session: str, app: Services, person: Own) -> Done:
    """End one of the caller's sessions."""
    app.ledger.record(Act("signout", person.id, rule="one"))
    if not app.identity.sign_ins.end_one(person.id, session):
        raise BadInput("no-such-session")
    return Done()


@router.put("/me/password")
def change_password(
    change: PasswordChange, request: Request, app: Services, rates: Limits, person: Own
) -> Done:
    """Choose another password. Every other session of the caller ends."""
    if person.workshop:
        raise BadInput("signs-in-elsewhere")
    rates.sign_in_name.take(f"change:{person.id}")
    account = app.people.known(person.id)
    if account.source != "local":
        raise BadInput("signs-in-elsewhere")
    if app.people.check(account.login, change.current) is None:
        app.ledger.record(Act("password.change", person.id, verdict="deny", rule="bad-sign-in"))
        raise GuardrailError("wrong-password")
    app.ledger.record(Act("password.change", person.id))
    app.people.change(person.id, password=change.password, once=False)
    app.identity.sign_ins.end_all(person.id, but=app.identity.token(request))
    return Done()


@router.post("/password")
def choose_password(
    chosen: Chosen, request: Request, response: Response, app: Services, rates: Limits
) -> Done:
    """Choose a password by a link that an administrator made. The link works once."""
    rates.passwords.take(request.client.host if request.client else "")
    whose = app.password_links.whose(chosen.token)
    account = app.people.get(whose) if whose else None
    if account is None:
        raise BadInput("link-ended")
    # a password that is too weak must not use the link up
    app.people.checked_password(account.id, chosen.password)
    app.ledger.record(Act("password.change", account.id, rule="link"))
    if app.password_links.use(chosen.token) is None:
        raise BadInput("link-ended")
    app.people.change(account.id, password=chosen.password, once=False)
    app.identity.end_all(account.id)
    response.headers["cache-control"] = "no-store"
    return Done()
