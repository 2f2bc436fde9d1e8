"""Tables of publishing: requests, releases, what is live, comments, ratings, reports, files."""

import sqlalchemy as sa

from guardrails.processes import of
from guardrails.store import metadata

When = sa.DateTime(timezone=True)

requests = sa.Table(
    "publish_requests",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),  # rq- and hex: also the id of the trial agent
    sa.Column("agent", sa.String(64), nullable=False, index=True),
    sa.Column("owner", sa.String(128), nullable=False),
    sa.Column("department", sa.String(200), nullable=False),
    sa.Column("roles", sa.String(200), nullable=False),  # of the owner when they asked
    sa.Column("version", sa.String(16), nullable=False),
    sa.Column("audience", sa.String(260), nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    # name → SHA-256 of what it reads, held for it as it was
    sa.Column("documents", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("changed", sa.JSON, nullable=False),  # fields that need review, against the live one
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("asked", When, nullable=False),
    sa.Column("decided_by", sa.String(128), nullable=False),
    sa.Column("decided", When),
    sa.Column("note", sa.Text, nullable=False),
    of(),  # while it is checked
    sa.Index("ix_publish_requests_state_asked", "state", "asked"),
    # one open request for an agent, whoever asks at the same moment
    sa.Index(
        "ix_publish_requests_open",
        "agent",
        unique=True,
        sqlite_where=sa.text("state IN ('checking', 'waiting')"),
        postgresql_where=sa.text("state IN ('checking', 'waiting')"),
    ),
)

releases = sa.Table(
    "agent_releases",
    metadata,
    sa.Column("agent", sa.String(64), primary_key=True),
    sa.Column("version", sa.String(16), primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("audience", sa.String(260), nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("request", sa.String(40), nullable=False),
    sa.Column("approved_by", sa.String(128), nullable=False),
    sa.Column("model", sa.String(200), nullable=False),  # that the evidence was collected with
    sa.Column("documents", sa.JSON, nullable=False),  # name → SHA-256 of what it reads
    sa.Column("at", When, nullable=False),
)

live = sa.Table(
    "agent_live",
    metadata,
    sa.Column("agent", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(128), nullable=False, index=True),
    sa.Column("department", sa.String(200), nullable=False),
    sa.Column("version", sa.String(16), nullable=False),
    sa.Column("audience", sa.String(260), nullable=False, index=True),
    sa.Column("state", sa.String(16), nullable=False),  # live, withdrawn
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", When, nullable=False),
)

comments = sa.Table(
    "request_comments",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("request", sa.String(40), nullable=False, index=True),
    sa.Column("by", sa.String(128), nullable=False),
    sa.Column("line", sa.String(120), nullable=False),  # `instructions.en:3`, or "" for the whole
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", When, nullable=False),
)

ratings = sa.Table(
    "agent_ratings",
    metadata,
    sa.Column("agent", sa.String(64), primary_key=True),
    sa.Column("person", sa.String(128), primary_key=True),  # pseudonym
    sa.Column("stars", sa.Integer, nullable=False),
    sa.Column("version", sa.String(16), nullable=False),
    sa.Column("at", When, nullable=False),
)

reports = sa.Table(
    "agent_reports",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("agent", sa.String(64), nullable=False, index=True),
    sa.Column("version", sa.String(16), nullable=False),
    sa.Column("person", sa.String(128), nullable=False),  # pseudonym
    sa.Column("kind", sa.String(16), nullable=False),  # wrong, biased, leaks, other
    sa.Column("text", sa.Text, nullable=False),  # masked
    sa.Column("input", sa.Text, nullable=False),  # masked: what the person had asked
    sa.Column("trace_id", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # open, case, closed
    sa.Column("case", sa.String(64), nullable=False),
    sa.Column("at", When, nullable=False),
)

files = sa.Table(
    "agent_files",
    metadata,
    sa.Column("agent", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(120), primary_key=True),  # as the agent's file names it
    sa.Column("digest", sa.String(64), nullable=False),  # SHA-256 of the content
)

# the same content of an agent once, whoever reads it: the draft, a version, both
contents = sa.Table(
    "agent_contents",
    metadata,
    sa.Column("agent", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(120), nullable=False),  # what it was sealed under
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),  # nonce and AES-GCM
)

# what a version reads, once it was asked for: `holder` is the id of the request
frozen_files = sa.Table(
    "agent_frozen_files",
    metadata,
    sa.Column("holder", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(120), primary_key=True),
    sa.Column("agent", sa.String(64), nullable=False, index=True),
    sa.Column("digest", sa.String(64), nullable=False),
)

imports = sa.Table(
    "agent_imports",
    metadata,
    sa.Column("agent", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),  # of the package
    sa.Column("content", sa.String(64), nullable=False),  # hash of the agent as it came
    sa.Column("name", sa.String(64), nullable=False),  # its id in the package
    sa.Column("claims", sa.JSON, nullable=False),  # what the package says of itself, unproven
    sa.Column("by", sa.String(128), nullable=False),
    sa.Column("at", When, nullable=False),
)

runs = sa.Table(
    "evaluation_runs",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("agent", sa.String(64), nullable=False),
    sa.Column("content", sa.String(64), nullable=False),  # hash of what was run
    sa.Column("by", sa.String(128), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),  # "" as oneself
    sa.Column("which", sa.String(16), nullable=False),  # own, safety, all
    sa.Column("repeats", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("error", sa.String(64), nullable=False),
    sa.Column("started", When, nullable=False),
    sa.Column("ended", When),
    of(),
    sa.Index("ix_evaluation_runs_agent_started", "agent", "started"),
    # one run of a person on an agent at a time
    sa.Index(
        "ix_evaluation_runs_running",
        "agent",
        "by",
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    ),
)

results = sa.Table(
    "evaluation_results",
    metadata,
    sa.Column("run", sa.String(40), primary_key=True),
    sa.Column("case", sa.String(80), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),  # order of the cases
    sa.Column("passed", sa.Boolean, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),  # see agents/evaluation_results.py; masked
)
