"""The model seam: one call shape over any litellm model or the embedded one. Knows no policy.

The only file that imports litellm, and late: importing it costs seconds. Nothing here retries,
logs, screens or records; the door does.
"""

import asyncio
import json
import logging
import os
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

from sandbox.broker import direct
from sandbox.broker.connections import Connection, Connections
from sandbox.broker.embedded import Embedded
from sandbox.broker.errors import ModelError, translate
from sandbox.broker.model_events import (
    Location,
    ModelEvent,
    ModelInfo,
    ModelKind,
    TextDelta,
    ToolCall,
    Usage,
)
from sandbox.broker.model_pins import Key, folders
from sandbox.broker.providers import (
    ALIASES,
    LOOPBACK,
    openai_shape,
    parameters,
    usual_location,
)
from sandbox.broker.routing import plain, route

__all__ = ["ModelError", "ModelInfo", "Models", "TextDelta", "ToolCall", "Usage"]

MOST_UNPRICED = 1_000
MOST_TOKENS = 100_000_000  # of one call
# far above any max_tokens: an upstream that sends more than this is broken or hostile
_MAX_CHARACTERS = 1_000_000
_USUAL = 0.2
_STOP = ["[DATA ", "[END OF DATA"]  # a small model that copies a document copies its fence as well
_CHATML = frozenset({"practice", "fallback"})  # templates of other files may refuse orders later on


class Models:
    """The model of the settings, and those that administrators have connected.

    `stream` may be called by many turns at once. Where a method takes `wanted`, it is the name of
    a model, or "" for the one that answers when an agent names none.

    `model` is `practice`, `fallback`, the path of a .gguf file, or `<provider>/<name>` as litellm
    calls it. `secrets` gives provider keys by their environment names; without it the environment
    does. `shared` is the folder that homes share for embedded models; with `may_fetch` False none
    is downloaded. Raises ModelError("model-unknown") for a name that is none of these.
    """

    def __init__(
        self,
        model: str,
        *,
        home: Path,
        base: str = "",
        location: Location = "",
        timeout: float = 120.0,
        secrets: Mapping[str, str] | None = None,
        shared: Path | None = None,
        may_fetch: bool = True,
        connections: Connections | None = None,
    ) -> None:
        self._model = model
        self._connections = connections
        self._base = base
        self._location: Location = location
        self._timeout = timeout
        self._secrets = os.environ if secrets is None else secrets
        self._warming: asyncio.Task[object] | None = None
        self._embedded: Embedded | None = None
        if model in ("practice", "fallback") or model.endswith(".gguf"):
            choice = Path(model).expanduser() if model.endswith(".gguf") else cast(Key, model)
            self._embedded = Embedded(choice, folders(home, shared), may_fetch=may_fetch)
        elif not all(model.partition("/")):
            raise ModelError("model-unknown", model=model)

    def info(self, wanted: str = "") -> ModelInfo:
        """The model that would answer now. Cheap; pages may ask often.

        Raises ModelError("model-not-connected") for a name that is not, or is no longer, here.
        """
        chosen = self._chosen(wanted)
        if chosen is None:
            return self.own()
        return ModelInfo(
            chosen.name, chosen.label, "provider", chosen.provider, chosen.location, "ready"
        )

    def kind(self, wanted: str = "") -> ModelKind:
        """The kind of the model that would answer; "provider" while that cannot be told."""
        try:
            return self.info(wanted).kind
        except ModelError:
            return "provider"

    def own(self) -> ModelInfo:
        """The model of the settings."""
        if self._embedded is not None:
            return self._embedded.info()
        provider, _, name = self._model.partition("/")
        warming = self._warming is not None and not self._warming.done()
        return ModelInfo(
            name=self._model,
            label=name,
            kind="provider",
            provider=provider,
            location=self._location or usual_location(provider, self._base),
            state="warming" if warming else "ready",
        )

    def price(self, sent: int, made: int, wanted: str = "") -> float:
        """What a call of so many tokens costs, US dollars; 0 where the price is not known.

        Before the provider's library is loaded nothing is known, and loading it here would hold
        the caller up for seconds.
        """
        chosen = self._chosen(wanted)
        if chosen is not None and chosen.price is not None:
            return (sent * chosen.price[0] + made * chosen.price[1]) / 1_000_000
        if chosen is None and self._embedded is not None:
            return 0.0
        if not _litellm.cache_info().currsize:
            return 0.0
        provider, _, name = (chosen.name if chosen else self._model).partition("/")
        return _cost(_litellm(), f"{ALIASES.get(provider, provider)}/{name}", sent, made)

    def _chosen(self, wanted: str) -> Connection | None:
        """The connection to use; None is the model of the settings."""
        if wanted and wanted in (self._model, self.own().name):
            return None
        found = self._connections.find(wanted) if self._connections else None
        if found is None and wanted:
            raise ModelError("model-not-connected", model=wanted)
        return found

    async def start(self) -> None:
        """Begin to warm up in the background and return at once."""
        if self._warming is None:
            self._warming = asyncio.create_task(asyncio.to_thread(_litellm))
            if self._embedded is not None:
                await self._embedded.start()

    async def stop(self) -> None:
        """Free everything. Safe to call twice."""
        if self._embedded is not None:
            await self._embedded.stop()
        if self._warming is not None:
            await self._warming

    async def stream(
        self,
        messages: Sequence[Mapping[str, object]],
        tools: Sequence[Mapping[str, object]] = (),
        *,
        max_tokens: int = 1024,
        temperature: float | None = None,
        wanted: str = "",
    ) -> AsyncGenerator[ModelEvent, None]:
        """One call: TextDelta and ToolCall as they come, Usage last. Closing it ends the call.

        `messages` have the OpenAI shape (`role`, `content`, `tool_calls`, `tool_call_id`), `tools`
        are `{"name", "description", "parameters"}`. Without a `temperature` the embedded model
        takes its likeliest word, others vary a little. Raises ModelError within the timeout.
        """
        chosen = self._chosen(wanted)
        if chosen is not None or self._embedded is None:
            provider, _, name = (chosen.name if chosen else self._model).partition("/")
            provider = ALIASES.get(provider, provider)
            events = complete(
                f"{provider}/{name}",
                [openai_shape(message) for message in messages],
                tools,
                parameters=(
                    self._parameters(provider, chosen)
                    if chosen is None or not chosen.has_key
                    else await asyncio.to_thread(self._parameters, provider, chosen)
                ),
                timeout=self._timeout,
                max_tokens=max_tokens,
                temperature=_USUAL if temperature is None else temperature,
            )
        else:
            # the likeliest answer, so that a case that passes passes again
            events = self._local(messages, tools, max_tokens, temperature or 0.0)
        try:
            async for event in events:
                if isinstance(event, Usage) and chosen is not None and chosen.price is not None:
                    cost = self.price(event.input_tokens, event.output_tokens, chosen.name)
                    event = Usage(event.input_tokens, event.output_tokens, cost)
                yield event
        finally:
            await events.aclose()

    def _parameters(self, provider: str, chosen: Connection | None) -> dict[str, str]:
        if chosen is None or self._connections is None:
            return parameters(provider, self._secrets, self._base)
        # the environment's key was given for the provider, not for whoever answers at an address
        secrets = {} if chosen.base else self._secrets
        found = parameters(provider, secrets, chosen.base)
        key = self._connections.key(chosen)
        return {**found, "api_key": key} if key else found

    async def _local(
        self,
        messages: Sequence[Mapping[str, object]],
        tools: Sequence[Mapping[str, object]],
        max_tokens: int,
        temperature: float,
    ) -> AsyncGenerator[ModelEvent, None]:
        if self._embedded is None:
            raise ModelError("model-unavailable", provider="local")
        deadline = time.monotonic() + self._timeout
        async with self._embedded.server(self._timeout) as (server, kind):

            def ask(
                told: Sequence[Mapping[str, object]],
                schema: Mapping[str, object] | None,
                limit: int,
            ) -> AsyncGenerator[ModelEvent, None]:
                more = {"extra_body": {"json_schema": schema} if schema else {"stop": _STOP}}
                return complete(
                    f"openai/{kind}",
                    told,
                    (),
                    parameters={"api_base": server.base, "api_key": server.key, **more},
                    timeout=max(0.1, deadline - time.monotonic()),
                    max_tokens=limit,
                    temperature=temperature,
                )

            events = (
                route(ask, messages, tools, max_tokens=max_tokens, chatml=kind in _CHATML)
                if tools
                else ask(plain(messages, chatml=kind in _CHATML), None, max_tokens)
            )
            try:
                async for event in events:
                    yield event
            finally:
                await events.aclose()


async def complete(
    model: str,
    messages: Sequence[Mapping[str, object]],
    tools: Sequence[Mapping[str, object]],
    *,
    parameters: Mapping[str, object],
    timeout: float,
    max_tokens: int,
    temperature: float,
) -> AsyncGenerator[ModelEvent, None]:
    """One streamed call, by litellm or directly, errors translated.

    `timeout` bounds the whole call, seconds.
    """
    provider, _, name = model.partition("/")
    deadline = asyncio.get_running_loop().time() + timeout
    started = False
    received = 0
    stream: Any = None
    calls: dict[int, _Pieces] = {}
    usage: Any = None
    finished = False
    try:
        if direct.fits(provider, name, parameters):
            stream = direct.chunks(
                name,
                messages,
                tools,
                parameters=parameters,
                max_tokens=max_tokens,
                temperature=temperature,
            )
        else:
            stream = await _before(
                deadline,
                _by_litellm(model, messages, tools, parameters, timeout, max_tokens, temperature),
            )
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
        yield Usage(sent, made, _known_cost(model, sent, made))
    except (GeneratorExit, asyncio.CancelledError):
        raise
    except Exception as error:  # any provider's SDK may raise anything: translated once, here
        # `from None`: a provider's message may quote the request, and tracebacks get logged
        raise translate(error, provider=provider, started=started) from None
    finally:
        if stream is not None:
            await stream.aclose()


async def _by_litellm(
    model: str,
    messages: Sequence[Mapping[str, object]],
    tools: Sequence[Mapping[str, object]],
    parameters: Mapping[str, object],
    timeout: float,
    max_tokens: int,
    temperature: float,
) -> Any:
    litellm = await asyncio.to_thread(_litellm)
    wanted: dict[str, Any] = {
        "model": model,
        "messages": [dict(message) for message in messages],
        "max_tokens": max_tokens,
        "temperature": temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
        "num_retries": 0,
        "max_retries": 0,
        "timeout": timeout,
        "drop_params": True,
        "_skip_mcp_handler": True,  # with tools, litellm would import its proxy and `mcp`
        **parameters,
    }
    if tools:
        wanted["tools"] = [{"type": "function", "function": dict(tool)} for tool in tools]
    return await litellm.acompletion(**wanted)


def _known_cost(model: str, sent: int, made: int) -> float:
    """What a call cost, US dollars; 0 while the price list is not loaded (see `Models.price`)."""
    return _cost(_litellm(), model, sent, made) if _litellm.cache_info().currsize else 0.0


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


@cache
def _litellm() -> Any:
    """litellm, imported on first use and set to keep quiet, call nobody and never retry."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else the import fetches a price list
    # a company's proxy must not see what is said to a model on this very machine
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), *LOOPBACK)))
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.turn_off_message_logging = True
    litellm.drop_params = True
    litellm.num_retries = 0
    litellm.callbacks = []
    litellm.success_callback = []
    litellm.failure_callback = []
    # aiohttp sessions outlive their loop and leak sockets in tests and on restart: plain httpx
    litellm.disable_aiohttp_transport = True
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "httpx", "openai"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # their messages quote content
    return litellm


_unpriced: set[str] = set()  # models that the list has no price of: asking again takes as long


def _cost(litellm: Any, model: str, sent: int, made: int) -> float:
    if model in _unpriced:
        return 0.0
    try:
        costs = litellm.cost_per_token(model=model, prompt_tokens=sent, completion_tokens=made)
    except Exception:  # litellm raises a bare Exception for models without a price: cost unknown
        if len(_unpriced) < MOST_UNPRICED:
            _unpriced.add(model)
        return 0.0
    return float(sum(costs))
