"""The model seam: one call shape over any litellm model or the embedded one. Knows no policy.

Nothing here retries, logs, screens or records; the door does.
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import cast

from sandbox.broker.completion import complete
from sandbox.broker.connections import Connection, Connections
from sandbox.broker.embedded import Embedded
from sandbox.broker.errors import ModelError
from sandbox.broker.litellm_quiet import cost, library
from sandbox.broker.model_events import (
    Call,
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
    openai_shape,
    parameters,
    usual_location,
)
from sandbox.broker.routing import plain, route

__all__ = ["ModelError", "ModelInfo", "Models", "TextDelta", "ToolCall", "Usage"]

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
        """What a call of so many tokens costs, US dollars; 0 where the price is not known, or not
        yet (`litellm_quiet.cost`)."""
        chosen = self._chosen(wanted)
        if chosen is not None and chosen.price is not None:
            return (sent * chosen.price[0] + made * chosen.price[1]) / 1_000_000
        if chosen is None and self._embedded is not None:
            return 0.0
        provider, _, name = (chosen.name if chosen else self._model).partition("/")
        return cost(f"{ALIASES.get(provider, provider)}/{name}", sent, made)

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
            self._warming = asyncio.create_task(asyncio.to_thread(library))
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
            call = Call(
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
            events = complete(call)
        else:
            # the likeliest answer, so that a case that passes passes again
            events = self._local(messages, tools, max_tokens, temperature or 0.0)
        try:
            async for event in events:
                if isinstance(event, Usage) and chosen is not None and chosen.price is not None:
                    price = self.price(event.input_tokens, event.output_tokens, chosen.name)
                    event = Usage(event.input_tokens, event.output_tokens, price)
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
                call = Call(
                    f"openai/{kind}",
                    told,
                    (),
                    parameters={"api_base": server.base, "api_key": server.key, **more},
                    timeout=max(0.1, deadline - time.monotonic()),
                    max_tokens=limit,
                    temperature=temperature,
                )
                return complete(call)

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
