"""A small OpenAI-compatible server on loopback with scripted replies, over real sockets.

`Upstream` runs in a thread of its own, so that synchronous, asynchronous and browser tests can use
it alike. `bodies` holds the raw bytes of every request body, `requests` those of whole requests
(head and body): a test may prove from them what did and did not leave.

    with Upstream(Say("Bonjour <PERSON_1>")) as upstream:
        Models("openai/test", base=upstream.base, ...)
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

Fault = Literal["", "hang", "cut", "garbage", "not-json", "stall", "end"]


@dataclass(frozen=True)
class Say:
    """One reply. `delay` is seconds before each word; a `fault` strikes after `after` words.

    Faults: `hang` never sends a byte, `stall` stops sending after some words, `cut` closes the
    connection in the middle of the stream, `end` ends it politely but early, `garbage` sends a
    broken event, `not-json` answers with a page of HTML. Any other `status` has an error body.
    """

    text: str = ""
    tools: Sequence[tuple[str, dict[str, object]]] = ()
    delay: float = 0.0
    first_delay: float = 0.0
    status: int = 200
    fault: Fault = ""
    after: int = 2
    usage: tuple[int, int] = (12, 7)
    bad_arguments: bool = False


@dataclass
class _Call:
    body: dict[str, object] = field(default_factory=dict)
    gone: bool = False  # the caller closed before the reply was complete


class Upstream:
    """Answers POST /v1/chat/completions with the script in order; the last reply repeats."""

    def __init__(self, *script: Say) -> None:
        self.script = list(script) or [Say("Hello from upstream.")]
        self.bodies: list[bytes] = []
        self.requests: list[bytes] = []
        self.calls: list[_Call] = []
        self.port = 0
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def base(self) -> str:
        """Base address for `ATELIER_MODEL_BASE`."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def received(self) -> bytes:
        """Everything that ever arrived, heads included."""
        return b"\n".join(self.requests)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        loop, stop = self._loop, self._stop
        assert loop and stop
        loop.call_soon_threadsafe(stop.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        # open connections end with the loop: asyncio.run cancels their tasks

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = (ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError)
        with contextlib.suppress(*ends):
            while await self._one(reader, writer):
                pass
        with contextlib.suppress(ConnectionError):
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            ),
            0,
        )
        body = await reader.readexactly(length)
        self.requests.append(head + body)
        self.bodies.append(body)
        call = _Call(json.loads(body) if body else {})
        self.calls.append(call)
        say = self.script[min(len(self.calls), len(self.script)) - 1]
        watch = asyncio.create_task(_watch(reader, call))
        try:
            return await _answer(say, call, writer)
        finally:
            watch.cancel()


async def _watch(reader: asyncio.StreamReader, call: _Call) -> None:
    # a caller that waits for a reply sends nothing, so end-of-file means that it hung up
    while not reader.at_eof():
        await asyncio.sleep(0.02)
    call.gone = True


async def _answer(say: Say, call: _Call, writer: asyncio.StreamWriter) -> bool:
    if say.fault == "hang":
        await _until_gone(call)
        return False
    await asyncio.sleep(say.first_delay)
    if say.status != 200:
        kind = {401: "invalid_api_key", 429: "rate_limit_exceeded"}.get(say.status, "server_error")
        error = {"error": {"message": "scripted failure", "type": kind, "code": kind}}
        _send(writer, say.status, "application/json", json.dumps(error).encode())
        await writer.drain()
        return True
    if say.fault == "not-json":
        _send(writer, 200, "text/html", b"<html><body>Sign in to the proxy</body></html>")
        await writer.drain()
        return True
    if not call.body.get("stream"):
        _send(writer, 200, "application/json", json.dumps(_whole(say)).encode())
        await writer.drain()
        return True
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n")
    writer.write(b"transfer-encoding: chunked\r\n\r\n")
    for number, delta in enumerate(_deltas(say)):
        if say.fault and number >= say.after:
            if say.fault == "stall":
                await _until_gone(call)
                return False
            if say.fault == "end":
                writer.write(b"0\r\n\r\n")
                await writer.drain()
                return True
            if say.fault == "garbage":
                _chunk(writer, b'data: {"choices": [{"delta": \n\n')
                await writer.drain()
                await asyncio.sleep(0.05)
            return False  # cut: no last chunk
        await asyncio.sleep(say.delay)
        _chunk(writer, _event({"choices": [{"index": 0, "delta": delta}]}))
        await writer.drain()
        if call.gone:
            return False
    finish = "tool_calls" if say.tools else "stop"
    _chunk(writer, _event({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}))
    _chunk(writer, _event({"choices": [], "usage": _usage(say)}))
    _chunk(writer, b"data: [DONE]\n\n")
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


async def _until_gone(call: _Call) -> None:
    while not call.gone:
        await asyncio.sleep(0.02)


def _deltas(say: Say) -> Iterator[dict[str, object]]:
    yield {"role": "assistant", "content": ""}
    words = say.text.split(" ") if say.text else []
    for index, word in enumerate(words):
        yield {"content": word if index == 0 else " " + word}
    for index, (name, arguments) in enumerate(say.tools):
        text = json.dumps(arguments)
        if say.bad_arguments:
            text = text[:-1]
        head = {"index": index, "id": f"call_{index}", "type": "function"}
        yield {"tool_calls": [{**head, "function": {"name": name, "arguments": ""}}]}
        half = len(text) // 2  # providers split arguments anywhere
        for piece in (text[:half], text[half:]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _whole(say: Say) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": say.text or None}
    if say.tools:
        message["tool_calls"] = [
            {"id": f"call_{i}", "type": "function",
             "function": {"name": name, "arguments": json.dumps(arguments)}}
            for i, (name, arguments) in enumerate(say.tools)
        ]  # fmt: skip
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return _frame("chat.completion", {"choices": [choice], "usage": _usage(say)})


def _usage(say: Say) -> dict[str, int]:
    sent, made = say.usage
    return {"prompt_tokens": sent, "completion_tokens": made, "total_tokens": sent + made}


def _frame(kind: str, more: dict[str, object]) -> dict[str, object]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": "scripted", **more}


def _event(more: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(_frame("chat.completion.chunk", more)).encode() + b"\n\n"


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def _send(writer: asyncio.StreamWriter, status: int, kind: str, body: bytes) -> None:
    head = f"HTTP/1.1 {status} Scripted\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
    writer.write(head.encode() + b"\r\n" + body)
