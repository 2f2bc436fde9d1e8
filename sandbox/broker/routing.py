"""Tools for small models: one reply is either a tool call or the final answer, by grammar.

Native tool calling fails with models of this size. Instead the server constrains the reply to a
JSON schema `anyOf`: one branch per tool, `final_answer` among them. Answers are then written
freely: inside a JSON string such a model writes poor tables and lists. After a tool has answered,
a gate asks first whether that is enough: small models otherwise call the same tool again.
`bench/models.py` measures how often the choice is right.

Knows how to put questions to a model and read its replies; not which model, nor what is allowed.
"""

import json
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Protocol

from sandbox.broker import returned
from sandbox.broker.errors import ModelError
from sandbox.broker.model_events import ModelEvent, TextDelta, ToolCall, Usage
from sandbox.broker.routing_prompts import FINAL, GATE, after_tools, called, rules, write

Message = Mapping[str, object]
_KEPT = frozenset({"type", "properties", "required", "items", "enum", "const", "anyOf", "minimum",
                   "maximum", "minItems", "maxItems"})  # fmt: skip
# in a message, between whole documents and the rest, and before the person's words
AFTER_DOCUMENTS, BEFORE_WORDS = "\n\n--- end of documents ---\n\n", "\n\n--- request ---\n\n"
_READER = "You help a person at work. First you read documents, then you are told what to do."
_CHOICE = '{"tool"'
_GATE_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"enough": {"type": "boolean"}},
    "required": ["enough"],
    "additionalProperties": False,
}


class Ask(Protocol):
    """One streamed call without tools; `schema` constrains the reply."""

    def __call__(
        self, told: Sequence[Message], schema: Mapping[str, object] | None, limit: int, /
    ) -> AsyncGenerator[ModelEvent, None]: ...


async def route(
    ask: Ask,
    messages: Sequence[Message],
    tools: Sequence[Mapping[str, object]],
    *,
    max_tokens: int,
    chatml: bool = False,
) -> AsyncGenerator[ModelEvent, None]:
    """The events of one model call with tools: text or one ToolCall, then the Usage of all asks.

    `chatml` as for `plain`.

    Raises ModelError("model-malformed") when the reply is cut in the middle of a tool call.
    """
    spent = _Spent()
    told = plain(messages, tools, chatml=chatml)
    earlier = _calls_since_person(messages)
    if earlier:
        gate = spent.metered(ask([*told, _user(GATE)], _GATE_SCHEMA, 12))
        if "false" not in await _said(gate):
            order, untold = [_ordered(messages)], plain(messages, chatml=chatml)
            async for event in _answer(ask, [*told, *order], spent, max_tokens, [*untold, *order]):
                yield event
            return
    call = _tool_call(await _said(spent.metered(ask(told, schema(tools), max_tokens))), tools)
    if call is not None and (call.name, call.arguments) not in earlier:
        yield call
        yield spent.usage()
        return
    # asked again for what it already has: the answer is all that is left
    order = [_ordered(messages)] if earlier else _decided(_asked(messages))
    untold = plain(messages, chatml=chatml)
    async for event in _answer(ask, [*told, *order], spent, max_tokens, untold):
        yield event


async def _said(events: AsyncGenerator[ModelEvent, None]) -> str:
    try:
        return "".join([event.text async for event in events if isinstance(event, TextDelta)])
    finally:
        await events.aclose()


async def _answer(
    ask: Ask,
    told: Sequence[Message],
    spent: "_Spent",
    max_tokens: int,
    untold: Sequence[Message] | None = None,
) -> AsyncGenerator[ModelEvent, None]:
    """The reply in free words. A very small model may copy the form of a choice instead: then it is
    asked once more with `untold`, where no tool was ever spoken of."""
    reply, held = spent.metered(ask(told, None, max_tokens)), ""
    try:
        async for event in reply:
            if isinstance(event, Usage):
                continue
            if not isinstance(event, TextDelta):
                yield event
                continue
            held += event.text
            if untold is None or not _CHOICE.startswith(held.lstrip()[: len(_CHOICE)]):
                yield TextDelta(held)
                held, untold = "", None
            elif held.lstrip().startswith(_CHOICE):
                break
    finally:
        await reply.aclose()
    if untold is not None and held.lstrip().startswith(_CHOICE):
        async for event in _answer(ask, untold, spent, max_tokens):
            yield event
        return
    if held:
        yield TextDelta(held)
    yield spent.usage()


def _ordered(messages: Sequence[Message]) -> dict[str, object]:
    """The order to answer from what the tools returned last."""
    last = next((_text(m) for m in reversed(messages) if m.get("role") == "tool"), "")
    return _user(after_tools(_asked(messages), returned.rows(last)))


def _decided(asked: str) -> list[dict[str, object]]:
    """The choice of an answer, as the model wrote it, and the order to write it."""
    return [{"role": "assistant", "content": called(FINAL, {})}, _user(write(asked))]


def _asked(messages: Sequence[Message]) -> str:
    """What the person wrote last, without the documents before it."""
    said = [_text(message) for message in messages if message.get("role") == "user"]
    return said[-1].rpartition(AFTER_DOCUMENTS)[2].rpartition(BEFORE_WORDS)[2] if said else ""


def schema(tools: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """The JSON schema of one reply: any of the tools with its arguments, or `final_answer`."""
    branches: list[dict[str, object]] = [
        _object(
            {"tool": {"const": tool["name"]}, "arguments": _arguments(tool.get("parameters") or {})}
        )
        for tool in tools
    ]
    branches.append(_object({"tool": {"const": FINAL}, "arguments": _object({})}))
    return {"anyOf": branches}


def plain(
    messages: Sequence[Message],
    tools: Sequence[Mapping[str, object]] = (),
    *,
    chatml: bool = False,
) -> list[dict[str, object]]:
    """The conversation without tool roles: calls as the JSON they were, results as user text.

    The same beginning for every ask of a turn, so that the server's prompt cache holds. A `chatml`
    model takes orders anywhere: it gets them after the documents, because a small model that reads
    two pages after its orders has forgotten them.
    """
    system = [_text(m) for m in messages if m.get("role") == "system"]
    if tools:
        system.append(rules(tools))
    told: list[dict[str, object]] = []
    first = next((m for m in messages if m.get("role") == "user"), None)
    documents, _, rest = _text(first or {}).rpartition(AFTER_DOCUMENTS)
    if chatml and first is not None and documents and system:
        told += [{"role": "system", "content": _READER}, _user(documents)]
        messages = [_user(rest) if message is first else message for message in messages]
    if system:
        told.append({"role": "system", "content": "\n\n".join(system)})
    names: dict[object, str] = {}
    for message in messages:
        role = message.get("role")
        if role == "system":
            continue
        if role == "tool":
            name = message.get("name") or names.get(message.get("tool_call_id"), "tool")
            told.append(_user(f"Result of {name}:\n{returned.told(_text(message))}"))
            continue
        calls = [_parts_of(call) for call in _calls(message)]
        names.update({identity: name for identity, name, _ in calls})
        said = [called(n, a) for _, n, a in calls]
        content = "\n".join([part for part in (_text(message), *said) if part])
        if tools and role == "assistant" and not calls and content:
            # as it was when it was written, so that the server knows the beginning
            told += _decided("")
        told.append({"role": role, "content": content})
    return told


class _Spent:
    """Adds up the tokens of several asks."""

    def __init__(self) -> None:
        self._sent = 0
        self._made = 0

    async def metered(
        self, events: AsyncGenerator[ModelEvent, None]
    ) -> AsyncGenerator[ModelEvent, None]:
        try:
            async for event in events:
                if isinstance(event, Usage):
                    self._sent += event.input_tokens
                    self._made += event.output_tokens
                else:
                    yield event
        finally:
            await events.aclose()

    def usage(self) -> Usage:
        return Usage(self._sent, self._made)


def _tool_call(raw: str, tools: Sequence[Mapping[str, object]]) -> ToolCall | None:
    """The call in a reply; None is the choice of an answer."""
    try:
        reply = json.loads(raw)
        name, arguments = reply["tool"], reply["arguments"]
    except (ValueError, KeyError, TypeError):
        raise ModelError("model-malformed", provider="local") from None
    if name == FINAL:
        return None
    if not isinstance(arguments, dict) or name not in [tool["name"] for tool in tools]:
        raise ModelError("model-malformed", provider="local")
    return ToolCall(f"call_{os.urandom(6).hex()}", name, arguments)


def _calls_since_person(messages: Sequence[Message]) -> list[tuple[str, dict[str, object]]]:
    """Tool calls of this turn that have a result already."""
    found: list[tuple[str, dict[str, object]]] = []
    answered = False
    for message in reversed(messages):
        if message.get("role") == "user":
            break
        answered = answered or message.get("role") == "tool"
        found += [(name, arguments) for _, name, arguments in map(_parts_of, _calls(message))]
    return found if answered else []


def _calls(message: Message) -> Sequence[Mapping[str, Any]]:
    calls = message.get("tool_calls")
    return calls if isinstance(calls, Sequence) and not isinstance(calls, str) else ()


def _parts_of(call: Mapping[str, Any]) -> tuple[str, str, dict[str, object]]:
    """Id, name and arguments of a call in OpenAI's shape or in our own frames' flat one."""
    inner = call.get("function") or call
    arguments = inner.get("arguments") or inner.get("args") or {}
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            arguments = {}
    return str(call.get("id", "")), str(inner.get("name", "")), dict(arguments)


def _arguments(parameters: object) -> dict[str, object]:
    """The part of a JSON Schema that the server's grammar understands."""
    if not isinstance(parameters, Mapping):
        return {"type": "object"}
    kept: dict[str, object] = {}
    for key, value in parameters.items():
        if key not in _KEPT:
            continue
        if key == "properties" and isinstance(value, Mapping):
            kept[key] = {name: _arguments(inner) for name, inner in value.items()}
        elif key == "items":
            kept[key] = _arguments(value)
        elif key == "anyOf" and isinstance(value, Sequence):
            kept[key] = [_arguments(inner) for inner in value]
        else:
            kept[key] = value
    if kept.get("type") == "object":
        kept["additionalProperties"] = False
    return kept or {"type": "object"}


def _object(properties: dict[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _text(message: Message) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):  # OpenAI's list of parts
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return ""


def _user(text: str) -> dict[str, object]:
    return {"role": "user", "content": text}
