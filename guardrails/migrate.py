"""Bring a store's tables up to date."""

import sqlalchemy as sa

from guardrails.audit import tables, textindex
from guardrails.audit.writing import begin_writing
from guardrails.policy import tables as policy_tables
from guardrails.store import metadata

_ADVISORY_LOCK = 0x41544D47
_ = tables, policy_tables  # imported for its tables


def upgrade(engine: sa.Engine) -> None:
    """Create what is missing. Safe to call at every start."""
    with engine.connect() as connection:
        begin_writing(connection, _ADVISORY_LOCK)
        metadata.create_all(connection)
        textindex.create(connection)
        connection.commit()
