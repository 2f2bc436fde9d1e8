"""What is asked of stored traces, and what one of them says: plain data, made of tables' rows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from guardrails.audit import conventions

TraceVerdict = Literal["allowed", "masked", "blocked", "flagged"]
VERDICTS: tuple[TraceVerdict, ...] = ("allowed", "masked", "blocked", "flagged")
LARGEST = 2**63 - 1  # that a column holds; times end in the year 2255


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """What to show. Empty fields do not filter; `since` is inclusive, `until` exclusive.

    `trace_id` takes a whole id or a beginning, with or without `tr_`. `text` is words that must all
    occur (the last one as a beginning) in request, agent or rule. `cost_over` in currency units.
    """

    verdict: str = ""
    person: str = ""
    department: str = ""
    agent: str = ""
    version: str = ""
    model: str = ""
    location: str = ""
    rule: str = ""
    data_class: str = ""
    kind: str = ""
    tool: str = ""
    conversation: str = ""
    trace_id: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    cost_over: float | None = None
    slower_than_ms: float | None = None
    purpose: str = ""  # chat, evaluation, try-out


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One turn in a list. `request` is masked; `cost` in currency units."""

    trace_id: str
    when: datetime
    person: str
    agent: str
    version: str
    verdict: str
    request: str
    model: str
    tokens: int
    duration_ms: float
    rule: str
    conversation: str
    department: str = ""
    model_kind: str = ""
    location: str = ""
    data_class: str = ""
    kinds: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    cost: float = 0.0
    purpose: str = "chat"

    @property
    def short(self) -> str:
        """How the id is shown: `tr_` and 8 digits."""
        return f"tr_{self.trace_id[:8]}"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first, and the cursor of the next page (None on the last)."""

    rows: tuple[TraceRow, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class SpanRow:
    """One span of a waterfall. `start_ms` counts from the trace's start."""

    span_id: str
    parent_id: str | None
    name: str
    kind: str
    start_ms: float
    duration_ms: float
    status: str
    verdict: str
    rule: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One ledger row as reviewers see it: no payload."""

    seq: int
    when: datetime
    step: str
    intent: int | None
    kind: str
    actor: str
    agent: str
    verdict: str
    rule: str
    hash: str
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """A turn in detail."""

    row: TraceRow
    spans: tuple[SpanRow, ...]
    ledger: tuple[LedgerRow, ...]


def ledger_row(row: Any) -> LedgerRow:
    """A ledger row without its payload."""
    return LedgerRow(
        row.seq, _when(row.at), row.step, row.intent, row.kind, row.actor, row.agent, row.verdict,
        row.rule, row.hash, row.trace_id,
    )  # fmt: skip


def trace_row(row: Any) -> TraceRow:
    """A row of `traces`."""
    return TraceRow(
        trace_id=row.trace_id,
        when=_when(row.id >> 10),
        person=row.person,
        agent=row.agent,
        version=row.version,
        verdict=row.verdict,
        request=row.request,
        model=row.model,
        tokens=row.tokens,
        duration_ms=row.duration / 1_000,
        rule=row.rule,
        conversation=row.conversation,
        department=row.department,
        model_kind=row.model_kind,
        location=row.location,
        data_class=row.data_class,
        kinds=tuple(row.kinds.split()),
        tools=tuple(row.tools.split()),
        cost=row.cost / 1_000_000,
        purpose=row.purpose,
    )


def step_row(row: Any, zero: int) -> SpanRow:
    """A row of `spans`; its times are counted from `zero`, microseconds since 1970."""
    attributes = json.loads(row.attributes)
    return SpanRow(
        row.span_id,
        row.parent_id,
        row.name,
        row.kind,
        (row.start - zero) / 1_000,
        row.duration / 1_000,
        row.status,
        str(conventions.read(attributes, "verdict")),
        str(conventions.read(attributes, "rule")),
        attributes,
    )


def time_of(identity: int) -> datetime:
    """The moment that a trace's row id stands for."""
    return _when(identity >> 10)


def _when(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)


def time_id(when: datetime) -> int:
    """The smallest row id of a trace that began at `when`."""
    return min(int(when.timestamp() * 1_000_000) << 10, LARGEST)
