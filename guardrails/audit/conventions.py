"""The one mapping from our words to OpenTelemetry attribute names.

Sources: OpenTelemetry GenAI semantic conventions v0.1.0 (status: development), OpenInference span
kinds (for Arize Phoenix and others), and `app.*` where neither has a name yet.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

SpanKind = Literal["AGENT", "LLM", "TOOL", "GUARDRAIL", "RETRIEVER", "CHAIN"]
OPENINFERENCE_KIND: Final = "openinference.span.kind"
ROOT: Final = "app.root"  # marks the span of a whole turn

# our word -> every attribute that carries it (the first is the one our own store reads)
NAMES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "person": ("user.id", "enduser.pseudo.id"),
        "department": ("app.department",),
        "agent": ("gen_ai.agent.name", "agent.name"),
        "version": ("gen_ai.agent.version",),
        "conversation": ("gen_ai.conversation.id", "session.id"),
        "operation": ("gen_ai.operation.name",),
        "provider": ("gen_ai.provider.name", "llm.provider"),
        "model": ("gen_ai.request.model", "llm.model_name"),
        "model_answered": ("gen_ai.response.model",),
        "model_kind": ("app.model.kind",),
        "location": ("app.model.location",),
        "input_tokens": ("gen_ai.usage.input_tokens", "llm.token_count.prompt"),
        "output_tokens": ("gen_ai.usage.output_tokens", "llm.token_count.completion"),
        "tokens": ("app.tokens", "llm.token_count.total"),
        "cost": ("app.cost", "llm.cost.total"),
        "tool": ("gen_ai.tool.name", "tool.name"),
        "tool_call": ("gen_ai.tool.call.id",),
        "tools": ("app.tools",),
        "verdict": ("app.guardrail.verdict",),
        "rule": ("app.guardrail.rule",),
        "kinds": ("app.guardrail.kinds",),
        "data_class": ("app.data_class",),
        "request": ("input.value",),
        "reply": ("output.value",),
        "policy_set": ("app.policy_set",),
        "rules": ("app.decision.rules",),
        "obligations": ("app.decision.obligations",),
        "inputs": ("app.decision.inputs",),
        "status": ("app.status",),
        "purpose": ("app.purpose",),
        "unsafe": ("app.unsafe_no_sandbox",),
    }
)

OPERATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {"AGENT": "invoke_agent", "LLM": "chat", "TOOL": "execute_tool"}
)

Value = str | int | float | bool | tuple[str, ...]


def attributes(kind: SpanKind, given: Mapping[str, object]) -> dict[str, Value]:
    """Attributes of a span of `kind`: our words translated, other names (with a dot) kept.

    Raises KeyError for a word without a dot that the mapping does not know.
    """
    named: dict[str, Value] = {OPENINFERENCE_KIND: kind}
    if kind in OPERATIONS:
        named["gen_ai.operation.name"] = OPERATIONS[kind]
    named.update(translate(given))
    return named


def translate(given: Mapping[str, object]) -> dict[str, Value]:
    """Our words to attribute names, without a kind."""
    named: dict[str, Value] = {}
    for word, value in given.items():
        plain = _value(value)
        for name in (word,) if "." in word else NAMES[word]:
            named[name] = plain
    return named


def read(attributes: Mapping[str, object], word: str, default: object = "") -> object:
    """The value of one of our words in a span's attributes."""
    return attributes.get(NAMES[word][0], default)


def _value(value: object) -> Value:
    if isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, frozenset | set):
        return tuple(sorted(map(str, value)))
    if isinstance(value, list | tuple):
        return tuple(map(str, value))
    return str(value)
