"""A streamed call to a server at an address of its own that speaks OpenAI's protocol.

Most organisations run such a server (vLLM, llama.cpp, a gateway). litellm stays the router for
every provider; here it would cost more processor time for each answer than the screen, the policy,
the ledger and the seal together (docs/decisions/0011). Errors are raised as they come, for
`errors.translate`.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Iterable, Iterator
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from sandbox.broker.errors import ModelError
from sandbox.broker.model_events import Call
from sandbox.broker.providers import LOOPBACK

if TYPE_CHECKING:
    import aiohttp

MAX_LINE = 1_000_000
# between two looks at what has arrived: a person waits for the first words, after them the screen
# makes no more passes than this either
SOON, SOON_SECONDS, LATER_SECONDS = 5, 0.01, 0.1
MAX_REFUSAL = 64 * 1024  # of an error's body, to tell one kind from another
# OpenAI's own models want other parameters; litellm knows which
OWN_NAMES = ("gpt-", "chatgpt", "o1", "o3", "o4", "codex", "ft:")
TOO_LONG = ("context_length", "context length", "context size", "context window", "too long")


class Refused(Exception):
    """The server answered with an error status. Carries no word of its answer."""

    def __init__(self, status: int) -> None:
        self.status_code = status
        super().__init__(str(status))


class BadRequestError(Refused):
    """A status that says that the request is not one the server takes; see `errors`."""


class ContextWindowExceededError(Refused):
    """The request is longer than the model reads."""


class ServiceUnavailableError(Refused):
    """The server, or what stands before it, is not able to answer."""


def fits(call: Call) -> bool:
    """Whether this is a call for here: an own address, the plain protocol, no name of OpenAI's."""
    base = call.parameters.get("api_base")
    return (
        call.provider in ("openai", "hosted_vllm")
        and isinstance(base, str)
        and bool(base)
        and set(call.parameters) <= {"api_base", "api_key"}
        and not call.name.startswith(OWN_NAMES)
    )


async def chunks(call: Call) -> AsyncGenerator[Any, None]:
    """The chunks of one reply, as objects with OpenAI's fields. The caller bounds the time."""
    base = str(call.parameters["api_base"]).rstrip("/")
    import aiohttp  # late: a quarter of a second that a start without models need not wait

    address = urlsplit(base)
    headers = {
        "authorization": f"Bearer {call.parameters.get('api_key') or 'none'}",
        "accept-encoding": "identity",  # nothing to unpack for each word
        "user-agent": "atelier",
    }
    session = aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(),  # the caller bounds the whole call
        # a company's proxy must not see what is said to a model on this very machine
        trust_env=(address.hostname or "") not in LOOPBACK,
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    # redirects are refused: they lead to somebody who was not chosen
    request = session.post(
        f"{base}/chat/completions",
        json={"model": call.name, **call.body()},
        headers=headers,
        allow_redirects=False,
        ssl=_certificates() if address.scheme == "https" else True,
    )
    async with session, request as answer:
        if answer.status != 200:
            raise await _refusal(answer)
        if "event-stream" not in answer.headers.get("content-type", ""):
            raise ModelError("model-malformed", provider="openai")
        looks, spoken = 0, False
        async for lines in _lines(answer):
            data = [line[5:].strip() for line in lines if line.startswith(b"data:")]
            end = data.index(b"[DONE]") if b"[DONE]" in data else None
            for chunk in _joined(json.loads(each) for each in data[:end]):
                spoken = spoken or bool(chunk.choices and chunk.choices[0].delta.content)
                yield chunk
            if end is not None:
                return
            if spoken or looks:  # a first chunk that only names the speaker comes before a word
                await _rest(answer, SOON_SECONDS if looks < SOON else LATER_SECONDS)
            looks += 1


async def _lines(answer: "aiohttp.ClientResponse") -> AsyncGenerator[list[bytes], None]:
    """What has arrived since the last look, whole lines."""
    rest = b""
    while part := await answer.content.readany():
        *whole, rest = (rest + part).split(b"\n")
        if len(rest) > MAX_LINE:
            raise ModelError("model-malformed", provider="openai")
        yield whole


async def _rest(answer: "aiohttp.ClientResponse", seconds: float) -> None:
    """Leave what arrives meanwhile to the kernel: words arrive faster than they are shown, and
    every look costs as much as many words."""
    transport = answer.connection.transport if answer.connection else None
    if transport is None or transport.is_closing():
        return  # all of it is here
    transport.pause_reading()
    try:
        await asyncio.sleep(seconds)
    finally:
        if not transport.is_closing():
            transport.resume_reading()


def _joined(given: Iterable[Any]) -> Iterator[Any]:
    """The chunks with neighbours that hold nothing but text put together."""
    waiting: list[str] = []
    for one in given:
        text = _text(one)
        if text is not None:
            waiting.append(text)
            continue
        if waiting:
            yield _words("".join(waiting))
            waiting = []
        yield _chunk(one)
    if waiting:
        yield _words("".join(waiting))


def _text(given: Any) -> str | None:
    """The text of a chunk that holds nothing else: most do, and this is done for every word."""
    if not isinstance(given, dict) or given.get("usage") or given.get("error"):
        return None
    choices = given.get("choices")
    if not choices or len(choices) != 1 or choices[0].get("finish_reason"):
        return None
    delta = choices[0].get("delta") or {}
    content = delta.get("content")
    return None if delta.get("tool_calls") or not content else str(content)


def _words(text: str) -> Any:
    delta = SimpleNamespace(content=text, tool_calls=[])
    return SimpleNamespace(choices=[SimpleNamespace(delta=delta, finish_reason=None)], usage=None)


async def _refusal(answer: "aiohttp.ClientResponse") -> Exception:
    body = b""
    while len(body) <= MAX_REFUSAL and (part := await answer.content.readany()):
        body += part
    status = answer.status
    if status in (400, 404, 413, 422):
        said = body.decode("utf-8", "replace").lower()
        if any(word in said for word in TOO_LONG):
            return ContextWindowExceededError(status)
        return BadRequestError(status)
    told = status in (401, 403, 408, 429, 504)  # what `errors` knows by the number alone
    return Refused(status) if told else ServiceUnavailableError(status)


def _chunk(given: Any) -> Any:
    """One chunk with the fields that are read of it; whatever else it holds is left out."""
    if not isinstance(given, dict) or given.get("error"):
        raise ModelError("model-unavailable", provider="openai")
    choices = []
    for choice in given.get("choices") or ():
        delta = choice.get("delta") or {}
        calls = [
            SimpleNamespace(
                index=int(call.get("index") or 0),
                id=call.get("id"),
                function=SimpleNamespace(
                    name=(call.get("function") or {}).get("name"),
                    arguments=(call.get("function") or {}).get("arguments"),
                ),
            )
            for call in delta.get("tool_calls") or ()
        ]
        content = delta.get("content")
        choices.append(
            SimpleNamespace(
                delta=SimpleNamespace(content=str(content) if content else "", tool_calls=calls),
                finish_reason=choice.get("finish_reason"),
            )
        )
    usage = given.get("usage")
    counted = None
    if isinstance(usage, dict):
        counted = SimpleNamespace(
            prompt_tokens=int(usage.get("prompt_tokens") or 0),
            completion_tokens=int(usage.get("completion_tokens") or 0),
        )
    return SimpleNamespace(choices=choices, usage=counted)


@cache
def _certificates() -> ssl.SSLContext:
    """Whom to trust: read once, because reading takes longer than a whole call."""
    return httpx.create_ssl_context()
