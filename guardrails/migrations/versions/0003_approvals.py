"""Approvals and turns that wait, exceptions, memory of conversations, comparisons, reports."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Columns may be empty: rows of before have none of this."""
    with op.batch_alter_table("approvals") as table:
        table.add_column(sa.Column("department", sa.Text()))
        table.add_column(sa.Column("turn", sa.Text()))
        table.add_column(sa.Column("used", sa.BigInteger()))
        table.create_index("ix_approvals_turn", ["turn"])
    with op.batch_alter_table("policy_exceptions") as table:
        table.add_column(sa.Column("trace_id", sa.Text()))
        table.add_column(sa.Column("note", sa.Text()))
    with op.batch_alter_table("conversations") as table:
        table.add_column(sa.Column("root", sa.String(length=32)))
        table.add_column(sa.Column("parent", sa.String(length=32)))
        table.add_column(sa.Column("parent_message", sa.Integer()))
        table.add_column(sa.Column("retention", sa.String(length=32)))
        table.create_index("ix_conversations_root", ["root"])
    op.create_index("ix_messages_trace_id", "messages", ["trace_id"])
    op.create_table(
        "paused_turns",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("message", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paused_turns")),
    )
    op.create_index("ix_paused_turns_conversation", "paused_turns", ["conversation"])
    op.create_table(
        "conversation_summaries",
        sa.Column("conversation", sa.String(length=32), nullable=False),
        sa.Column("upto", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("conversation", name=op.f("pk_conversation_summaries")),
    )
    op.create_table(
        "comparisons",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sides", sa.JSON(), nullable=False),
        sa.Column("vote", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("voted", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparisons")),
    )
    op.create_index("ix_comparisons_owner", "comparisons", ["owner"])
    op.create_table(
        "reports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("message", sa.Integer(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided", sa.BigInteger()),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint(
            "conversation", "message", "person",
            name=op.f("uq_reports_conversation_message_person"),
        ),
    )
    op.create_index("ix_reports_agent", "reports", ["agent"])
    op.create_index("ix_reports_state", "reports", ["state"])
