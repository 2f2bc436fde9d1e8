"""Whose work a row is: of two processes on one store, one must not end what the other does."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

WORK = (
    "ledger",
    "messages",
    "evaluation_runs",
    "publish_requests",
    "paused_turns",
    "budget_reservations",
    "record_exports",
    "knowledge_documents",
)


def upgrade() -> None:
    """The processes, and a column in each table of what is under way. Not part of the chain of the
    ledger: it says only who may still finish an act."""
    op.create_table(
        "processes",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processes")),
    )
    for table in WORK:
        column = sa.Column("process", sa.String(32), nullable=False, server_default="")
        op.add_column(table, column)


def downgrade() -> None:
    """Take the columns away again."""
    for table in WORK:
        op.drop_column(table, "process")
    op.drop_table("processes")
