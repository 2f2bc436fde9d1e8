"""The full-text index over `traces`: FTS5 by sqlite-utils on SQLite, GIN on PostgreSQL."""

import re
import unicodedata
from typing import Final

import sqlalchemy as sa
import sqlite_utils

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
