"""The one database: engine and metadata. Tables live beside the code that owns them."""

import datetime as dt
import sqlite3
from typing import Any

import sqlalchemy as sa

WAIT_SECONDS = 30  # for somebody else's write on SQLite

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def open_engine(url: str) -> sa.Engine:
    """Open SQLite (WAL, synchronous FULL) or PostgreSQL. Creates no table."""
    # an error's text reaches logs and consoles: it must not repeat what was to be kept
    hidden = {"hide_parameters": True}
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True, **hidden)
    lasting = {"timeout": WAIT_SECONDS, "check_same_thread": False}
    engine = sa.create_engine(url, connect_args=lasting, **hidden)

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: Any) -> None:
        cursor = connection.cursor()
        # FULL: NORMAL survives a killed process, only FULL survives a power cut (FACTS, Records)
        # secure_delete: what is erased is written over, whatever SQLite was built with
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        # SQLite's own knows A to Z: whoever looks for "Élodie" or "Straße" would find nothing
        connection.create_function("lower", 1, _lower, deterministic=True)

    return engine


def aware(when: dt.datetime) -> dt.datetime:
    """A time of the store in UTC: everything is written so, and SQLite forgets the zone."""
    return when if when.tzinfo else when.replace(tzinfo=dt.UTC)


def _lower(text: Any) -> Any:
    return text.casefold() if isinstance(text, str) else text


def cut_log(engine: sa.Engine) -> None:
    """Let nothing that was erased stay in SQLite's log of changes, which keeps old pages until it
    is written over. While somebody reads, the log stays as it is: the next time cuts it."""
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        # waiting for readers would hold up every writer
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql(f"PRAGMA busy_timeout={WAIT_SECONDS * 1000}")
