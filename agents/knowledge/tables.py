"""Tables of documents and passages. Every text in them is masked."""

import sqlalchemy as sa

from guardrails.processes import of
from guardrails.store import metadata

documents = sa.Table(
    "knowledge_documents",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("scope", sa.String(120), nullable=False),
    sa.Column("owner", sa.String(128), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("words", sa.Integer, nullable=False),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("added", sa.DateTime(timezone=True), nullable=False),
    # a JSON list: "*" whoever may use the agent, "person:ID", "department:NAME"
    sa.Column("readers", sa.Text, nullable=False, server_default='["*"]'),
    sa.Column("hidden", sa.Integer, nullable=False, server_default="0"),  # parts nobody would see
    sa.Column("total", sa.Integer, nullable=False, server_default="0"),  # passages in the end
    sa.Column("error", sa.String(64), nullable=False, server_default=""),
    # every passage has its vector; a long document is complete, and found by its words, before
    sa.Column("embedded", sa.Boolean, nullable=False, server_default=sa.true()),
    of(),  # while it is read
    sa.UniqueConstraint("scope", "name"),
)
passages = sa.Table(
    "knowledge_passages",
    metadata,
    sa.Column("document", sa.Integer, sa.ForeignKey("knowledge_documents.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("page", sa.Integer),
    sa.Column("heading", sa.Text, nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    # 384 float16, little-endian; empty until it is embedded
    sa.Column("vector", sa.LargeBinary, nullable=False),
)
# what a version reads, once it was asked for: `holder` is the id of the request
frozen = sa.Table(
    "knowledge_frozen",
    metadata,
    sa.Column("holder", sa.String(40), primary_key=True),
    sa.Column("document", sa.Integer, sa.ForeignKey("knowledge_documents.id"), primary_key=True),
    sa.Column("agent", sa.String(64), nullable=False, index=True),
    sa.Index("ix_knowledge_frozen_document", "document"),
)
