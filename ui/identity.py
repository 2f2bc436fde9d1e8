"""Who is asking: a person from a request. Knows cookies and modes, not what a role may do.

Two modes, chosen at start. *Workshop*: a loopback address and no accounts; one local owner with
every role. *Accounts*: people sign in, with a password or through an identity provider. Any other
combination refuses to start (`check_start`).

A session is a random token of 256 bits in a signed, HttpOnly, SameSite cookie; the store holds its
SHA-256 only. It is replaced every hour and ends 12 hours after sign-in.
"""

import hashlib
import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from itsdangerous import BadSignature, Signer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from guardrails.errors import GuardrailError
from guardrails.keys import Keys
from guardrails.store import metadata
from ui.access import ROLES, Role
from ui.messages import LANGUAGES, Language, say
from ui.people import Account, People

Mode = Literal["workshop", "accounts"]
SESSION_COOKIE = "atelier_session"
VIEW_COOKIE = "atelier_view"
LANGUAGE_COOKIE = "atelier_language"
LANGUAGE_HEADER = "x-atelier-language"
RENEW_AFTER = timedelta(hours=1)
ENDS_AFTER = timedelta(hours=12)
GRACE = timedelta(seconds=60)  # requests already under way still carry the replaced token
WORKSHOP_ID = "local-owner"

sign_ins = sa.Table(
    "sign_ins",
    metadata,
    sa.Column("token", sa.String(64), primary_key=True),  # SHA-256 of the token, hex
    sa.Column("person", sa.String(40), nullable=False, index=True),
    sa.Column("started", sa.String(40), nullable=False),  # at sign-in; kept through renewals
    sa.Column("renewed", sa.String(40), nullable=False),
    sa.Column("ends", sa.String(40), nullable=False),
    sa.Column("replaced", sa.Boolean, nullable=False, default=False),
)


@dataclass(frozen=True)
class Person:
    """Who is asking, as far as the entrances are concerned.

    `roles` are the roles in force: `granted`, or only `view` when the person looks at the product
    as one role. `workshop` is true for the local owner of workshop mode.
    """

    id: str
    name: str
    department: str
    roles: frozenset[Role]
    language: Language
    granted: frozenset[Role] = frozenset()
    view: Role | None = None
    workshop: bool = False


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
        self._engine = engine
        self._signer = Signer(keys.derive("cookie"), salt="session", digest_method=hashlib.sha256)
        self._people = people
        self._language: Language = language
        self._clock = clock
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
        row = self._row(request.cookies.get(SESSION_COOKIE, ""))
        account = None if row is None else self._people.get(str(row.person))
        if account is None:
            return None
        chosen = self._chosen(request)
        return _viewed(_person(account, chosen or account.language), request)

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

    def begin(self, account: Account) -> str:
        """Begin a session for somebody whose identity is proven. Returns the cookie value."""
        return self._insert(account.id, self._clock())

    def renew(self, request: HTTPConnection) -> Renewal | None:
        """A new cookie when the session's token is older than an hour."""
        if self.mode == "workshop":
            return None
        row = self._row(request.cookies.get(SESSION_COOKIE, ""))
        now = self._clock()
        if row is None or row.replaced or now - _when(row.renewed) < RENEW_AFTER:
            return None
        value = self._insert(str(row.person), _when(row.started))
        old = sign_ins.c.token == row.token
        with self._engine.begin() as connection:
            ends = min(now + GRACE, _when(row.ends)).isoformat()
            connection.execute(sign_ins.update().where(old).values(ends=ends, replaced=True))
        return Renewal(value)

    def sign_out(self, request: HTTPConnection) -> None:
        """End the request's session, if there is one."""
        token = self._token(request.cookies.get(SESSION_COOKIE, ""))
        if token:
            with self._engine.begin() as connection:
                connection.execute(sign_ins.delete().where(sign_ins.c.token == _digest(token)))

    def end_all(self, person: str) -> int:
        """End every session of one person; returns how many there were."""
        with self._engine.begin() as connection:
            done = connection.execute(sign_ins.delete().where(sign_ins.c.person == person))
        return int(done.rowcount)

    def _insert(self, person: str, started: datetime) -> str:
        token, now = secrets.token_urlsafe(32), self._clock()
        row = {
            "token": _digest(token),
            "person": person,
            "started": started.isoformat(),
            "renewed": now.isoformat(),
            "ends": (started + ENDS_AFTER).isoformat(),
            "replaced": False,
        }
        with self._engine.begin() as connection:
            connection.execute(sign_ins.delete().where(sign_ins.c.ends < now.isoformat()))
            connection.execute(sign_ins.insert().values(row))
        return self._signer.sign(token).decode()

    def _token(self, cookie: str) -> str | None:
        try:
            return self._signer.unsign(cookie).decode()
        except (BadSignature, UnicodeError):
            return None

    def _row(self, cookie: str) -> sa.Row[tuple[object, ...]] | None:
        token = self._token(cookie) if cookie else None
        if token is None:
            return None
        with self._engine.connect() as connection:
            query = sa.select(sign_ins).where(sign_ins.c.token == _digest(token))
            row = connection.execute(query).one_or_none()
        return None if row is None or _when(row.ends) <= self._clock() else row

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


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _when(value: object) -> datetime:
    return datetime.fromisoformat(str(value))
