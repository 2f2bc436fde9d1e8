"""What `Session.send` tells its caller while a turn runs. Texts are restored for the viewer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

NoticeKind = Literal["masked", "blocked", "flagged", "approval", "limit", "fallback-model", "info"]


@dataclass(frozen=True, slots=True)
class Notice:
    """A ribbon. `key` is a catalogue key, filled with `data` (names and numbers, no content)."""

    kind: NoticeKind
    key: str
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A passage an answer rests on. `text` is restored for the viewer."""

    document: str
    page: int | None
    text: str
    number: int  # as cited: [1]


@dataclass(frozen=True, slots=True)
class Step:
    """One row of "How this answer was made". Times in milliseconds from the turn's start.

    `kind` is guardrail, retrieval, model or tool; `detail` holds what the person may see of it
    (masked request text, arguments, code, output) by catalogue key.
    """

    kind: Literal["guardrail", "retrieval", "model", "tool"]
    name: str
    start_ms: float
    duration_ms: float
    verdict: Literal["allowed", "masked", "blocked", "flagged"]
    rule: str = ""
    detail: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file an agent made, already sniffed and screened; fetched by `id`. `shows` is what a
    drawing says of itself: see `sandbox.described`."""

    id: str
    name: str
    media_type: str
    size: int
    shows: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Approval:
    """A tool waits for a person. `payload` is exactly what the tool will be given.

    `action` is the catalogue key of the tool's name; `approver` is self, colleague or a role
    (security, champion); `expires` in seconds since 1970. `repeats` is the ledger's row of the same
    act when a crash left its outcome unknown, else 0.
    """

    id: str
    tool: str
    action: str
    payload: dict[str, object]
    approver: str
    expires: float
    rule: str
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """The end of a turn."""

    text: str
    notices: tuple[Notice, ...]
    sources: tuple[Source, ...]
    trace_id: str
    steps: tuple[Step, ...] = ()
    artefacts: tuple[Artefact, ...] = ()
    model: str = ""
    model_kind: str = ""  # practice, fallback, provider, scripted
    tokens: int = 0
    duration_ms: float = 0.0
    masked_request: str = ""  # what the model saw of the person's message
    conversation: str = ""
    error: str = ""  # code of the wording `error.<code>` unless status is "done"
    error_data: dict[str, str] = field(default_factory=dict)
    status: Literal["done", "blocked", "stopped", "failed", "waiting"] = "done"
    mark: str = ""  # catalogue key of the line that says it is made with AI, where a rule wants one
    approvals: tuple[Approval, ...] = ()  # what a reply with status "waiting" waits for


@dataclass(frozen=True, slots=True)
class Delta:
    """A batch of answer text for the screen; a placeholder never shows half-way."""

    text: str


@dataclass(frozen=True, slots=True)
class StepEvent:
    """A step ended (or, with duration 0, began)."""

    step: Step


Event = Notice | Delta | StepEvent | Approval | Reply


def plain(value: Any) -> Any:
    """Dataclasses as mappings, also in sequences. As `dataclasses.asdict`, which copies every leaf:
    for a reply that takes longer than sending it."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, tuple):
        return tuple(plain(one) for one in value)
    names = getattr(type(value), "__dataclass_fields__", None)
    return value if names is None else {name: plain(getattr(value, name)) for name in names}
