"""Tables of the rules: versions, exceptions, approvals, budgets, models. Times in microseconds."""

import sqlalchemy as sa

from guardrails import processes
from guardrails.store import metadata

versions = sa.Table(
    "policy_versions",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    # draft, proposed, returned, approved, active, retired
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("based_on", sa.Integer),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("approved_by", sa.Text),
    sa.Column("approved", sa.BigInteger),
    sa.Column("activated", sa.BigInteger),
    sa.Column("source", sa.Text, nullable=False, server_default="own"),  # own, product
    sa.Column("vocabulary", sa.Text, nullable=False, server_default=""),  # SHA-256 of the schema
    # goes up with each edit: who edits says which one they have seen
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
    sa.Column("edited", sa.BigInteger),
    sa.Column("editors", sa.Text, nullable=False, server_default="[]"),  # JSON, pseudonyms
    sa.Column("review", sa.Text, nullable=False, server_default=""),  # why it was returned
    sa.Column("activated_by", sa.Text),
    sa.Column("rehearsal", sa.Text),  # JSON of the last one, with the hash it was about
)

connections = sa.Table(
    "model_connections",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),  # as litellm calls it
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("base", sa.Text, nullable=False),  # address; "" is the provider's own
    sa.Column("location", sa.Text, nullable=False),  # local, eu, us, other, "" unknown
    sa.Column("key", sa.LargeBinary),  # sealed; None when the provider needs none
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("preferred", sa.Boolean, nullable=False),  # answers for agents that name none
    sa.Column("price_in", sa.BigInteger),  # millionths of a dollar per million tokens
    sa.Column("price_out", sa.BigInteger),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("checked", sa.BigInteger),
    sa.Column("check_code", sa.Text, nullable=False),  # "" when the last check was answered
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
    sa.Column("trace_id", sa.Text),  # the turn that was blocked
    sa.Column("note", sa.Text),  # of who decided
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
    sa.Column("approver", sa.Text, nullable=False),  # person, colleague, or the role that decides
    sa.Column("state", sa.Text, nullable=False),  # pending, approved, rejected, withdrawn
    sa.Column("asked", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.BigInteger, nullable=False),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided", sa.BigInteger),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("department", sa.Text),  # of the person: their colleagues may decide some
    sa.Column("turn", sa.Text),  # the paused turn that waits for it
    sa.Column("used", sa.BigInteger),  # when the act was begun; it happens once
    # the ledger's row of the same act, begun before a crash; 0 for none
    sa.Column("repeats", sa.BigInteger, nullable=False, default=0, server_default="0"),
    sa.Index("ix_approvals_conversation", "conversation"),
    sa.Index("ix_approvals_turn", "turn"),
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
    processes.of(),
)
