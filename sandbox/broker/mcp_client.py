"""Tool servers by the Model Context Protocol, through the official client.

A server over HTTP is reached through the allow-list with pinned numbers; one over standard input
and output runs in a seal of its own: no network, no files but its own, no environment. One
connection for each question, so that nothing of one call is there in the next.
"""

import contextlib
import hashlib
import json
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import httpx2

from agents.tools.base import NotDone
from sandbox.broker.fetch import MAX_BYTES
from sandbox.broker.fetch_rules import Hosts, Lookup, look_up
from sandbox.broker.mcp_sealed import sealed
from sandbox.broker.openapi import MAX_TOOLS, Definition, slug

SECONDS = 30.0
MAX_ANSWER = 20_000
MAX_SCHEMA = 20_000  # characters of one tool's schema


async def offered(
    settings: Mapping[str, Any], id: str, hosts: Hosts, headers: Mapping[str, str]
) -> tuple[list[Definition], str]:
    """The server's tools as definitions, in its order, and their hash. Raises NotDone."""
    async with _session(settings, hosts, headers) as session:
        tools = (await session.list_tools()).tools
    if len(tools) > MAX_TOOLS:
        raise NotDone("the server offers too many tools")
    inside = "script" in settings
    reads = set(settings.get("reads") or ())
    found: list[Definition] = [
        {
            "name": slug(id, tool.name),
            "remote": tool.name,
            "description": " ".join(str(tool.description or tool.name).split())[:800],
            # what a server says of its own harmlessness is not believed; the seal has no way out
            "side_effect": "reads" if inside or tool.name in reads else "sends",
            "parameters": _parameters(tool),
        }
        for tool in tools
    ]
    return found, list_hash([raw(tool) for tool in tools])


async def call(
    settings: Mapping[str, Any],
    pinned: str,
    remote: str,
    arguments: Mapping[str, Any],
    hosts: Hosts,
    headers: Mapping[str, str],
) -> tuple[bool, str]:
    """Whether the tool agreed, and its words. Raises NotDone, Changed when the list is not the one
    that was confirmed: it is asked for again with every call, over the same connection."""
    async with _session(settings, hosts, headers) as session:
        tools = (await session.list_tools()).tools
        if list_hash([raw(tool) for tool in tools]) != pinned:
            raise Changed("the tool server changed its tools; an administrator has to confirm them")
        result = await session.call_tool(remote, dict(arguments))
    words = [one.text for one in result.content if one.type == "text"]
    left = len(result.content) - len(words)
    if left:
        words.append(f"({left} parts that are no text were left out)")
    return not result.is_error, "\n".join(words)[:MAX_ANSWER]


class Changed(NotDone):
    """The server's tools are not the confirmed ones."""


class Unauthorized(NotDone):
    """The server does not take our token, or wants one."""

    def __init__(self) -> None:
        super().__init__("the tool server wants somebody to sign in")


def raw(tool: Any) -> dict[str, Any]:
    """All that a server says of one tool."""
    return cast(dict[str, Any], tool.model_dump(mode="json", exclude_none=True))


def list_hash(tools: list[dict[str, Any]]) -> str:
    """SHA-256 of a list of tools, whatever their order."""
    lines = sorted(json.dumps(one, sort_keys=True, ensure_ascii=False) for one in tools)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _parameters(tool: Any) -> dict[str, Any]:
    schema = dict(tool.input_schema or {})
    if len(json.dumps(schema)) > MAX_SCHEMA:
        raise NotDone("a tool's arguments are described at too great length")
    return {
        **schema,
        "type": "object",
        "properties": schema.get("properties") or {},
        "additionalProperties": False,
    }


@contextlib.asynccontextmanager
async def _session(
    settings: Mapping[str, Any], hosts: Hosts, headers: Mapping[str, str]
) -> AsyncIterator[Any]:
    import asyncio

    from mcp.client.session import ClientSession

    logging.getLogger("mcp").setLevel(logging.CRITICAL)  # its messages quote what a server says
    transport = sealed(settings) if "script" in settings else _over_http(settings, hosts, headers)
    try:
        async with (
            asyncio.timeout(SECONDS),
            transport as streams,
            ClientSession(streams[0], streams[1], read_timeout_seconds=SECONDS) as session,
        ):
            await session.initialize()
            yield session
    except NotDone:
        raise
    except TimeoutError as error:
        raise NotDone("the tool server took too long") from error
    # whatever a hostile or broken server makes the client raise, often as a group of errors, means
    # the same: there is no answer
    except Exception as error:
        raise _inner(error) or NotDone("the tool server did not answer as it should") from error


def _inner(error: BaseException) -> NotDone | None:
    """Our own refusal inside a group of errors."""
    if isinstance(error, NotDone):
        return error
    for one in getattr(error, "exceptions", ()):
        if (found := _inner(one)) is not None:
            return found
    return None


@contextlib.asynccontextmanager
async def _over_http(
    settings: Mapping[str, Any], hosts: Hosts, headers: Mapping[str, str]
) -> AsyncIterator[Any]:
    from mcp.client.streamable_http import streamable_http_client

    async with (
        httpx2.AsyncClient(
            transport=Pinned(hosts), headers=dict(headers), timeout=SECONDS, trust_env=False
        ) as web,
        streamable_http_client(str(settings["url"]), http_client=web) as streams,
    ):
        yield streams


class Pinned(httpx2.AsyncBaseTransport):
    """Every request, redirects too, goes to an allowed host at the number that was checked."""

    def __init__(self, hosts: Hosts, lookup: Lookup = look_up) -> None:
        self._hosts, self._lookup = hosts, lookup
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it. Raises NotDone."""
        place = await self._hosts.place(str(request.url), self._lookup)
        request.extensions = {**request.extensions, "sni_hostname": place.host}
        request.url = request.url.copy_with(host=place.number)  # the host header stays
        # not compressed: a small answer could unpack to a large one
        request.headers["accept-encoding"] = "identity"
        answer = await self._inner.handle_async_request(request)
        if answer.headers.get("content-encoding", "identity") not in ("", "identity"):
            await answer.aclose()
            raise NotDone("the tool server answered in a packed form that is not read")
        if answer.status_code == 401:
            await answer.aclose()
            raise Unauthorized
        answer.stream = _Capped(cast(httpx2.AsyncByteStream, answer.stream))
        return answer

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class _Capped(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._stream:
            size += len(piece)
            if size > MAX_BYTES:
                raise NotDone("the tool server said too much")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
