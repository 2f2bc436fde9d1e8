"""Keys for programs: made once, shown once, kept as a digest. Knows no requests and no people.

A key is `atl_` and 43 characters (256 random bits); a provisioning key (SCIM) starts with `ats_`
and opens nothing else. A key allows at most its scopes, and never more than its owner's roles.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from guardrails.errors import BadInput
from guardrails.store import metadata
from ui.access import MAY, Permission
from ui.signins import digest

Kind = Literal["api", "scim"]
PREFIX: dict[Kind, str] = {"api": "atl_", "scim": "ats_"}
MOST_DAYS = 730
USED_STEP = timedelta(minutes=1)  # `used` is written at most this often
USED_HOUR = timedelta(hours=1)
# what no program may do, whoever owns its key: acts for which a person must answer
NEVER: frozenset[Permission] = frozenset(
    (
        "people.manage", "backup.manage", "policies.approve", "audit.reveal", "review.decide",
        "account.own", "keys.own", "access.manage", "duties.confirm", "branding.manage",
        "privacy.own",
        "retention.manage",  # it ends legal holds and shortens what is kept
    )
)  # fmt: skip

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("hint", sa.String(12), nullable=False),  # the first characters, to tell keys apart
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("owner", sa.String(40), nullable=False, index=True),  # empty for provisioning
    sa.Column("maker", sa.String(40), nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("ends", sa.String(40), nullable=False),
    sa.Column("used", sa.String(40), nullable=False),
)


@dataclass(frozen=True)
class ApiKey:
    """One key without its secret. Times are ISO 8601; `used` is empty for one never used."""

    id: str
    hint: str
    kind: Kind
    name: str
    owner: str
    maker: str
    scopes: frozenset[Permission]
    created: str
    ends: str
    used: str
    first_in_hour: bool = False  # of `check`: nobody used it in the hour before


class ApiKeys:
    """The keys of this installation. `clock` gives aware datetimes."""

    def __init__(
        self, engine: sa.Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._clock = clock

    def make(
        self,
        name: str,
        *,
        owner: str,
        maker: str,
        scopes: Iterable[str] = (),
        days: int = 90,
        kind: Kind = "api",
    ) -> tuple[ApiKey, str]:
        """A new key and its secret, which is told this once.

        Raises BadInput("bad-key-name", "bad-scope", "bad-key-days").
        """
        name = name.strip()
        if not name or len(name) > 200 or not name.isprintable():
            raise BadInput("bad-key-name")
        if not 1 <= days <= MOST_DAYS:
            raise BadInput("bad-key-days", most=MOST_DAYS)
        wanted = checked(scopes) if kind == "api" else frozenset()
        secret = PREFIX[kind] + secrets.token_urlsafe(32)
        now = self._clock()
        row = {
            "id": "k_" + secrets.token_hex(8),
            "digest": digest(secret),
            "hint": secret[:8],
            "kind": kind,
            "name": name,
            "owner": owner,
            "maker": maker,
            "scopes": ",".join(sorted(wanted)),
            "created": now.isoformat(),
            "ends": (now + timedelta(days=days)).isoformat(),
            "used": "",
        }
        with self._engine.begin() as connection:
            connection.execute(api_keys.insert().values(row))
        return self.get(row["id"]), secret

    def check(self, secret: str, kind: Kind = "api") -> ApiKey | None:
        """The key of a secret, while it lasts; notes that it was used."""
        if not secret.startswith(PREFIX[kind]) or len(secret) > 100:
            return None
        now = self._clock()
        query = sa.select(api_keys).where(
            api_keys.c.digest == digest(secret), api_keys.c.kind == kind
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None or datetime.fromisoformat(str(row.ends)) <= now:
            return None
        if str(row.used) < (now - USED_STEP).isoformat():
            with self._engine.begin() as connection:
                mine = api_keys.update().where(api_keys.c.id == row.id)
                connection.execute(mine.values(used=now.isoformat()))
        first = str(row.used) < (now - USED_HOUR).isoformat()
        return replace(_key(row), first_in_hour=first)

    def get(self, id_: str) -> ApiKey:
        """One key. Raises BadInput("no-such-key")."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(api_keys).where(api_keys.c.id == id_)).one_or_none()
        if row is None:
            raise BadInput("no-such-key")
        return _key(row)

    def all(self, owner: str | None = None, kind: Kind | None = None) -> list[ApiKey]:
        """Every key, or those of one owner or kind; the newest first."""
        query = sa.select(api_keys).order_by(api_keys.c.created.desc())
        if owner is not None:
            query = query.where(api_keys.c.owner == owner)
        if kind is not None:
            query = query.where(api_keys.c.kind == kind)
        with self._engine.connect() as connection:
            return [_key(row) for row in connection.execute(query)]

    def revoke(self, id_: str) -> None:
        """End a key at once."""
        with self._engine.begin() as connection:
            connection.execute(api_keys.delete().where(api_keys.c.id == id_))

    def revoke_all(self, owner: str) -> int:
        """End every key of one owner; returns how many."""
        with self._engine.begin() as connection:
            gone = connection.execute(api_keys.delete().where(api_keys.c.owner == owner))
        return int(gone.rowcount)


def checked(scopes: Iterable[str]) -> frozenset[Permission]:
    """Scopes that a key may have. Raises BadInput("bad-scope") for none and for unknown ones."""
    given = {scope.strip() for scope in scopes if scope.strip()}
    known = frozenset(permission for permission in MAY if permission in given)
    wrong = sorted(given - known) + sorted(known & NEVER)
    if wrong or not known:
        raise BadInput("bad-scope", scope=", ".join(wrong) or "-")
    return known


def _key(row: sa.Row[tuple[object, ...]]) -> ApiKey:
    given = set(str(row.scopes).split(","))
    return ApiKey(
        id=str(row.id),
        hint=str(row.hint),
        kind="scim" if row.kind == "scim" else "api",
        name=str(row.name),
        owner=str(row.owner),
        maker=str(row.maker),
        scopes=frozenset(permission for permission in MAY if permission in given) - NEVER,
        created=str(row.created),
        ends=str(row.ends),
        used=str(row.used),
    )
