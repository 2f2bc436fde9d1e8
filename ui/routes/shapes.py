"""Shapes of the API's answers: what OpenAPI documents and clients may rely on."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """Frozen; an unknown field is a bug on our side."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Refusal(Shape):
    """Every error: a stable code and a sentence in the caller's language."""

    code: str
    message: str


class Done(Shape):
    """It is done."""

    done: bool = True


class Me(Shape):
    """Who the caller is. `permissions` are those of the roles in force."""

    id: str
    name: str
    department: str
    roles: list[str]
    granted: list[str]
    view: str | None
    language: str
    workshop: bool
    permissions: list[str]


class Model(Shape):
    """The model that answers. `progress` is 0..1 while its parts are fetched."""

    name: str
    label: str
    kind: str
    provider: str
    location: str
    state: str
    progress: float | None


class Health(Shape):
    """`warming` until the detectors, the model and the sealed processes are ready. `restored` is
    when a backup was last put in from the page, empty for never."""

    status: Literal["ok", "restoring"]
    warming: bool
    model: Model | None
    restored: str = ""


class AgentRow(Shape):
    """An agent in a list, in the caller's language."""

    id: str
    title: str
    purpose: str
    category: str
    icon: str
    version: str
    status: str
    data_class: str
    starters: list[str]


class AgentDetail(AgentRow):
    """An agent with its whole specification."""

    spec: dict[str, Any]


class ConversationRow(Shape):
    """A conversation in a list. `title` is masked."""

    id: str
    agent: str
    version: str
    title: str
    started: datetime
    touched: datetime
    root: str
    parent: str
    parent_message: int


class MessageRow(Shape):
    """One message, with the caller's own names put back."""

    number: int
    role: str
    text: str
    at: datetime
    trace_id: str
    extra: dict[str, Any]


class ConversationDetail(ConversationRow):
    """A conversation with its messages, oldest first. `approvals` are those that wait in it."""

    messages: list[MessageRow]
    approvals: list[dict[str, Any]]
    running: bool


class FindingRow(Shape):
    """One finding; offsets are code points of the text as it was sent."""

    start: int
    end: int
    kind: str
    score: float
    detector: str
    explanation: str


class ScreenedText(Shape):
    """A text after screening. `text` is masked; nothing is kept."""

    text: str
    findings: list[FindingRow]
    outcome: str
    rule: str


class TraceShort(Shape):
    """One row of the audit list. `person` is a pseudonym, `request` is masked."""

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
    purpose: str


class TracePage(Shape):
    """A page of traces, newest first; `next` is the cursor of the following page."""

    rows: list[TraceShort]
    next: str | None
    counts: dict[str, int]


class TraceWhole(TraceShort):
    """One trace with its spans and the ledger's acts."""

    spans: list[dict[str, Any]]
    ledger: list[dict[str, Any]]


class VerificationResult(Shape):
    """What checking the whole ledger found."""

    ok: bool
    rows: int
    first_bad: dict[str, Any] | None
    checkpoints: int
    proven_to: int


class OwnData(Shape):
    """How much is kept about the caller."""

    conversations: int
    messages: int
    masked_values: int
    drafts: int
    traces: int
    looks: int
    since: datetime | None


class Erasure(Shape):
    """The wish to be forgotten; `confirm` must be true."""

    confirm: bool


class Erased(Shape):
    """How many conversations went."""

    conversations: int


class LessonTick(Shape):
    """Whether a lesson is done."""

    done: bool = True


class LessonRow(Shape):
    """One lesson and whether the caller has done it."""

    id: str
    done: bool


class TimeReport(Shape):
    """What a conversation saved, in minutes (30 at most), and how the result compares."""

    minutes: int
    quality: str


class ImpactFigures(Shape):
    """Figures of the last ten weeks, oldest first. No person is named."""

    starts: list[int]
    hours: list[float]
    people: list[int]
    masked: list[int]
    blocked: list[int]
    turns: int
    by_department: dict[str, list[float]]
    agents: list[tuple[str, int, int]]
    quality: dict[str, int]
    reports: int
