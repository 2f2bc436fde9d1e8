"""What goes in and out of the routes of the rules."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from guardrails.policy.lifecycle import MOST_CHARACTERS
from ui.routes.shapes import Shape

Text = Annotated[str, Field(max_length=MOST_CHARACTERS)]
Note = Annotated[str, Field(max_length=2_000)]


class SlotRow(Shape):
    """A list or number of a rule that a form may change. `of` tells two of a kind apart."""

    name: str
    kind: str
    of: str
    value: list[str] | int


class RuleRow(Shape):
    """A rule in plain words. `turns` were decided by it in the last 30 days."""

    id: str
    subject: str
    sentence: str
    why: str
    instead: str
    on: bool
    source: Literal["product", "changed", "own"]
    liftable: bool
    line: int
    turns: int
    values: list[SlotRow]


class RuleBook(Shape):
    """The rules in force. With a `problem` nothing is permitted until it is mended."""

    version: int
    hash: str
    problem: str
    rules: list[RuleRow]


class VersionRow(Shape):
    """A version without its text. People are names of those who work on the rules."""

    number: int
    state: str
    source: str
    hash: str
    note: str
    review: str
    author: str
    editors: list[str]
    created: float
    edited: float | None
    approved_by: str
    approved: float | None
    activated_by: str
    activated: float | None
    based_on: int | None
    revision: int


class ProblemRow(Shape):
    """What is wrong with a text, where, and what was probably meant."""

    line: int
    rule: str
    level: Literal["error", "warning"]
    code: str
    message: str
    name: str
    nearest: str


class VersionWhole(VersionRow):
    """A version with its text, what is wrong with it, and its last rehearsal."""

    text: str
    problems: list[ProblemRow]
    rehearsal: dict[str, Any] | None


class Strict(BaseModel):
    """A body without keys that nobody reads."""

    model_config = ConfigDict(extra="forbid")


class NewDraft(Strict):
    """A draft from the rules in force, from another version, or from a text."""

    note: Note = ""
    text: Text | None = None
    based_on: int | None = None


class Edit(Strict):
    """A draft's text and note. `revision` is the one that the editor has seen."""

    text: Text | None = None
    note: Note | None = None
    revision: int


class RuleEdit(Strict):
    """One rule of a draft: switched on or off, or with other values by slot name."""

    rule: Annotated[str, Field(max_length=64)]
    on: bool | None = None
    values: dict[str, list[Annotated[str, Field(max_length=200)]] | int] = Field(
        default_factory=dict, max_length=12
    )


class RuleEdits(Strict):
    """Changes of a draft that belong together. `revision` is the one that the editor has seen."""

    changes: Annotated[list[RuleEdit], Field(min_length=1, max_length=50)]
    revision: int


class Given(Strict):
    """A text to check."""

    text: Text


class Period(Strict):
    """How far back to rehearse."""

    days: Annotated[int, Field(ge=1, le=366)] = 30


class Because(Strict):
    """Why."""

    note: Annotated[str, Field(min_length=3, max_length=2_000)]


class Reason(Strict):
    """Why, where it may stay unsaid."""

    reason: Note = ""


class ProgressRow(Shape):
    """How far a rehearsal is; with state "done" its `result` is there."""

    state: Literal["none", "running", "done", "failed"]
    looked_at: int = 0
    total: int = 0
    code: str = ""
    result: dict[str, Any] | None = None
