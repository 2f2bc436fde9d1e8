"""What the sealed process may say, checked field by field: it is hostile input."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from guardrails.errors import GuardrailError

MAX_MESSAGES = 200
MAX_TEXT = 400_000  # characters; a wire frame is capped at 1 MiB before it is parsed
MAX_VALUES = 10_000  # texts and numbers: each is screened by itself, which takes milliseconds
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Text = Annotated[str, Field(max_length=MAX_TEXT)]


class FrameRefused(GuardrailError):
    """The sealed process said something that is no valid frame; the run ends."""

    code = "frame-refused"


class _Frame(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AskedTool(_Frame):
    """A tool call inside an assistant message, as the model made it."""

    id: Annotated[str, Field(max_length=128)]
    name: Name
    arguments: dict[str, Any]


class Message(_Frame):
    """One message of a model call."""

    role: Literal["system", "user", "assistant", "tool"]
    content: Text
    tool_calls: Annotated[list[AskedTool], Field(max_length=16)] = []
    tool_call_id: Annotated[str, Field(max_length=128)] = ""


class Offered(_Frame):
    """A tool that the child claims to offer; only the name counts, the rest is the registry's."""

    name: Name
    description: Text = ""
    parameters: dict[str, Any] = {}
    strict: bool | None = None


class ModelCall(_Frame):
    """Ask the model."""

    t: Literal["model.call"]
    id: Annotated[int, Field(ge=0, le=1_000_000)]
    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]
    tools: Annotated[list[Offered], Field(max_length=32)]


class ToolAsk(_Frame):
    """Run a tool."""

    t: Literal["tool.call"]
    id: Annotated[int, Field(ge=0, le=1_000_000)]
    name: Name
    arguments: dict[str, Any]


class Final(_Frame):
    """The answer."""

    t: Literal["final"]
    text: Text


class Paused(_Frame):
    """A tool waits for a person; the run has stopped."""

    t: Literal["paused"]


class Failed(_Frame):
    """The run gave up; `kind` is a rule, a limit or an exception's name."""

    t: Literal["failed"]
    kind: Annotated[str, Field(max_length=200)]


Frame = ModelCall | ToolAsk | Final | Paused | Failed
_ADAPTER: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="t")])


def parse_frame(raw: dict[str, Any]) -> Frame:
    """The frame, or FrameRefused naming the first field that is wrong (never its content)."""
    # of tools only the names count
    if _values([value for name, value in raw.items() if name != "tools"]) > MAX_VALUES:
        raise FrameRefused(field="", why="too-many-values")
    try:
        return _ADAPTER.validate_python(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:120]
        raise FrameRefused(field=where, why=first["type"]) from None


def _values(left: list[Any]) -> int:
    """How many texts and numbers there are, names included."""
    count = 0
    while left:
        one = left.pop()
        if isinstance(one, dict):
            count += len(one)
            left += one.values()
        elif isinstance(one, list):
            left += one
        else:
            count += 1
    return count
