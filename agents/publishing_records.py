"""What publishing hands out: requests, releases, live agents. Frozen; decides nothing."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agents.spec import AgentSpec
from guardrails.errors import BadInput
from guardrails.store import aware

RequestState = Literal["checking", "waiting", "returned", "published", "cancelled", "replaced"]
OPEN: tuple[RequestState, ...] = ("checking", "waiting")
ReportKind = Literal["wrong", "biased", "leaks", "other"]
_AUDIENCE = re.compile(r"everyone|(?:department|group|person):[^\x00-\x1f]{1,200}")


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """One request with its evidence. `changed` are the fields that have to be reviewed."""

    id: str
    agent: str
    owner: str
    department: str
    roles: frozenset[str]
    version: str
    audience: str
    notes: str
    spec: AgentSpec
    hash: str
    changed: tuple[str, ...]
    evidence: Mapping[str, Any]
    state: RequestState
    asked: dt.datetime
    decided_by: str = ""
    decided: dt.datetime | None = None
    note: str = ""
    documents: Mapping[str, str] = field(default_factory=dict)  # name → SHA-256, as held for it


@dataclass(frozen=True, slots=True)
class Release:
    """One version that was approved. `documents` maps what it reads to SHA-256 digests."""

    agent: str
    version: str
    hash: str
    spec: AgentSpec
    audience: str
    notes: str
    request: str
    approved_by: str
    model: str
    documents: Mapping[str, str]
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Live:
    """What colleagues get of an agent, or got until it was withdrawn for `reason`."""

    agent: str
    owner: str
    department: str
    version: str
    audience: str
    state: Literal["live", "withdrawn"]
    reason: str
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Comment:
    """A reviewer's or author's word on one line, or on the whole when `line` is empty."""

    id: int
    by: str
    line: str
    text: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Report:
    """A problem that a colleague reported; texts are masked, `person` is a pseudonym."""

    id: int
    agent: str
    version: str
    person: str
    kind: ReportKind
    text: str
    input: str
    trace_id: str
    state: Literal["open", "case", "closed"]
    case: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Rating:
    """Stars of all who rated: how many gave one to five, and the mean (0 without any)."""

    counts: Mapping[int, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many rated."""
        return sum(self.counts.values())

    @property
    def mean(self) -> float:
        """Mean stars, 1..5, or 0."""
        return sum(stars * n for stars, n in self.counts.items()) / self.n if self.n else 0.0


def audience_key(text: str) -> str:
    """The audience as kept. Raises BadInput("bad-audience")."""
    text = text.strip()
    if not _AUDIENCE.fullmatch(text):
        raise BadInput("bad-audience")
    return text


def reach(audience: str) -> Literal["department", "everyone"]:
    """The audience as the rules know it: some colleagues, or all of them."""
    return "everyone" if audience == "everyone" else "department"


def request_of(row: Any) -> PublishRequest:
    """A row of `publish_requests`."""
    return PublishRequest(
        row.id, row.agent, row.owner, row.department, frozenset(filter(None, row.roles.split(","))),
        row.version, row.audience, row.notes, AgentSpec.model_validate(row.spec), row.hash,
        tuple(row.changed), row.evidence, row.state, aware(row.asked), row.decided_by,
        aware(row.decided) if row.decided else None, row.note, row.documents,
    )  # fmt: skip


def release_of(row: Any) -> Release:
    """A row of `agent_releases`."""
    return Release(
        row.agent, row.version, row.hash, AgentSpec.model_validate(row.spec), row.audience,
        row.notes, row.request, row.approved_by, row.model, row.documents, aware(row.at),
    )  # fmt: skip


def live_of(row: Any) -> Live:
    """A row of `agent_live`."""
    return Live(
        row.agent, row.owner, row.department, row.version, row.audience, row.state, row.reason,
        aware(row.since),
    )  # fmt: skip


def report_of(row: Any) -> Report:
    """A row of `agent_reports`."""
    return Report(
        row.id, row.agent, row.version, row.person, row.kind, row.text, row.input, row.trace_id,
        row.state, row.case, aware(row.at),
    )  # fmt: skip
