"""Bring a store's tables up to date."""

import sqlalchemy as sa

from guardrails.audit import tables, textindex
from guardrails.policy import tables as policy_tables
from guardrails.store import metadata

_ = tables, policy_tables  # imported for its tables


def upgrade(engine: sa.Engine) -> None:
    """Create what is missing. Safe to call at every start."""
    metadata.create_all(engine)
    with engine.connect() as connection:
        textindex.create(connection)
        connection.commit()
