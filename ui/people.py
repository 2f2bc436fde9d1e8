"""Accounts: who exists, with which roles, and whether a password fits. Knows no cookies."""

import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from guardrails.actor import Actor
from guardrails.errors import BadInput, GuardrailError, NotPermitted
from ui.access import ROLES, Role
from ui.accounts import Account, Kind, Rests, Source, folded, people, read, readable, written
from ui.messages import LANGUAGES, Language
from ui.passwords import checked, fits, hashed

_ACCOUNT = re.compile(r"[us]_[0-9a-f]{16}")
ONCE_FOR = timedelta(hours=24)  # a password for one sign-in


class People:
    """The accounts of this installation. `clock` gives aware datetimes."""

    def __init__(
        self, engine: sa.Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.engine = engine
        self._clock = clock

    def exist(self) -> bool:
        """True when anybody may sign in."""
        query = (
            sa.select(sa.func.count())
            .select_from(people)
            .where(~people.c.disabled, people.c.kind == "person")
        )
        with self.engine.connect() as connection:
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
        email: str = "",
        external: str = "",
        kind: Kind = "person",
        source: Source = "local",
        oidc: str = "",
        details: str = "{}",
        disabled: bool = False,
        once: bool = False,
        rests: Rests = "",
    ) -> Account:
        """Add one account; `password` None means: signs in through the identity provider only.

        Raises BadInput("bad-login", "weak-password", "bad-role" or "account-exists").
        """
        shown, login = login.strip(), folded(login)
        if not login or len(login) > 200 or any(not c.isprintable() for c in login):
            raise BadInput("bad-login")
        now = self._clock().isoformat()
        values = {
            "id": ("s_" if kind == "service" else "u_") + secrets.token_hex(8),
            "login": login,
            "name": readable(name) or shown,
            "department": readable(department),
            "roles": written(roles, empty="staff" if source == "local" else ""),
            "language": language if language in LANGUAGES else "en",
            "password": "" if password is None else hashed(password, login),
            "created": now,
            "changed": now,
            "disabled": disabled,
            "email": email.strip()[:200],
            "external": external[:200],
            "kind": kind,
            "source": source,
            "oidc": oidc,
            "details": details,
            "once": once,
            "once_until": self._tomorrow() if once else "",
            "rests": rests,
        }
        try:
            with self.engine.begin() as connection:
                connection.execute(people.insert().values(values))
        except sa.exc.IntegrityError as error:
            raise BadInput("account-exists", login=login) from error
        return self.known(str(values["id"]))

    def change(self, id_: str, **values: object) -> Account:
        """Change columns of one account; `roles` and `password` are checked, None leaves alone.

        Raises BadInput("no-such-account", "weak-password", "bad-role", "account-exists").
        """
        account = self.known(id_)
        given = {name: value for name, value in values.items() if value is not None}
        if "roles" in given:
            given["roles"] = written(_strings(given["roles"]))
        if "password" in given:
            given["password"] = hashed(str(given["password"]), account.login)
        if "login" in given:
            given["login"] = folded(str(given["login"]))
        if given.get("once"):
            given["once_until"] = self._tomorrow()
        for words in ("name", "department"):
            if words in given:
                given[words] = readable(given[words])
        given["changed"] = self._clock().isoformat()
        try:
            with self.engine.begin() as connection:
                connection.execute(people.update().where(people.c.id == id_).values(given))
        except sa.exc.IntegrityError as error:
            raise BadInput("account-exists", login=str(given.get("login", ""))) from error
        return self.known(id_)

    def checked_password(self, id_: str, password: str) -> None:
        """Raise BadInput("weak-password") for one that `change` would refuse."""
        checked(password, self.known(id_).login)

    def spend(self, id_: str) -> bool:
        """Use up a password for one sign-in: nobody signs in with it again. False when it is used
        up already or past its end."""
        now = self._clock().isoformat()
        good = (people.c.id == id_) & people.c.once & (people.c.once_until > now)
        values = {"password": "", "once": False, "once_until": ""}
        with self.engine.begin() as connection:
            return bool(connection.execute(people.update().where(good).values(values)).rowcount)

    def provided(
        self,
        key: str,
        *,
        name: str,
        department: str,
        roles: Iterable[str],
        language: Language,
        external: str = "",
        email: str = "",
    ) -> Account:
        """The account of somebody an identity provider vouches for, made or brought up to date.

        Own roles follow the provider at every sign-in. Somebody whom provisioning (SCIM) made
        before is recognised by `external` and keeps what provisioning says. Raises NotPermitted
        when the account is disabled here.
        """
        known = self.by_provider(key) or self.provisioned(external)
        if known is None:
            return self.add(
                key,
                None,
                name=name,
                department=department,
                roles=roles,
                language=language,
                email=email,
                external=external,
                source="oidc",
                oidc=key,
            )
        if known.disabled:
            raise NotPermitted
        values: dict[str, object] = {"oidc": key, "roles": written(roles)}
        if known.source != "scim":
            values |= {"name": name, "department": department, "email": email}
        with self.engine.begin() as connection:
            connection.execute(people.update().where(people.c.id == known.id).values(values))
        return self.known(known.id)

    def remove(self, login: str) -> Account:
        """Remove one account. Raises BadInput("no-such-account")."""
        account = self.find(login) or self._row(people.c.login == folded(login))
        if account is None:
            raise BadInput("no-such-account", login=login)
        with self.engine.begin() as connection:
            connection.execute(people.delete().where(people.c.id == account.id))
        return account

    def seen(self, id_: str) -> None:
        """Note a sign-in."""
        values = {"signed_in": self._clock().isoformat()}
        with self.engine.begin() as connection:
            connection.execute(people.update().where(people.c.id == id_).values(values))

    def all(self, kind: Kind | None = None) -> list[Account]:
        """Every account, disabled ones too, by sign-in name."""
        query = sa.select(people).order_by(people.c.login)
        if kind is not None:
            query = query.where(people.c.kind == kind)
        with self.engine.connect() as connection:
            return [read(row) for row in connection.execute(query)]

    def search(
        self, text: str = "", *, kind: Kind = "person", after: str = "", limit: int = 50
    ) -> tuple[list[Account], int]:
        """Accounts whose name, sign-in name, e-mail or department has `text`, and how many there
        are in all. `after` is the last sign-in name of the page before."""
        wanted = [people.c.kind == kind]
        if text.strip():
            like = f"%{_escaped(text.strip().casefold())}%"
            columns = (people.c.name, people.c.login, people.c.email, people.c.department)
            wanted.append(
                sa.or_(*(sa.func.lower(column).like(like, escape="\\") for column in columns))
            )
        count = sa.select(sa.func.count()).select_from(people).where(*wanted)
        page = sa.select(people).where(*wanted, people.c.login > after)
        with self.engine.connect() as connection:
            rows = connection.execute(page.order_by(people.c.login).limit(limit))
            return [read(row) for row in rows], int(connection.execute(count).scalar_one())

    def get(self, id_: str) -> Account | None:
        """The account with this id, unless disabled."""
        return self._row((people.c.id == id_) & ~people.c.disabled)

    def known(self, id_: str) -> Account:
        """The account with this id, disabled or not. Raises BadInput("no-such-account")."""
        account = self._row(people.c.id == id_)
        if account is None:
            raise BadInput("no-such-account", login=id_)
        return account

    def here(self, actor: Actor) -> Actor | None:
        """The actor with the rights of now: never more roles than it came with, and the account's
        department. None for an account that was disabled or removed; who has none is unchanged."""
        account = self.get(actor.id)
        if account is None:
            return actor if _ACCOUNT.fullmatch(actor.id) is None else None
        return replace(actor, department=account.department, roles=actor.roles & account.roles)

    def find(self, login: str) -> Account | None:
        """The account with this sign-in name, unless disabled."""
        return self._row((people.c.login == folded(login)) & ~people.c.disabled)

    def by_provider(self, key: str) -> Account | None:
        """The account that the identity provider knows by `key`, disabled or not."""
        return self._row((people.c.oidc == key) | (people.c.login == key)) if key else None

    def provisioned(self, external: str) -> Account | None:
        """The account that provisioning made under this `externalId` and nobody signed in to."""
        if not external:
            return None
        scim = (people.c.source == "scim") & (people.c.oidc == "")
        return self._row((people.c.external == external) & scim)

    def directory(self, login: str = "", external: str = "", id: str = "") -> list[Account]:
        """The accounts that a directory made, by sign-in name; those with what is given."""
        wanted = [people.c.source == "scim", people.c.kind == "person"]
        given = {people.c.login: folded(login), people.c.external: external, people.c.id: id}
        wanted += [column == value for column, value in given.items() if value]
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(people).where(*wanted).order_by(people.c.login))
            return [read(row) for row in rows]

    def check(self, login: str, password: str) -> Account | None:
        """The account when the password fits. Takes as long for a name that does not exist."""
        query = sa.select(people).where(people.c.login == folded(login))
        with self.engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        known = row is not None and not row.disabled and row.kind == "person"
        stored = str(row.password) if row is not None and known else ""
        return read(row) if fits(stored, password) and row is not None else None

    def holders(self, role: Role, without: str = "") -> int:
        """How many people who are not disabled have `role`, not counting one of them."""
        return sum(
            role in account.roles and not account.disabled and account.id != without
            for account in self.all("person")
        )

    def _tomorrow(self) -> str:
        return (self._clock() + ONCE_FOR).isoformat()

    def _row(self, condition: sa.ColumnElement[bool]) -> Account | None:
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(people).where(condition)).first()
        return None if row is None else read(row)


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return value.split(",")
    if isinstance(value, Iterable):
        return [str(each) for each in value]
    raise GuardrailError("bad-role", role="?", roles=", ".join(ROLES))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
