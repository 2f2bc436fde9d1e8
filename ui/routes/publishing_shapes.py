"""Shapes of publishing and evaluation in the API."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from agents.publishing_records import ReportKind
from ui.routes.shapes import AgentRow, Shape

Note = Annotated[str, Field(max_length=4_000)]


class RequestIn(Shape):
    """Ask to publish. `audience`: everyone, department:NAME, group:ID or person:LOGIN."""

    audience: Annotated[str, Field(max_length=260)]
    bump: Literal["major", "minor", "patch"] = "minor"
    notes: Note = ""
    tests: bool = True


class NoteIn(Shape):
    """A word with a decision."""

    note: Note = ""


class CommentIn(Shape):
    """A comment; `line` is a place of the diff (`instructions.en:3`), empty for the whole."""

    text: Note
    line: Annotated[str, Field(max_length=120)] = ""


class ReasonIn(Shape):
    """Why."""

    reason: Note


class VersionIn(Shape):
    """An approved version."""

    version: Annotated[str, Field(max_length=16)]


class RatingIn(Shape):
    """One to five stars."""

    stars: Annotated[int, Field(ge=1, le=5)]


class ReportIn(Shape):
    """A problem with an agent; `conversation` and `message` name the answer that it is about."""

    kind: ReportKind = "wrong"
    text: Note = ""
    conversation: Annotated[str, Field(max_length=64)] = ""
    message: int = 0


class CommentRow(Shape):
    """One comment; `by` is a name."""

    id: int
    by: str
    line: str
    text: str
    at: datetime


class RequestRow(Shape):
    """A request in a list. `changed` are the fields that have to be reviewed."""

    id: str
    agent: str
    title: str
    owner: str
    mine: bool
    version: str
    audience: str
    notes: str
    changed: list[str]
    state: str
    asked: datetime
    decided_by: str
    decided: datetime | None
    note: str
    content: str


class RequestDetail(RequestRow):
    """A request with its evidence, its differences to the live version and its comments."""

    evidence: dict[str, Any]
    spec: dict[str, Any]
    changes: list[dict[str, Any]]
    comments: list[CommentRow]


class LiveRow(Shape):
    """What colleagues get of an agent."""

    agent: str
    version: str
    audience: str
    state: str
    reason: str
    since: datetime


class PublishedRow(LiveRow):
    """One published agent in figures; `drift` is what changed since it was approved."""

    title: str
    owner: str
    uses: int
    people: int
    cost: float
    rating: float
    ratings: int
    reports: int
    versions: list[str]
    drift: list[str]


class WithdrawnRow(LiveRow):
    """A withdrawal, and how many turns it ended."""

    ended: int


class Made(Shape):
    """The id of what was made."""

    id: str


class RatingRow(Shape):
    """Everybody's stars."""

    mean: float
    n: int


class ReportRow(Shape):
    """One report; texts are masked, `person` is a pseudonym."""

    id: int
    agent: str
    version: str
    person: str
    kind: str
    text: str
    input: str
    trace_id: str
    state: str
    case: str
    at: datetime


class Imported(AgentRow):
    """An imported agent: a private draft, with what its package says of itself."""

    digest: str
    claims: dict[str, str]


Cell = Annotated[str, Field(max_length=4_000)]


class CaseIn(Shape):
    """A case as texts; lists are joined by `||`. An empty id makes a new case."""

    id: Annotated[str, Field(max_length=64)] = ""
    language: Literal["en", "fr"] = "en"
    input: Annotated[str, Field(max_length=8_000)]
    files: Cell = ""
    contains: Cell = ""
    any_of: Cell = ""
    omits: Cell = ""
    matches: Cell = ""
    cites: Cell = ""
    masked: Cell = ""
    calls: Cell = ""
    number: Cell = ""
    within: Cell = ""
    refuses: Literal["", "yes"] = ""
    rubric: Annotated[str, Field(max_length=2_000)] = ""
    json_schema: dict[str, Any] | None = None


class CaseFrom(Shape):
    """One answer of the caller's own conversation, as a case."""

    conversation: Annotated[str, Field(max_length=64)]
    message: int
    good: bool = True


class CountIn(Shape):
    """How many."""

    n: Annotated[int, Field(ge=1, le=8)] = 5


class RunIn(Shape):
    """What to run."""

    which: Literal["own", "safety", "all"] = "all"
    repeats: Annotated[int, Field(ge=1, le=5)] = 1
    role: Annotated[str, Field(max_length=20)] = ""


class RunRow(Shape):
    """A run."""

    id: str
    agent: str
    content: str
    role: str
    which: str
    repeats: int
    state: str
    done: int
    total: int
    model: str
    error: str
    started: datetime
    ended: datetime | None


class RunDetail(RunRow):
    """A run with its results and what changed since the one before; texts are masked."""

    passed: int
    flaky: int
    tokens: int
    cost: float
    seconds: float
    changed: dict[str, str]
    results: list[dict[str, Any]]
