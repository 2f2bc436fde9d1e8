"""The tables of conversations, and what one row of them says. Texts are masked."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa

from guardrails.processes import of
from guardrails.store import aware, metadata

Role = Literal["user", "assistant"]

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("agent", sa.String(64), nullable=False),
    sa.Column("version", sa.String(80), nullable=False, default=""),
    sa.Column("owner", sa.String(128), nullable=False),
    sa.Column("title", sa.String(200), nullable=False, default=""),
    sa.Column("started", sa.DateTime(timezone=True), nullable=False),
    sa.Column("touched", sa.DateTime(timezone=True), nullable=False),
    # names, files and documents belong to the conversation that a branch began from
    sa.Column("root", sa.String(32)),
    sa.Column("parent", sa.String(32)),
    sa.Column("parent_message", sa.Integer),
    sa.Column("retention", sa.String(32)),  # a class of its own, e.g. "short"; see audit.retention
    sa.Index("ix_conversations_owner_touched", "owner", "touched"),
    sa.Index("ix_conversations_root", "root"),
)
messages = sa.Table(
    "messages",
    metadata,
    sa.Column("conversation", sa.String(32), sa.ForeignKey("conversations.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("trace_id", sa.String(32), nullable=False, default=""),
    sa.Column("extra", sa.JSON, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    of(),  # of a message: who answers it
    sa.Index("ix_messages_trace_id", "trace_id"),
)


summaries = sa.Table(
    "conversation_summaries",
    metadata,
    sa.Column("conversation", sa.String(32), primary_key=True),
    sa.Column("upto", sa.Integer, nullable=False),  # the last message that it covers
    sa.Column("text", sa.Text, nullable=False),  # masked
    sa.Column("at", sa.BigInteger, nullable=False),  # microseconds since 1970
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A row of the list. `title` is the start of the first message, masked."""

    id: str
    agent: str
    version: str
    title: str
    started: dt.datetime
    touched: dt.datetime
    owner: str = ""
    root: str = ""  # whose names, files and documents it uses: its own unless it is a branch
    parent: str = ""
    parent_message: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One message, masked. `extra` holds sources, steps, model and whatever else was shown."""

    number: int
    role: Role
    text: str
    at: dt.datetime
    trace_id: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


def conversation_of(row: Any) -> Conversation:
    """A row of `conversations`."""
    return Conversation(
        row.id,
        row.agent,
        row.version,
        row.title,
        aware(row.started),
        aware(row.touched),
        row.owner,
        row.root or row.id,
        row.parent or "",
        row.parent_message or 0,
    )
