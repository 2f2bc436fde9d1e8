"""One streamed call to a model, by litellm or directly. Nothing here retries, logs, screens or
records; the door does.
"""

import asyncio
import json
import os
from collections.abc import AsyncGenerator
from typing import Any

from sandbox.broker import direct
from sandbox.broker.errors import ModelError, translate
from sandbox.broker.litellm_quiet import cost, library
from sandbox.broker.model_events import Call, ModelEvent, TextDelta, ToolCall, Usage

MOST_TOKENS = 100_000_000  # of one call
# far above any max_tokens: an upstream that sends more than this is broken or hostile
_MAX_CHARACTERS = 1_000_000


async def complete(call: Call) -> AsyncGenerator[ModelEvent, None]:
    """One streamed call, by litellm or directly, errors translated."""
    provider = call.provider
    deadline = asyncio.get_running_loop().time() + call.timeout
    started = False
    received = 0
    stream: Any = None
    calls: dict[int, _Pieces] = {}
    usage: Any = None
    finished = False
    try:
        if direct.fits(call):
            stream = direct.chunks(call)
        else:
            stream = await _before(deadline, _by_litellm(call))
        source = aiter(stream)
        while True:
            try:
                chunk = await _before(deadline, anext(source))
            except StopAsyncIteration:
                break
            usage = getattr(chunk, "usage", None) or usage
            if not chunk.choices:
                continue
            finished = finished or bool(getattr(chunk.choices[0], "finish_reason", None))
            delta = chunk.choices[0].delta
            received += _size(delta)
            if received > _MAX_CHARACTERS:
                raise ModelError("model-malformed", provider=provider)
            if delta.content:
                started = True
                yield TextDelta(delta.content)
            for piece in delta.tool_calls or ():
                started = True
                calls.setdefault(piece.index, _Pieces()).add(piece)
        if not getattr(stream, "received_finish_reason", finished):
            # the upstream closed early without an error; litellm invents a "stop" then
            code = "model-interrupted" if started else "model-malformed"
            raise ModelError(code, provider=provider)
        for _, pieces in sorted(calls.items()):
            yield pieces.call(provider)
        sent, made = _counted(usage)
        yield Usage(sent, made, cost(call.model, sent, made))
    except (GeneratorExit, asyncio.CancelledError):
        raise
    except Exception as error:  # any provider's SDK may raise anything: translated once, here
        # `from None`: a provider's message may quote the request, and tracebacks get logged
        raise translate(error, provider=provider, started=started) from None
    finally:
        if stream is not None:
            await stream.aclose()


async def _by_litellm(call: Call) -> Any:
    litellm = await asyncio.to_thread(library)
    return await litellm.acompletion(
        **call.body(),
        model=call.model,
        timeout=call.timeout,
        num_retries=0,
        max_retries=0,
        drop_params=True,
        _skip_mcp_handler=True,  # with tools, litellm would import its proxy and `mcp`
        **call.parameters,
    )


def _counted(usage: Any) -> tuple[int, int]:
    """Tokens sent and made, as the upstream counted them; nothing where it says nonsense: a budget
    then goes by what arrived."""
    counts = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    return counts if all(0 <= count <= MOST_TOKENS for count in counts) else (0, 0)


def _size(delta: Any) -> int:
    calls = delta.tool_calls or ()
    return len(delta.content or "") + sum(len(c.function.arguments or "") for c in calls)


async def _before(deadline: float, awaitable: Any) -> Any:
    # not wait_for: a task for each word costs more than all else here
    async with asyncio.timeout_at(deadline):
        return await awaitable


class _Pieces:
    """One tool call that arrives in pieces."""

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments = ""

    def add(self, piece: Any) -> None:
        self.id = self.id or piece.id or ""
        if piece.function is not None:
            self.name = self.name or piece.function.name or ""
            self.arguments += piece.function.arguments or ""

    def call(self, provider: str) -> ToolCall:
        try:
            arguments = json.loads(self.arguments or "{}")
        except ValueError:
            arguments = None
        if not self.name or not isinstance(arguments, dict):
            raise ModelError("model-malformed", provider=provider)
        return ToolCall(self.id or f"call_{os.urandom(6).hex()}", self.name, arguments)
