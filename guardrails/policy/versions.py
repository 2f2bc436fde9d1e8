"""Policy versions in the store: read, add, change. Checks no right and records nothing."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from guardrails.audit.writing import begin_writing, write_lock
from guardrails.errors import BadInput
from guardrails.policy.tables import versions

State = Literal["draft", "proposed", "returned", "approved", "active", "retired", "withdrawn"]
Source = Literal["own", "product"]
_ADVISORY_LOCK = 0x41545256


@dataclass(frozen=True, slots=True)
class Version:
    """One version. `number` counts from 1, the set that came with the product.

    People are pseudonyms, times seconds since 1970. `hash` is "" for a draft that does not parse.
    `editors` are all who wrote on it, its author first; `revision` goes up with each edit.
    """

    number: int
    state: State
    text: str
    hash: str
    based_on: int | None
    author: str
    note: str
    created: float
    approved_by: str = ""
    approved: float | None = None
    activated: float | None = None
    activated_by: str = ""
    source: Source = "own"
    vocabulary: str = ""
    revision: int = 0
    edited: float | None = None
    editors: tuple[str, ...] = ()
    review: str = ""
    rehearsal: Mapping[str, Any] | None = None


class Versions:
    """The versions of one store. `clock` gives seconds since 1970."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._lock = write_lock(engine)
        self._clock = clock

    def mark(self) -> tuple[int, str] | None:
        """Number and hash of the version in force; None when there is none. One small query."""
        columns = versions.c
        query = sa.select(columns.number, columns.hash).where(columns.state == "active")
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()  # two in force: an error, so a deny
        return (row.number, row.hash) if row else None

    def active(self) -> Version | None:
        """The version in force."""
        with self._engine.connect() as connection:
            query = sa.select(versions).where(versions.c.state == "active")
            row = connection.execute(query).one_or_none()
        return _version(row) if row else None

    def get(self, number: int) -> Version:
        """One version. Raises BadInput("no-such-version")."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(versions).where(versions.c.number == number)).first()
        if row is None:
            raise BadInput("no-such-version", number=number)
        return _version(row)

    def all(self) -> list[Version]:
        """Every version, newest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(versions).order_by(versions.c.number.desc())).all()
        return [_version(row) for row in rows]

    def add(self, **values: object) -> int:
        """A new version; returns its number. Numbers follow each other without gaps."""
        with self._lock, self._engine.connect() as connection:
            begin_writing(connection, _ADVISORY_LOCK)
            last = connection.scalar(sa.select(sa.func.max(versions.c.number))) or 0
            row = {"note": "", "created": self.now(), "editors": "[]", **values, "number": last + 1}
            connection.execute(sa.insert(versions), row)
            connection.commit()
        return last + 1

    def change(self, number: int, state: State, revision: int | None, /, **values: object) -> bool:
        """Change a version that is still in `state` and, when given, at `revision`."""
        where = [versions.c.number == number, versions.c.state == state]
        if revision is not None:
            where.append(versions.c.revision == revision)
        with self._engine.begin() as connection:
            done = connection.execute(sa.update(versions).where(*where).values(values))
        return bool(done.rowcount)

    def put_in_force(self, number: int, by: str) -> None:
        """Make `number` the only active version, in one transaction."""
        with self._lock, self._engine.connect() as connection:
            begin_writing(connection, _ADVISORY_LOCK)
            retire = sa.update(versions).where(versions.c.state == "active")
            connection.execute(retire.values(state="retired"))
            chosen = sa.update(versions).where(versions.c.number == number)
            connection.execute(chosen.values(state="active", activated=self.now(), activated_by=by))
            connection.commit()

    def now(self) -> int:
        """Microseconds since 1970."""
        return int(self._clock() * 1_000_000)


def _version(row: Any) -> Version:
    def when(value: int | None) -> float | None:
        return value / 1e6 if value else None

    return Version(
        number=row.number,
        state=row.state,
        text=row.text,
        hash=row.hash,
        based_on=row.based_on,
        author=row.author,
        note=row.note,
        created=row.created / 1e6,
        approved_by=row.approved_by or "",
        approved=when(row.approved),
        activated=when(row.activated),
        activated_by=row.activated_by or "",
        source=row.source,
        vocabulary=row.vocabulary,
        revision=row.revision,
        edited=when(row.edited),
        editors=tuple(json.loads(row.editors)) or (row.author,),
        review=row.review,
        rehearsal=json.loads(row.rehearsal) if row.rehearsal else None,
    )
