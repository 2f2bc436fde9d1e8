"""Bring a store's tables up to date: Alembic revisions, then the full-text index."""

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from guardrails.audit import textindex
from guardrails.audit.writing import begin_writing, write_lock
from guardrails.errors import GuardrailError

FOLDER: Final = Path(__file__).with_name("migrations")
_ADVISORY_LOCK = 0x41544D47


def upgrade(engine: sa.Engine) -> None:
    """Run what is missing; safe at every start, and when several processes start at once.

    Raises GuardrailError("store-newer") for a store that a later release has already changed.
    """
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    script = ScriptDirectory.from_config(config)
    with write_lock(engine), engine.connect() as connection:
        begin_writing(connection, _ADVISORY_LOCK)
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in {r.revision for r in script.walk_revisions()}:
            raise GuardrailError("store-newer", revision=current)
        if current != script.get_current_head():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        connection.commit()
        # apart from the revisions: sqlite-utils ends the transaction it is called in
        textindex.create(connection)
        connection.commit()
