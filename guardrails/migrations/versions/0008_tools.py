"""Tools that administrators add or switch off; who may read a document of an agent."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Documents of before may be read by whoever may use the agent, as they could."""
    for column in (
        sa.Column("readers", sa.Text(), nullable=False, server_default='["*"]'),
        sa.Column("hidden", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("total", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("error", sa.String(64), nullable=False, server_default=""),
        sa.Column("embedded", sa.Boolean(), nullable=False, server_default=sa.true()),
    ):
        op.add_column("knowledge_documents", column)
    op.create_table(
        "tool_sources",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("tools", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("offered", sa.JSON(), nullable=False),
        sa.Column("offered_hash", sa.String(64), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("changed_by", sa.String(128), nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tool_sources")),
    )
    op.create_table(
        "tool_switches",
        sa.Column("tool", sa.String(64), nullable=False),
        sa.Column("changed_by", sa.String(128), nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tool", name=op.f("pk_tool_switches")),
    )
