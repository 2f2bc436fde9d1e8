"""Links to choose a password: for new people and for those who forgot theirs. One use, one day."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from guardrails.store import metadata
from ui.signins import digest

GOOD_FOR = timedelta(hours=24)
SOON = timedelta(minutes=30)  # for who stands before the form already

password_links = sa.Table(
    "password_links",
    metadata,
    sa.Column("token", sa.String(64), primary_key=True),  # SHA-256, hex
    sa.Column("person", sa.String(40), nullable=False, index=True),
    sa.Column("ends", sa.String(40), nullable=False),
)


class PasswordLinks:
    """The links that are open. `clock` gives aware datetimes."""

    def __init__(
        self, engine: sa.Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._clock = clock

    def make(self, person: str, good_for: timedelta = GOOD_FOR) -> str:
        """The token of a new link; earlier ones of the same person end."""
        token = secrets.token_urlsafe(32)
        ends = (self._clock() + good_for).isoformat()
        row = {"token": digest(token), "person": person, "ends": ends}
        with self._engine.begin() as connection:
            mine = password_links.c.person == person
            connection.execute(password_links.delete().where(mine))
            connection.execute(password_links.insert().values(row))
        return token

    def open(self, person: str) -> bool:
        """True while a link of theirs is good."""
        query = sa.select(password_links.c.ends).where(password_links.c.person == person)
        with self._engine.connect() as connection:
            ends = [datetime.fromisoformat(str(each)) for each in connection.scalars(query)]
        return any(each > self._clock() for each in ends)

    def whose(self, token: str) -> str | None:
        """Whom a link is for, while it is good."""
        query = sa.select(password_links).where(password_links.c.token == digest(token))
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        good = row is not None and datetime.fromisoformat(str(row.ends)) > self._clock()
        return str(row.person) if row is not None and good else None

    def use(self, token: str) -> str | None:
        """As `whose`, and the link ends: of two who use it at once, one gets nothing."""
        person = self.whose(token)
        with self._engine.begin() as connection:
            its = password_links.c.token == digest(token)
            gone = connection.execute(password_links.delete().where(its))
        return person if gone.rowcount else None

    def end(self, person: str) -> None:
        """End what is open for one person."""
        with self._engine.begin() as connection:
            connection.execute(password_links.delete().where(password_links.c.person == person))
