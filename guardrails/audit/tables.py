"""Tables of the record. They hold masked or encrypted content only; people are pseudonyms.

Times are microseconds since 1970, UTC, except where a column says otherwise.
"""

import sqlalchemy as sa

from guardrails import processes
from guardrails.store import metadata

# SQLite makes only an INTEGER primary key an alias of its row id
Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")

ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("seq", Id, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("step", sa.Text, nullable=False),  # intent, outcome, event
    sa.Column("intent", sa.BigInteger),  # the intent an outcome answers
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),  # pseudonym
    sa.Column("subject", sa.Text, nullable=False),  # pseudonym whose key seals the payload
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("trace_id", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),  # SHA-256 of the sealed payload, hex
    sa.Column("seal", sa.Text, nullable=False),  # HMAC of the plain payload, per-subject key, hex
    sa.Column("hash", sa.Text, nullable=False),  # SHA-256(previous hash, body), hex
    sa.Column("mac", sa.Text, nullable=False),  # HMAC of `hash` under the store's chain key, hex
    sa.Column("payload", sa.LargeBinary),  # nonce and AES-GCM of canonical JSON
    processes.of(),  # of an intent: who may still finish it; not part of the chain
    sa.Index("ix_ledger_trace_id", "trace_id"),
    sa.Index("ix_ledger_intent", "intent"),
    sa.Index("ix_ledger_kind_seq", "kind", "seq"),
    sa.Index("ix_ledger_actor_seq", "actor", "seq"),
    sa.Index("ix_ledger_conversation_seq", "conversation", "seq"),
)

subject_keys = sa.Table(
    "subject_keys",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("wrapped", sa.LargeBinary),  # NULL once destroyed: the payloads are gone for good
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("destroyed", sa.BigInteger),
)

spans = sa.Table(
    "spans",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=False),  # start, see `keeping.ordered_id`
    sa.Column("trace_id", sa.Text, nullable=False),
    sa.Column("span_id", sa.Text, nullable=False),
    sa.Column("parent_id", sa.Text),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # OpenInference kind
    sa.Column("start", sa.BigInteger, nullable=False),  # microseconds since 1970, UTC
    sa.Column("duration", sa.BigInteger, nullable=False),  # microseconds
    sa.Column("status", sa.Text, nullable=False),  # ok, error, unset
    sa.Column("attributes", sa.Text, nullable=False),  # JSON object, masked
    sa.Index("ix_spans_trace_id", "trace_id"),
)

traces = sa.Table(
    "traces",
    metadata,
    # start time in microseconds and ten bits of the trace id: newest first is one index, a time
    # range is a range of ids, and the full-text index is ordered by recency for nothing
    sa.Column("id", Id, primary_key=True, autoincrement=False),
    sa.Column("trace_id", sa.Text, nullable=False, unique=True),
    sa.Column("person", sa.Text, nullable=False),  # pseudonym
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),  # allowed, masked, blocked, flagged
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("request", sa.Text, nullable=False),  # masked
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("model_kind", sa.Text, nullable=False),
    sa.Column("location", sa.Text, nullable=False),  # where the model runs
    sa.Column("data_class", sa.Text, nullable=False),
    sa.Column("kinds", sa.Text, nullable=False),  # of findings, space-separated and padded
    sa.Column("tools", sa.Text, nullable=False),  # space-separated and padded
    sa.Column("tokens", sa.Integer, nullable=False),
    sa.Column("cost", sa.BigInteger, nullable=False),  # millionths of the operator's currency
    sa.Column("duration", sa.BigInteger, nullable=False),  # microseconds
    # chat, evaluation (a test case), try-out (of a version under review)
    sa.Column("purpose", sa.Text, nullable=False, server_default="chat"),
    sa.Index("ix_traces_person_id", "person", "id"),
    sa.Index("ix_traces_agent_id", "agent", "id"),
    sa.Index("ix_traces_verdict_id", "verdict", "id", "purpose"),
    sa.Index("ix_traces_rule_id", "rule", "id"),
    sa.Index("ix_traces_model_id", "model", "id"),
    sa.Index("ix_traces_department_id", "department", "id"),
    sa.Index("ix_traces_conversation_id", "conversation", "id"),
)

tombstones = sa.Table(
    "ledger_tombstones",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),  # retention, erasure
    sa.Column("subject", sa.Text, nullable=False),  # pseudonym, "" for many
    sa.Column("first", sa.BigInteger, nullable=False),  # payloads of these rows were removed
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),  # Ed25519 over the canonical JSON of the rest
    sa.Index("ix_ledger_tombstones_first", "first"),
)

holds = sa.Table(
    "legal_holds",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("field", sa.Text, nullable=False),  # person, agent, conversation, department, all
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("placed_by", sa.Text, nullable=False),
    sa.Column("placed", sa.BigInteger, nullable=False),
    sa.Column("released_by", sa.Text),
    sa.Column("released", sa.BigInteger),
)

reveals = sa.Table(
    "reveals",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("trace_id", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),  # whose content it is
    sa.Column("requester", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # asked, granted, refused
    sa.Column("asked", sa.BigInteger, nullable=False),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided", sa.BigInteger),
    sa.Column("expires", sa.BigInteger),
    sa.Index("ix_reveals_author", "author"),
)

views = sa.Table(
    "views",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("viewer", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("trace_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # viewed, reveal-asked, revealed, exported
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("ix_views_author_id", "author", "id"),
)

searches = sa.Table(
    "saved_searches",
    metadata,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),  # keyed digest
    sa.Column("filter", sa.Text, nullable=False),  # sealed: name and question
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("level", sa.Text, nullable=False),  # info, warning, critical
    sa.Column("about", sa.Text, nullable=False),  # what it is about: one open alert each
    sa.Column("data", sa.Text, nullable=False),  # JSON: names and numbers, no content
    sa.Column("seen_by", sa.Text),
    sa.Column("seen", sa.BigInteger),
    sa.Index("ix_alerts_rule_about", "rule", "about"),
)

# what a security officer changed; a rule that is not here has its defaults
alert_rules = sa.Table(
    "alert_rules",
    metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("threshold", sa.Float),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
)

retention_days = sa.Table(
    "retention_days",
    metadata,
    sa.Column("data_class", sa.Text, primary_key=True),  # "" for the rest and ledger payloads
    sa.Column("days", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
)

exports = sa.Table(
    "record_exports",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("asked_by", sa.Text, nullable=False),  # pseudonym
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # ocsf, csv, otlp
    sa.Column("filter", sa.Text, nullable=False),  # JSON of the filled fields of a TraceFilter
    sa.Column("state", sa.Text, nullable=False),  # running, ready, failed, gone
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),  # SHA-256 of the file, hex
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("done", sa.BigInteger),
    processes.of(),
    sa.Index("ix_record_exports_at", "at"),
)

# how far signed checkpoints have been delivered to an address elsewhere
deliveries = sa.Table(
    "checkpoint_deliveries",
    metadata,
    sa.Column("target", sa.Text, primary_key=True),  # SHA-256 of the address: it may hold a secret
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)

# when an author last read who looked at their traces
views_read = sa.Table(
    "views_read",
    metadata,
    sa.Column("author", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
)
