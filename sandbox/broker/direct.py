"""A streamed call to a server at an address of its own that speaks OpenAI's protocol.

Most organisations run such a server (vLLM, llama.cpp, a gateway). litellm stays the router for
every provider; here it would cost more processor time for each answer than the screen, the policy,
the ledger and the seal together (docs/decisions/0011). Errors are raised as they come, for
`errors.translate`.
"""

import json
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx

from sandbox.broker.errors import ModelError
from sandbox.broker.providers import LOOPBACK

MAX_LINE = 1_000_000
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


def fits(provider: str, name: str, parameters: Mapping[str, object]) -> bool:
    """Whether this is a call for here: an own address, the plain protocol, no name of OpenAI's."""
    base = parameters.get("api_base")
    return (
        provider in ("openai", "hosted_vllm")
        and isinstance(base, str)
        and bool(base)
        and set(parameters) <= {"api_base", "api_key"}
        and not name.startswith(OWN_NAMES)
    )


async def chunks(
    name: str,
    messages: Sequence[Mapping[str, object]],
    tools: Sequence[Mapping[str, object]],
    *,
    parameters: Mapping[str, object],
    max_tokens: int,
    temperature: float,
) -> AsyncGenerator[Any, None]:
    """The chunks of one reply, as objects with OpenAI's fields. The caller bounds the time."""
    base = str(parameters["api_base"]).rstrip("/")
    wanted: dict[str, Any] = {
        "model": name,
        "messages": list(messages),
        "max_tokens": max_tokens,
        "temperature": temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if tools:
        wanted["tools"] = [{"type": "function", "function": dict(tool)} for tool in tools]
    address = urlsplit(base)
    client = httpx.AsyncClient(
        verify=_certificates() if address.scheme == "https" else False,
        timeout=None,  # noqa: S113  (the caller bounds the whole call)
        # a company's proxy must not see what is said to a model on this very machine
        trust_env=(address.hostname or "") not in LOOPBACK,
        follow_redirects=False,  # to somebody who was not chosen
    )
    headers = {"authorization": f"Bearer {parameters.get('api_key') or 'none'}"}
    async with client:
        request = client.stream("POST", f"{base}/chat/completions", json=wanted, headers=headers)
        async with request as answer:
            if answer.status_code != 200:
                raise await _refusal(answer)
            if "event-stream" not in answer.headers.get("content-type", ""):
                raise ModelError("model-malformed", provider="openai")
            async for line in _lines(answer):
                if line.startswith(b"data:"):
                    data = line[5:].strip()
                    if data == b"[DONE]":
                        return
                    yield _chunk(json.loads(data))


async def _lines(answer: httpx.Response) -> AsyncGenerator[bytes, None]:
    rest = b""
    async for part in answer.aiter_bytes():
        *whole, rest = (rest + part).split(b"\n")
        if len(rest) > MAX_LINE:
            raise ModelError("model-malformed", provider="openai")
        for line in whole:
            yield line


async def _refusal(answer: httpx.Response) -> Exception:
    body = b""
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > MAX_REFUSAL:
            break
    status = answer.status_code
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
