"""The full-text index over `traces`: FTS5 by sqlite-utils on SQLite, GIN on PostgreSQL."""

import re
import sqlite3
import time
import unicodedata
from typing import Final

import sqlalchemy as sa
import sqlite_utils

from guardrails.audit.writing import begin_writing, write_lock

_TEXT: Final = "request || ' ' || agent || ' ' || rule"
# PostgreSQL's parser takes <PERSON_1> for a tag and drops it: signs become spaces first
SIGNS: Final = "<>_-./@"
# what is left of accents when letters are taken apart (NFD); SQLite's tokenizer drops them itself
MARKS: Final = "\u0300-\u036f"
_WORDS: Final = (
    f"translate(request || ' ' || agent || ' ' || rule, '{SIGNS}', '{' ' * len(SIGNS)}')"
)
VECTOR: Final = (
    "to_tsvector('simple'::regconfig, "
    f"regexp_replace(normalize({_WORDS}, NFD), '[{MARKS}]', '', 'g'))"
)

_PAGES = 64  # of the index (4 KB) that one transaction writes: others wait no longer than that
_PAUSE = 0.005  # seconds between two, in which those who wait get their turn
_ADVISORY_LOCK = 0x41545458


def fold(text: str) -> str:
    """Text without accents, as both indexes hold it."""
    return re.sub(f"[{MARKS}]", "", unicodedata.normalize("NFD", text))


def create(connection: sa.Connection) -> None:
    """Create index and triggers when missing. Both ignore accents."""
    if connection.dialect.name == "sqlite":
        raw = connection.connection.driver_connection
        table = sqlite_utils.Database(raw)["traces"]
        if not table.detect_fts():
            table.enable_fts(
                ["request", "agent", "rule"],
                create_triggers=True,
                tokenize="unicode61 remove_diacritics 2",
            )
        return
    # the index of earlier releases did not ignore accents
    connection.execute(sa.text("DROP INDEX IF EXISTS ix_traces_text"))
    # no list of pending entries: each search would read all of it (16 ms, not 7 ms)
    connection.execute(
        sa.text(
            "CREATE INDEX IF NOT EXISTS ix_traces_words "
            f"ON traces USING gin ({VECTOR}) WITH (fastupdate = off)"
        )
    )
    connection.execute(sa.text("ALTER INDEX ix_traces_words SET (fastupdate = off)"))


def drop_erased(engine: sa.Engine) -> None:
    """Write the index anew without the words of rows that were emptied or deleted.

    FTS5 only marks them: the words themselves stay in older segments until those are merged
    (sqlite.org/fts5.html, 6.7 and 6.8; `secure-delete` is of SQLite 3.42, and Debian 12 has 3.40).
    PostgreSQL's vacuum does it by itself.
    """
    if engine.dialect.name != "sqlite":
        return
    lock, pages = write_lock(engine), -_PAGES  # negative: take all segments together first
    while True:
        with lock, engine.connect() as connection:
            begin_writing(connection, _ADVISORY_LOCK)
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)  # noqa: S101 -- of this dialect
            before = raw.total_changes
            merge = "INSERT INTO traces_fts(traces_fts, rank) VALUES ('merge', ?)"
            connection.exec_driver_sql(merge, (pages,))
            written = raw.total_changes - before
            connection.commit()
        if written < 2:  # the command itself counts as one: nothing was left to merge
            return
        pages = _PAGES
        time.sleep(_PAUSE)
