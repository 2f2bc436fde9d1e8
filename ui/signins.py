"""Sessions: random tokens that the store knows by their SHA-256 only. Knows no people, no cookies.

A session ends 12 hours after sign-in. Its token is replaced every hour; the replaced one is good
for a minute longer, for the requests that were under way. All tokens of one sign-in are a family:
whoever ends one of them ends them all.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from guardrails.store import metadata

RENEW_AFTER = timedelta(hours=1)
ENDS_AFTER = timedelta(hours=12)
GRACE = timedelta(seconds=60)
KEPT = 10_000

sign_ins = sa.Table(
    "sign_ins",
    metadata,
    sa.Column("token", sa.String(64), primary_key=True),  # SHA-256 of the token, hex
    sa.Column("person", sa.String(40), nullable=False, index=True),
    sa.Column("started", sa.String(40), nullable=False),  # at sign-in; kept through renewals
    sa.Column("renewed", sa.String(40), nullable=False),
    sa.Column("ends", sa.String(40), nullable=False),
    sa.Column("replaced", sa.Boolean, nullable=False, default=False),
    # the identity provider's own session, hashed: it may end ours
    sa.Column(
        "provider_session",
        sa.String(64),
        nullable=False,
        default="",
        server_default="",
        index=True,
    ),
    # the browser as it names itself, so that people recognise their sessions
    sa.Column("agent", sa.String(200), nullable=False, default="", server_default=""),
    # the same for every token of one sign-in
    sa.Column("family", sa.String(64), nullable=False, default="", server_default="", index=True),
)


@dataclass(frozen=True)
class SignIn:
    """One session as its person may see it. `id` tells it from the others and opens nothing."""

    id: str
    person: str
    started: datetime
    renewed: datetime
    ends: datetime
    agent: str


class SignIns:
    """The sessions of one store. `clock` gives aware datetimes."""

    def __init__(
        self, engine: sa.Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._young: dict[str, datetime] = {}  # by digest: when tokens lately read were renewed
        self.ended: Callable[[str], None] = lambda person: None  # told whose sessions ended

    def begin(self, person: str, *, provider_session: str = "", agent: str = "") -> str:
        """Begin a session; returns its token."""
        now = self._clock()
        with self._engine.begin() as connection:
            return self._insert(connection, person, now, provider_session, agent[:200], "")

    def renew(self, token: str) -> str | None:
        """The token that takes over, when this one is older than an hour."""
        now = self._clock()
        young = self._young.get(digest(token))
        if young is not None and now - young < RENEW_AFTER:
            return None  # whoever asked has just read the row; this comes with every request
        row = self._row(token)
        if row is None or row.replaced or now - _when(row.renewed) < RENEW_AFTER:
            return None
        ends = min(now + GRACE, _when(row.ends)).isoformat()
        mine = (sign_ins.c.token == row.token) & ~sign_ins.c.replaced
        with self._engine.begin() as connection:
            # of two requests at once one renews; after a sign-out there is nothing to renew
            old = connection.execute(sign_ins.update().where(mine).values(ends=ends, replaced=True))
            if not old.rowcount:
                return None
            return self._insert(
                connection,
                str(row.person),
                _when(row.started),
                str(row.provider_session),
                str(row.agent),
                str(row.family),
            )

    def person(self, token: str) -> str | None:
        """Whose session this is, while it lasts."""
        row = self._row(token)
        return None if row is None else str(row.person)

    def all(self, person: str) -> list[SignIn]:
        """A person's sessions, the one used last first."""
        query = sa.select(sign_ins).where(
            sign_ins.c.person == person,
            ~sign_ins.c.replaced,
            sign_ins.c.ends > self._clock().isoformat(),
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(sign_ins.c.renewed.desc())).all()
        return [
            SignIn(
                id=session_id(str(row.token)),
                person=str(row.person),
                started=_when(row.started),
                renewed=_when(row.renewed),
                ends=_when(row.ends),
                agent=str(row.agent),
            )
            for row in rows
        ]

    def end(self, token: str) -> None:
        """End the session of a token, with the tokens that it replaced or that replaced it."""
        with self._engine.begin() as connection:
            mine = sa.select(sign_ins).where(sign_ins.c.token == digest(token))
            row = connection.execute(mine).one_or_none()
            if row is not None:
                _delete(connection, sign_ins.c.family == row.family)
        if row is not None:
            self.ended(str(row.person))

    def end_one(self, person: str, id_: str) -> bool:
        """End one of a person's sessions by its id; False when it is not theirs."""
        with self._engine.begin() as connection:
            mine = connection.execute(
                sa.select(sign_ins.c.token, sign_ins.c.family).where(sign_ins.c.person == person)
            )
            gone = [str(row.family) for row in mine if session_id(str(row.token)) == id_]
            _delete(connection, sign_ins.c.family.in_(gone))
        self.ended(person)
        return bool(gone)

    def end_all(self, person: str, but: str = "") -> int:
        """End every session of one person, except the one of token `but`; returns how many.

        Of the session that stays, replaced tokens end too.
        """
        with self._engine.begin() as connection:
            own = self._family(connection, but) if but else ""
            others = (sign_ins.c.family != own) | sign_ins.c.replaced
            gone = _delete(connection, (sign_ins.c.person == person) & others)
        self.ended(person)
        return gone

    def of_provider(self, session: str) -> list[str]:
        """Whose sign-ins began with one session at the identity provider."""
        with self._engine.connect() as connection:
            return _whose(connection, sign_ins.c.provider_session == session) if session else []

    def end_provider(self, session: str) -> None:
        """End what began with one session at the identity provider."""
        if not session:
            return
        its = sign_ins.c.provider_session == session
        with self._engine.begin() as connection:
            persons = _whose(connection, its)
            _delete(connection, its)
        for person in persons:
            self.ended(person)

    def _family(self, connection: sa.Connection, token: str) -> str:
        query = sa.select(sign_ins.c.family).where(sign_ins.c.token == digest(token))
        return str(connection.execute(query).scalar() or "")

    def _insert(
        self,
        connection: sa.Connection,
        person: str,
        started: datetime,
        provider_session: str,
        agent: str,
        family: str,
    ) -> str:
        token, now = secrets.token_urlsafe(32), self._clock()
        row = {
            "token": digest(token),
            "person": person,
            "started": started.isoformat(),
            "renewed": now.isoformat(),
            "ends": (started + ENDS_AFTER).isoformat(),
            "replaced": False,
            "provider_session": provider_session,
            "agent": agent,
            "family": family or digest(token),
        }
        connection.execute(sign_ins.delete().where(sign_ins.c.ends < now.isoformat()))
        connection.execute(sign_ins.insert().values(row))
        return token

    def _row(self, token: str) -> sa.Row[tuple[object, ...]] | None:
        if not token:
            return None
        with self._engine.connect() as connection:
            query = sa.select(sign_ins).where(sign_ins.c.token == digest(token))
            row = connection.execute(query).one_or_none()
        if row is None or _when(row.ends) <= self._clock():
            return None
        if len(self._young) > KEPT:
            self._young.clear()
        self._young[str(row.token)] = _when(row.renewed)
        return row


def _whose(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[str]:
    query = sa.select(sign_ins.c.person).where(which).distinct()
    return [str(each) for each in connection.execute(query).scalars()]


def _delete(connection: sa.Connection, which: sa.ColumnElement[bool]) -> int:
    """Delete until nothing is left: on PostgreSQL the first statement waits for a renewal that is
    under way and does not see the token that it adds; the next one does."""
    gone = 0
    while count := int(connection.execute(sign_ins.delete().where(which)).rowcount):
        gone += count
    return gone


def digest(token: str) -> str:
    """What the store keeps of a token. Plain SHA-256: a token of 256 bits cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()


def session_id(stored: str) -> str:
    """A short name of a session that cannot be turned back into what the store keeps."""
    return hashlib.sha256(b"session\n" + stored.encode()).hexdigest()[:16]


def _when(value: object) -> datetime:
    return datetime.fromisoformat(str(value))
