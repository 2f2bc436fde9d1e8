"""An agent as kept: the tables of drafts, and what a row of a draft or of a release says."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from agents.publishing_tables import live, releases
from agents.spec import AgentSpec
from guardrails.store import aware, metadata

drafts = sa.Table(
    "agent_drafts",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(128), nullable=False, index=True),
    sa.Column("base", sa.String(64), nullable=False, default=""),
    sa.Column("base_version", sa.String(16), nullable=False, default="", server_default=""),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
)
versions = sa.Table(
    "agent_versions",
    metadata,
    sa.Column("agent", sa.String(64), sa.ForeignKey("agent_drafts.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("saved", sa.DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """An agent as kept. `number` counts versions from 1; a template's owner is empty.

    Status `published` is what colleagues get: the live release. `review` is the version of an open
    request, for whoever reviews it; its id is the request's.
    """

    id: str
    spec: AgentSpec
    owner: str
    status: Literal["template", "draft", "published", "review"]
    hash: str
    number: int = 1
    base: str = ""
    base_version: str = ""
    created: dt.datetime | None = None
    updated: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """One saved state of a draft."""

    number: int
    hash: str
    saved: dt.datetime


def live_rows() -> sa.Select[tuple[object, ...]]:
    """What colleagues get: each live agent with its release."""
    at = sa.and_(releases.c.agent == live.c.agent, releases.c.version == live.c.version)
    return sa.select(live, releases.c.spec, releases.c.hash, releases.c.at).join(releases, at)


def release_of(row: sa.Row[tuple[object, ...]]) -> AgentRecord:
    """A row of `live_rows`."""
    spec = AgentSpec.model_validate(row.spec)
    return AgentRecord(row.agent, spec, row.owner, "published", row.hash, updated=aware(row.since))


def draft_rows() -> sa.Select[tuple[object, ...]]:
    """Each draft with its present version."""
    at = sa.and_(versions.c.agent == drafts.c.id, versions.c.number == drafts.c.number)
    return sa.select(drafts, versions.c.hash, versions.c.spec).join(versions, at)


def draft_of(row: sa.Row[tuple[object, ...]]) -> AgentRecord:
    """A row of `draft_rows`."""
    spec = AgentSpec.model_validate(row.spec)
    return AgentRecord(
        row.id, spec, row.owner, "draft", row.hash, row.number, row.base,
        row.base_version, aware(row.created), aware(row.updated),
    )  # fmt: skip
