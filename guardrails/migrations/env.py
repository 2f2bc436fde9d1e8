"""Alembic's entry: runs inside the transaction that `guardrails.migrate.upgrade` holds."""

from alembic import context

from guardrails.store import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,  # SQLite cannot alter a column in place
)
with context.begin_transaction():
    context.run_migrations()
