"""What a tool is and what it is given. Knows nothing of the broker that runs it."""

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

SideEffect = Literal["reads", "writes", "sends"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document, masked. `score` is in 0..1; `page` counts from 1 where pages exist."""

    document: str
    page: int | None
    text: str
    score: float = 0.0
    heading: str = ""


class Documents(Protocol):
    """What an agent may read in one conversation: its own knowledge and the files given to it."""

    def search(self, query: str, k: int = 5) -> list[Passage]:
        """The best passages, best first; none when nothing fits."""
        ...

    def names(self) -> list[str]:
        """The documents, in the order they were added."""
        ...

    def text(self, name: str) -> str | None:
        """All masked text of one document, or None when there is no such document."""
        ...


class Executed(Protocol):
    """The end of a sealed run, as `sandbox.execute.Execution` gives it."""

    @property
    def status(self) -> str: ...
    @property
    def output(self) -> str: ...
    @property
    def artefacts(self) -> Sequence[Any]: ...


Execute = Callable[[str, Mapping[str, Path]], Awaitable[Executed]]


@dataclass(frozen=True, slots=True)
class Page:
    """What an address gave: text drawn out in the seal, a stranger's words."""

    address: str
    media_type: str
    text: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to send. `recipients` are bare addresses."""

    recipients: tuple[str, ...]
    subject: str
    body: str
    copies: tuple[str, ...] = ()


class NotDone(Exception):
    """Something outside said no. `why` is a sentence for the model, without any content."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class Outside(Protocol):
    """The ways out of the house. `no_…` give the reason why not, before anything leaves; the
    others raise NotDone."""

    def no_fetch(self, address: str) -> str | None: ...
    def no_mail(self, recipients: Sequence[str]) -> str | None: ...
    async def fetch(self, address: str) -> Page: ...
    async def send_mail(self, letter: Letter) -> str: ...


def _now() -> dt.datetime:
    return dt.datetime.now().astimezone()


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What the broker hands to a tool for one call.

    `files` are the conversation's uploads (raw, for the sealed Python only); `execute(code, files)`
    runs Python inside the seal, None where that is not available.
    """

    language: str = "en"
    documents: Documents | None = None
    files: Mapping[str, Path] = field(default_factory=dict)
    now: Callable[[], dt.datetime] = _now
    execute: Execute | None = None
    first_source: int = 1  # number of the next citation in this turn
    outside: Outside | None = None
    added: Mapping[str, "Tool"] = field(default_factory=dict)  # tools of administrators' sources
    off: frozenset[str] = frozenset()  # names that an administrator switched off
    person: str = ""  # who asks, for tools that act in their name


@dataclass(frozen=True, slots=True)
class Cited:
    """A passage as the model was shown it: `[number]`."""

    document: str
    page: int | None
    text: str
    number: int


@dataclass(frozen=True, slots=True)
class Made:
    """A file that a tool made on the host from its arguments alone."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What goes back to the model (`content`) and to the person (the rest)."""

    content: str
    ok: bool = True
    sources: tuple[Cited, ...] = ()
    artefacts: tuple[Any, ...] = ()  # Made, or sandbox.execute.RawArtefact
    code: str = ""


Hook = Callable[[Mapping[str, Any], ToolContext], str | None]


@dataclass(frozen=True, slots=True)
class Tool:
    """One thing an agent can do. `label_key` and `label_key + ".sees"` are catalogue keys; a tool
    that an administrator added has words of its own instead."""

    name: str
    label_key: str
    description: str  # for the model, English
    side_effect: SideEffect
    parameters: Mapping[str, Any]  # JSON Schema of an object
    run: Callable[[Mapping[str, Any], ToolContext], Awaitable[ToolResult]]
    sealed: bool = False  # runs inside the seal rather than in the broker
    icon: str = "wrench"
    permission: str = "agents.use"  # what a person needs for an agent to use it for them
    restores: frozenset[str] = frozenset()  # arguments that get real values back, whole
    computed: bool = False  # its result is made of its arguments: no stranger's words in it
    refuse: Hook | None = None  # looked at before anybody is asked: a reason, or None
    source: str = ""  # id of the source that an administrator added
    title: str = ""  # of an added tool, as its source names it
    sees: str = ""


def refused(why: str) -> ToolResult:
    """A result that tells the model what was wrong and what would be right."""
    return ToolResult(f"ERROR: {why}", ok=False)
