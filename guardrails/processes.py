"""Which processes of the product work on this store, so that a start takes up what the dead left
and nothing of the living: a server beside a command, servers of two homes on one store.

What is under way carries the id of its process (`of`). A process holds a file of its home locked,
and the kernel frees that however it ends; of another home's there is only its beat. Knows nothing
of what is worked on.
"""

import fcntl
import logging
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from guardrails.locks import locked
from guardrails.store import metadata

log = logging.getLogger(__name__)
BEAT_SECONDS = 10.0
SILENT_SECONDS = 60.0  # of another home: several beats may be late on a busy machine
FOLDER = "processes"  # in the home

processes = sa.Table(
    "processes",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("beat", sa.BigInteger, nullable=False),  # seconds since 1970 by the store's clock
)


def of() -> "sa.Column[str]":
    """A column for whose work a row is: the id of a process, "" of an earlier release."""
    return sa.Column("process", sa.String(32), nullable=False, server_default="")


def orphaned(process: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """True for rows whose process is dead, as far as `Processes.bury` has found out."""
    return process.not_in(sa.select(processes.c.id))


class Processes:
    """This process among the others of its store; `id` is its own. `join` before work begins."""

    def __init__(
        self, engine: sa.Engine, home: Path, clock: Callable[[], float] | None = None
    ) -> None:
        """`clock` gives seconds; without one the store's own decides: one for every machine."""
        self.id = secrets.token_hex(8)
        self._engine = engine
        self._folder = home / FOLDER
        self._clock = clock
        self._held: int | None = None
        self._ended = threading.Event()
        self._beating: threading.Thread | None = None

    def join(self) -> None:
        """Be known to the others from now on. Raises OSError, SQLAlchemyError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._held = os.open(self._folder / self.id, flags, 0o600)
        fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)  # before others can read of it
        self.beat()

    def beat(self) -> None:
        """Say that this process lives; also when others took it for dead."""
        with self._engine.begin() as db:
            values = {"beat": self._now(db)}
            mine = processes.c.id == self.id
            if not db.execute(sa.update(processes).where(mine).values(values)).rowcount:
                db.execute(sa.insert(processes), {"id": self.id, **values})

    def keep_beating(self) -> None:
        """Beat in a thread of its own until `leave`: a busy loop is not a dead process."""
        self._beating = threading.Thread(target=self._beat_on, name="beat", daemon=True)
        self._beating.start()

    def bury(self) -> int:
        """Forget the processes that are dead; returns how many. What was theirs is `orphaned`."""
        with self._engine.connect() as db:
            others = db.execute(sa.select(processes).where(processes.c.id != self.id)).all()
            now = self._now(db)
        dead = [row.id for row in others if self._dead(row.id, now - row.beat)]
        if dead:
            with self._engine.begin() as db:
                db.execute(sa.delete(processes).where(processes.c.id.in_(dead)))
        for id in dead:
            (self._folder / id).unlink(missing_ok=True)
        return len(dead)

    def leave(self) -> None:
        """Be gone, with nothing under way."""
        self._ended.set()
        if self._beating is not None:
            self._beating.join()
        if self._held is None:
            return
        try:
            with self._engine.begin() as db:
                db.execute(sa.delete(processes).where(processes.c.id == self.id))
        except sa.exc.SQLAlchemyError as error:
            # the store went away first: the others see a file that nobody holds
            log.warning("not signed off", extra={"error": type(error).__name__})
        else:
            (self._folder / self.id).unlink(missing_ok=True)
        os.close(self._held)
        self._held = None

    def _dead(self, id: str, silent: float) -> bool:
        try:
            return not locked(self._folder / id)
        except OSError:
            return silent > SILENT_SECONDS  # of another home

    def _now(self, db: sa.Connection) -> int:
        if self._clock is not None:
            return int(self._clock())
        seconds = (
            "CAST(strftime('%s', 'now') AS INTEGER)"
            if db.dialect.name == "sqlite"
            else "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS BIGINT)"
        )
        return int(db.scalar(sa.text(f"SELECT {seconds}")) or 0)

    def _beat_on(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            try:
                self.beat()
            except sa.exc.SQLAlchemyError as error:
                # the store is away for a moment: the next beat tells the same
                log.warning("no beat", extra={"error": type(error).__name__})
