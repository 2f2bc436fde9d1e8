"""The full-text index over `traces`: FTS5 by sqlite-utils on SQLite, GIN on PostgreSQL."""

from typing import Final

import sqlalchemy as sa
import sqlite_utils

# PostgreSQL's parser takes <PERSON_1> for a tag and drops it: signs become spaces first
SIGNS: Final = "<>_-./@"
VECTOR: Final = (
    "to_tsvector('simple'::regconfig, "
    f"translate(request || ' ' || agent || ' ' || rule, '{SIGNS}', '{' ' * len(SIGNS)}'))"
)


def create(connection: sa.Connection) -> None:
    """Create index and triggers when missing. SQLite's ignores accents."""
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
    connection.execute(
        sa.text(f"CREATE INDEX IF NOT EXISTS ix_traces_text ON traces USING gin ({VECTOR})")
    )
