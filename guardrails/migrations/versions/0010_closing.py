"""Small tables and columns of identity and records."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def _word(name: str, length: int) -> "sa.Column[str]":
    return sa.Column(name, sa.String(length), nullable=False, server_default="")


def upgrade() -> None:
    """Tokens of one sign-in are a family; the security role may wait for a second person; a
    password for one sign-in has an end; an approval may be for what was begun before a crash."""
    op.add_column("sign_ins", _word("family", 64))
    op.create_index(op.f("ix_sign_ins_family"), "sign_ins", ["family"])
    # what was replaced would be good for a minute at most, and whose it was is not known
    op.execute("DELETE FROM sign_ins WHERE replaced")
    op.execute("UPDATE sign_ins SET family = token")
    op.add_column("people", _word("rests", 20))
    op.add_column("people", _word("once_until", 40))
    people = sa.table("people", sa.column("once", sa.Boolean), sa.column("once_until", sa.String))
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    op.execute(people.update().where(people.c.once).values(once_until=tomorrow))
    op.add_column(
        "approvals",
        sa.Column("repeats", sa.BigInteger(), nullable=False, server_default="0"),
    )
    op.add_column(
        "people_groups",
        sa.Column("rests", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    """Take the columns away again."""
    op.drop_column("people_groups", "rests")
    op.drop_column("approvals", "repeats")
    op.drop_column("people", "once_until")
    op.drop_column("people", "rests")
    op.drop_index(op.f("ix_sign_ins_family"), "sign_ins")
    op.drop_column("sign_ins", "family")
