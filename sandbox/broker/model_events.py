"""A model call, what it yields, and what is known about a model. Plain data, no imports of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

ModelKind = Literal["practice", "fallback", "provider", "scripted"]
Location = Literal["local", "eu", "us", "other", ""]
ModelState = Literal["ready", "warming", "fetching", "down"]


@dataclass(frozen=True, slots=True)
class Call:
    """One call in OpenAI's shape. `model` is `<provider>/<name>`, `parameters` what its provider
    needs (an address, a key), `timeout` bounds all of it, seconds."""

    model: str
    messages: Sequence[Mapping[str, object]]
    tools: Sequence[Mapping[str, object]]
    parameters: Mapping[str, object]
    timeout: float
    max_tokens: int
    temperature: float

    @property
    def provider(self) -> str:
        """What stands before the name."""
        return self.model.partition("/")[0]

    @property
    def name(self) -> str:
        """The model as its provider calls it."""
        return self.model.partition("/")[2]

    def body(self) -> dict[str, Any]:
        """What is asked, without model and parameters."""
        asked: dict[str, Any] = {
            "messages": [dict(message) for message in self.messages],
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if self.tools:
            asked["tools"] = [{"type": "function", "function": dict(tool)} for tool in self.tools]
        return asked


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer, in order."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a tool. Complete: arguments are parsed. Not yet allowed by anyone."""

    id: str
    name: str
    arguments: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the whole call, the last event; `cost` in US dollars, 0 when not known."""

    input_tokens: int
    output_tokens: int
    cost: float = 0.0


ModelEvent = TextDelta | ToolCall | Usage


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The model that would answer now.

    `state` and `progress` (0 to 1, None when nothing is being fetched) tell of the model asked for
    in the settings: kind "fallback" with state "fetching" means the fallback answers meanwhile.
    """

    name: str
    label: str
    kind: ModelKind
    provider: str
    location: Location
    state: ModelState
    progress: float | None = None
