"""Local accounts: who exists, with which roles, and whether a password fits. Knows no cookies."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import sqlalchemy as sa

from guardrails.errors import BadInput, GuardrailError, NotPermitted
from guardrails.store import metadata
from ui.access import ROLES, Role
from ui.messages import LANGUAGES, Language

MIN_PASSWORD = 12  # NIST SP 800-63B-4: length over composition rules
MAX_PASSWORD = 1024  # argon2 takes longer ones, but nobody should make it hash megabytes

people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("login", sa.String(200), nullable=False, unique=True),  # casefolded
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("department", sa.String(200), nullable=False, default=""),
    sa.Column("roles", sa.String(200), nullable=False),  # comma-separated, sorted
    sa.Column("language", sa.String(2), nullable=False),
    sa.Column("password", sa.String(200), nullable=False, default=""),  # empty: provider only
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False, default=False),
)


@dataclass(frozen=True)
class Account:
    """One row of `people`, without the password."""

    id: str
    login: str
    name: str
    department: str
    roles: frozenset[Role]
    language: Language
    disabled: bool


class People:
    """The accounts of this installation. `clock` gives aware datetimes."""

    def __init__(
        self, engine: sa.Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._clock = clock

    def create_tables(self) -> None:
        """Create the table when it is missing."""
        metadata.create_all(self._engine, tables=[people])

    def exist(self) -> bool:
        """True when anybody may sign in."""
        query = sa.select(sa.func.count()).select_from(people).where(~people.c.disabled)
        with self._engine.connect() as connection:
            return bool(connection.execute(query).scalar_one())

    def add(
        self,
        login: str,
        password: str | None,
        *,
        name: str = "",
        department: str = "",
        roles: Iterable[str] = ("staff",),
        language: Language = "en",
    ) -> Account:
        """Add one account; `password` None means: signs in through the identity provider only.

        Raises BadInput("bad-login", "weak-password", "bad-role" or "account-exists").
        """
        shown, login = login.strip(), login.strip().casefold()
        if not login or len(login) > 200 or any(not c.isprintable() for c in login):
            raise BadInput("bad-login")
        values = {
            "id": "u_" + secrets.token_hex(8),
            "login": login,
            "name": (name.strip() or shown)[:200],
            "department": department.strip()[:200],
            "roles": _roles(roles),
            "language": language if language in LANGUAGES else "en",
            "password": "" if password is None else _hash(password, login),
            "created": self._clock().isoformat(),
            "disabled": False,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(people.insert().values(values))
        except sa.exc.IntegrityError as error:
            raise BadInput("account-exists", login=login) from error
        account = self.find(login)
        if account is None:
            raise GuardrailError("no-such-account", login=login)
        return account

    def provided(
        self,
        login: str,
        *,
        name: str,
        department: str,
        roles: Iterable[str],
        language: Language,
    ) -> Account:
        """The account of somebody an identity provider vouches for, made or brought up to date.

        Roles follow the provider at every sign-in. Raises NotPermitted when it is disabled here.
        """
        values = {"name": name, "department": department, "roles": _roles(roles)}
        with self._engine.begin() as connection:
            known = people.c.login == login
            done = connection.execute(people.update().where(known).values(values))
        if not done.rowcount:
            return self.add(
                login, None, name=name, department=department, roles=roles, language=language
            )
        account = self.find(login)
        if account is None:
            raise NotPermitted
        return account

    def remove(self, login: str) -> Account:
        """Remove one account. Raises BadInput("no-such-account")."""
        account = self.find(login)
        if account is None:
            raise BadInput("no-such-account", login=login)
        with self._engine.begin() as connection:
            connection.execute(people.delete().where(people.c.id == account.id))
        return account

    def all(self) -> list[Account]:
        """Every account, by sign-in name."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(people).order_by(people.c.login)).all()
        return [_account(row) for row in rows]

    def get(self, id_: str) -> Account | None:
        """The account with this id, unless disabled."""
        return self._one(people.c.id == id_)

    def find(self, login: str) -> Account | None:
        """The account with this sign-in name, unless disabled."""
        return self._one(people.c.login == login.strip().casefold())

    def check(self, login: str, password: str) -> Account | None:
        """The account when the password fits. Takes as long for a name that does not exist."""
        query = sa.select(people).where(people.c.login == login.strip().casefold())
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        known = row is not None and bool(row.password) and not row.disabled
        stored = row.password if row is not None and known else _decoy()
        fits = len(password) <= MAX_PASSWORD and _fits(stored, password)
        return _account(row) if row is not None and known and fits else None

    def _one(self, condition: sa.ColumnElement[bool]) -> Account | None:
        query = sa.select(people).where(condition, ~people.c.disabled)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _account(row)


def _roles(roles: Iterable[str]) -> str:
    given = sorted({role.strip().lower() for role in roles if role.strip()})
    for role in given:
        if role not in ROLES:
            raise BadInput("bad-role", role=role, roles=", ".join(ROLES))
    return ",".join(given or ["staff"])


def _account(row: sa.Row[tuple[object, ...]]) -> Account:
    given = set(str(row.roles).split(","))
    return Account(
        id=str(row.id),
        login=str(row.login),
        name=str(row.name),
        department=str(row.department),
        roles=frozenset(role for role in ROLES if role in given),
        language="fr" if row.language == "fr" else "en",
        disabled=bool(row.disabled),
    )


def _hash(password: str, login: str) -> str:
    from argon2 import PasswordHasher

    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD or password.casefold() == login:
        raise BadInput("weak-password", least=MIN_PASSWORD)
    return PasswordHasher().hash(password)  # argon2id, RFC 9106 low-memory profile


@cache
def _decoy() -> str:
    from argon2 import PasswordHasher

    return PasswordHasher().hash(secrets.token_hex(16))


def _fits(stored: str, password: str) -> bool:
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return PasswordHasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
