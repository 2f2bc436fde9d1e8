"""Tables of the rules: versions, exceptions, approvals, budgets. Times in microseconds, UTC."""

import sqlalchemy as sa

from guardrails.store import metadata

versions = sa.Table(
    "policy_versions",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),  # draft, proposed, approved, active, retired
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("based_on", sa.Integer),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("approved_by", sa.Text),
    sa.Column("approved", sa.BigInteger),
    sa.Column("activated", sa.BigInteger),
)

exceptions = sa.Table(
    "policy_exceptions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),  # pseudonym
    sa.Column("agent", sa.Text, nullable=False),  # "" for every agent
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # asked, granted, refused
    sa.Column("asked", sa.BigInteger, nullable=False),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided", sa.BigInteger),
    sa.Column("expires", sa.BigInteger),
    sa.Index("ix_policy_exceptions_person", "person"),
)

approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("trace_id", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),  # who the agent acts for
    sa.Column("action", sa.Text, nullable=False),  # the tool's name
    sa.Column("payload", sa.Text, nullable=False),  # JSON, masked: exactly what will be done
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("approver", sa.Text, nullable=False),  # person, or the role that must decide
    sa.Column("state", sa.Text, nullable=False),  # pending, approved, rejected, expired
    sa.Column("asked", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.BigInteger, nullable=False),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided", sa.BigInteger),
    sa.Column("note", sa.Text, nullable=False),
    sa.Index("ix_approvals_conversation", "conversation"),
    sa.Index("ix_approvals_state", "state"),
)

budgets = sa.Table(
    "budgets",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),  # person, department, agent
    sa.Column("name", sa.Text, primary_key=True),  # "*" for each one's own
    sa.Column("unit", sa.Text, primary_key=True),  # tokens, cost (millionths), calls
    sa.Column("period", sa.Text, primary_key=True),  # day, month
    sa.Column("most", sa.BigInteger, nullable=False),
)

budget_use = sa.Table(
    "budget_use",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("period", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),  # 2026-11-23 or 2026-11
    sa.Column("used", sa.BigInteger, nullable=False),
    sa.Column("reserved", sa.BigInteger, nullable=False),
)

budget_reservations = sa.Table(
    "budget_reservations",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("keys", sa.Text, nullable=False),  # JSON: [[scope, name, unit, period, day, amount]]
)
