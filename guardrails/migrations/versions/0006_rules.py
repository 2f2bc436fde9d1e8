"""Rules and the record."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Both streams of work; each in its own function."""
    _rules()
    _record()


def _rules() -> None:
    """Policy versions, model connections: the policy engineer's tables."""
    text, number = sa.Text(), sa.BigInteger()
    for name, kind, default in (
        ("source", text, "own"),
        ("vocabulary", text, ""),
        ("revision", sa.Integer(), "0"),
        ("editors", text, "[]"),
        ("review", text, ""),
    ):
        column = sa.Column(name, kind, nullable=False, server_default=default)
        op.add_column("policy_versions", column)
    for name, kind in (("edited", number), ("activated_by", text), ("rehearsal", text)):
        op.add_column("policy_versions", sa.Column(name, kind))
    op.create_table(
        "model_connections",
        sa.Column("id", text, primary_key=True),
        sa.Column("name", text, nullable=False, unique=True),
        sa.Column("label", text, nullable=False),
        sa.Column("base", text, nullable=False),
        sa.Column("location", text, nullable=False),
        sa.Column("key", sa.LargeBinary()),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("preferred", sa.Boolean(), nullable=False),
        sa.Column("price_in", number),
        sa.Column("price_out", number),
        sa.Column("changed_by", text, nullable=False),
        sa.Column("changed", number, nullable=False),
        sa.Column("checked", number),
        sa.Column("check_code", text, nullable=False),
    )


def _record() -> None:
    """The record engineer's tables."""
    text, number = sa.Text(), sa.BigInteger()
    op.create_table(
        "alert_rules",
        sa.Column("rule", text, primary_key=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("threshold", sa.Float()),
        sa.Column("changed_by", text, nullable=False),
        sa.Column("changed", number, nullable=False),
    )
    op.create_table(
        "retention_days",
        sa.Column("data_class", text, primary_key=True),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("reason", text, nullable=False),
        sa.Column("changed_by", text, nullable=False),
        sa.Column("changed", number, nullable=False),
    )
    op.create_table(
        "record_exports",
        sa.Column("id", text, primary_key=True),
        sa.Column("asked_by", text, nullable=False),
        sa.Column("at", number, nullable=False),
        sa.Column("kind", text, nullable=False),
        sa.Column("filter", text, nullable=False),
        sa.Column("state", text, nullable=False),
        sa.Column("rows", number, nullable=False),
        sa.Column("bytes", number, nullable=False),
        sa.Column("digest", text, nullable=False),
        sa.Column("error", text, nullable=False),
        sa.Column("done", number),
    )
    op.create_index("ix_record_exports_at", "record_exports", ["at"])
    op.create_table(
        "checkpoint_deliveries",
        sa.Column("target", text, primary_key=True),
        sa.Column("number", number, nullable=False),
        sa.Column("at", number, nullable=False),
    )
    op.create_table(
        "views_read",
        sa.Column("author", text, primary_key=True),
        sa.Column("at", number, nullable=False),
    )
