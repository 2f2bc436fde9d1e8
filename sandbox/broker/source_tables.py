"""Tables of the tools that administrators add or switch off."""

import sqlalchemy as sa

from guardrails.store import metadata

sources = sa.Table(
    "tool_sources",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("title", sa.String(120), nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("tools", sa.JSON, nullable=False),  # confirmed definitions
    sa.Column("hash", sa.String(64), nullable=False),  # of the confirmed list
    sa.Column("offered", sa.JSON, nullable=False),  # what the source offers now
    sa.Column("offered_hash", sa.String(64), nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),  # code of what is wrong, "" when nothing
    sa.Column("changed_by", sa.String(128), nullable=False),
    sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
)
switches = sa.Table(
    "tool_switches",
    metadata,
    sa.Column("tool", sa.String(64), primary_key=True),
    sa.Column("changed_by", sa.String(128), nullable=False),
    sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
)
# what a person allowed a source to do in their name; "" is the house
grants = sa.Table(
    "tool_grants",
    metadata,
    sa.Column("source", sa.String(40), primary_key=True),
    sa.Column("person", sa.String(128), primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # nonce and AES-GCM of the tokens
    sa.Column("at", sa.BigInteger, nullable=False),  # microseconds since 1970
    sa.Index("ix_tool_grants_person", "person"),
)
