"""What people allowed tool servers to do in their name."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Tokens, encrypted, for each source and person."""
    op.create_table(
        "tool_grants",
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "person", name=op.f("pk_tool_grants")),
    )
    op.create_index(op.f("ix_tool_grants_person"), "tool_grants", ["person"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("tool_grants")
