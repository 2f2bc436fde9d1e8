"""One writer at a time per store and process: SQLite's own lock waits by polling, ours wakes."""

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

_locks: "weakref.WeakKeyDictionary[sa.Engine, threading.Lock]" = weakref.WeakKeyDictionary()
_guard = threading.Lock()


def write_lock(engine: sa.Engine) -> threading.Lock:
    """The lock that the record's writers hold for the length of one transaction."""
    with _guard:
        return _locks.setdefault(engine, threading.Lock())


@contextmanager
def one_writer(engine: sa.Engine) -> Iterator[None]:
    """For writes that are no part of the record but lie in the same store: with SQLite they wait
    for their turn here, where a poll would find its turn milliseconds late."""
    if engine.dialect.name != "sqlite":
        yield
        return
    with write_lock(engine):
        yield


def begin_writing(connection: sa.Connection, lock_id: int) -> None:
    """Start a transaction that no other process can write beside.

    SQLite takes its write lock at once (a lock upgraded later can fail); PostgreSQL takes the
    advisory lock `lock_id` until the transaction ends.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock_id)))
