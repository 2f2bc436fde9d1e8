"""Who is asking: a person from a request. Knows cookies and modes, not what a role may do.

Two modes, chosen at start. *Workshop*: a loopback address and no accounts; one local owner with
every role. *Accounts*: people sign in, with a password or through an identity provider. Any other
combination refuses to start (`check_start`).

The token of a session (`ui.signins`) travels in a signed, HttpOnly, SameSite cookie. A program
brings an API key instead (`ui.apikeys`); only the API's routes ask for those.
"""

import hashlib
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy as sa
from itsdangerous import BadSignature, Signer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from guardrails.errors import GuardrailError
from guardrails.keys import Keys
from ui.access import ROLES, Permission, Role
from ui.accounts import Account
from ui.apikeys import ApiKey
from ui.messages import LANGUAGES, Language, say
from ui.people import People
from ui.signins import ENDS_AFTER, SignIns, digest, session_id

Mode = Literal["workshop", "accounts"]
SESSION_COOKIE = "atelier_session"
VIEW_COOKIE = "atelier_view"
LANGUAGE_COOKIE = "atelier_language"
LANGUAGE_HEADER = "x-atelier-language"
WORKSHOP_ID = "local-owner"


@dataclass(frozen=True)
class Person:
    """Who is asking, as far as the entrances are concerned.

    `roles` are the roles in force: `granted`, or only `view` when the person looks at the product
    as one role. `workshop` is true for the local owner of workshop mode. `scopes` is None for a
    person, and what a program's key allows at most for a program.
    """

    id: str
    name: str
    department: str
    roles: frozenset[Role]
    language: Language
    granted: frozenset[Role] = frozenset()
    view: Role | None = None
    workshop: bool = False
    scopes: frozenset[Permission] | None = None
    key: str = ""


@dataclass(frozen=True)
class Renewal:
    """A new cookie that the response should carry."""

    value: str


class Identity:
    """Turns requests into people. `provider` is true when an identity provider is configured."""

    def __init__(
        self,
        engine: sa.Engine,
        keys: Keys,
        people: People,
        *,
        host: str,
        language: Language = "en",
        provider: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._signer = Signer(keys.derive("cookie"), salt="session", digest_method=hashlib.sha256)
        self._people = people
        self._language: Language = language
        self.sign_ins = SignIns(engine, clock)
        self.provider = provider
        accounts = provider or people.exist()
        self.mode: Mode = "accounts" if accounts else "workshop"
        check_start(host, self.mode)

    # who

    def person(self, request: HTTPConnection) -> Person | None:
        """The person behind a request, or None. Roles are read from the store every time."""
        language = self.language(request)
        if self.mode == "workshop":
            # a page of another site that points its own name at 127.0.0.1 (DNS rebinding) would
            # otherwise be the owner
            if not is_loopback(host_of(request)):
                return None
            name = say(language, "identity.owner")
            everything: frozenset[Role] = frozenset(ROLES)
            owner = Person(
                WORKSHOP_ID, name, "", everything, language, granted=everything, workshop=True
            )
            return _viewed(owner, request)
        whose = self.sign_ins.person(self.token(request))
        account = None if whose is None else self._people.get(whose)
        if account is None:
            return None
        chosen = self._chosen(request)
        return _viewed(_person(account, chosen or account.language), request)

    def owner_of(self, key: ApiKey, request: HTTPConnection) -> Person | None:
        """A program with a key: its owner's roles as they are now, the key's scopes at most."""
        if self.mode == "workshop" and key.owner == WORKSHOP_ID:
            owner = self.person(request)
        else:
            account = self._people.get(key.owner)
            owner = None if account is None else _person(account, account.language)
        if owner is None:
            return None
        chosen = self._chosen(request)
        return replace(
            owner,
            # the owner's view is for their eyes; a program has all of their roles
            roles=owner.granted,
            view=None,
            language=chosen or owner.language,
            scopes=key.scopes,
            key=key.id,
        )

    def language(self, request: HTTPConnection) -> Language:
        """The language asked for: header, cookie, Accept-Language, then the setting."""
        return self._chosen(request) or _accepted(request) or self._language

    # sessions

    def sign_in(self, login: str, password: str) -> tuple[Person, str] | None:
        """The person and the cookie value, or None when name and password do not fit."""
        account = self._people.check(login, password)
        return (
            None if account is None else (_person(account, account.language), self.begin(account))
        )

    def begin(self, account: Account, *, provider_session: str = "", agent: str = "") -> str:
        """Begin a session for somebody whose identity is proven. Returns the cookie value."""
        self._people.seen(account.id)
        return self.sign(
            self.sign_ins.begin(account.id, provider_session=provider_session, agent=agent)
        )

    def sign(self, token: str) -> str:
        """The cookie value that carries a token."""
        return self._signer.sign(token).decode()

    def renew(self, request: HTTPConnection) -> Renewal | None:
        """A new cookie when the session's token is older than an hour."""
        if self.mode == "workshop":
            return None
        fresh = self.sign_ins.renew(self.token(request))
        return None if fresh is None else Renewal(self.sign(fresh))

    def sign_out(self, request: HTTPConnection) -> None:
        """End the request's session, if there is one."""
        token = self.token(request)
        if token:
            self.sign_ins.end(token)

    def end_all(self, person: str) -> int:
        """End every session of one person; returns how many there were."""
        return self.sign_ins.end_all(person)

    def current_session(self, request: HTTPConnection) -> str:
        """The id (`SignIn.id`) of the request's own session, or nothing."""
        token = self.token(request)
        return session_id(digest(token)) if token else ""

    def token(self, request: HTTPConnection) -> str:
        """The token in the request's cookie when we signed it, else nothing."""
        try:
            return self._signer.unsign(request.cookies.get(SESSION_COOKIE, "")).decode()
        except (BadSignature, UnicodeError):
            return ""

    def _chosen(self, request: HTTPConnection) -> Language | None:
        for value in (request.headers.get(LANGUAGE_HEADER), request.cookies.get(LANGUAGE_COOKIE)):
            for language in LANGUAGES:
                if value == language:
                    return language
        return None


def check_start(host: str, mode: Mode) -> None:
    """Refuse a non-loopback address without accounts: GuardrailError("accounts-needed")."""
    if mode == "workshop" and not is_loopback(host):
        raise GuardrailError("accounts-needed", host=host)


def is_loopback(host: str) -> bool:
    """True for `localhost` (RFC 6761) and literal loopback addresses; names are never looked up."""
    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(request: HTTPConnection) -> str:
    """The host the client asked for, without the port; empty when there is none."""
    value = request.headers.get("host", "")
    if value.startswith("["):
        return value[1:].partition("]")[0]
    return value.partition(":")[0]


def set_cookie(response: Response, name: str, value: str, *, secure: bool) -> None:
    """Set one of our cookies; the session's ends with the session, the choices last a year."""
    age = int(ENDS_AFTER.total_seconds()) if name == SESSION_COOKIE else 365 * 24 * 3600
    response.set_cookie(
        name, value, max_age=age, path="/", httponly=True, secure=secure, samesite="lax"
    )


def _person(account: Account, language: Language) -> Person:
    return Person(
        id=account.id,
        name=account.name,
        department=account.department,
        roles=account.roles,
        language=language,
        granted=account.roles,
    )


def _viewed(person: Person, request: HTTPConnection) -> Person:
    """The person seen as one role. The cookie is not signed: it can only take roles away."""
    chosen = request.cookies.get(VIEW_COOKIE, "")
    for role in person.granted:
        if role == chosen:
            return replace(person, roles=frozenset({role}), view=role)
    return person


def _accepted(request: HTTPConnection) -> Language | None:
    """The first of our languages in Accept-Language by weight (RFC 9110, 12.5.4)."""
    weighted: list[tuple[float, int, Language]] = []
    for position, part in enumerate(request.headers.get("accept-language", "")[:500].split(",")):
        tag, _, parameter = part.strip().partition(";")
        weight = parameter.strip().removeprefix("q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            quality = 0.0
        for language in LANGUAGES:
            if tag.lower().partition("-")[0] == language and quality > 0:
                weighted.append((-quality, position, language))
    return min(weighted)[2] if weighted else None
