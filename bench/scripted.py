"""A scripted model that costs next to nothing: words rendered once, each a timer and a write.

For load figures only; tests use `tests.upstream`, which can also misbehave.
"""

import asyncio
import json
import socket
from typing import cast

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


async def serve(listener: socket.socket, text: str, pause: float) -> asyncio.Server:
    """Answer every request on `listener` with `text`: the first word at once, then one word each
    `pause` seconds."""
    pieces = _pieces(text)
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Answer(pieces, pause), sock=listener)


class _Answer(asyncio.Protocol):
    """One connection; the requests on it come one after the other."""

    def __init__(self, pieces: list[bytes], pause: float) -> None:
        self._pieces = pieces
        self._pause = pause
        self._given = b""
        self._next: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        self._given += data
        head, found, body = self._given.partition(b"\r\n\r\n")
        if found and len(body) >= _length(head):
            self._given = b""
            self._begun = self._loop.time()
            self._say(0)

    def connection_lost(self, error: Exception | None) -> None:
        if self._next is not None:
            self._next.cancel()

    def _say(self, number: int) -> None:
        self._transport.write(self._pieces[number])
        if number + 1 < len(self._pieces):
            due = self._begun + (number + 1) * self._pause
            self._next = self._loop.call_at(due, self._say, number + 1)


def _length(head: bytes) -> int:
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
    return int(fields.get(b"content-length", b"0"))


def _pieces(text: str) -> list[bytes]:
    """What is written for each word; the first goes with the head, the last with the end."""
    first, *rest = text.split(" ")
    events = [
        HEAD
        + _event({"delta": {"role": "assistant", "content": ""}})
        + _event({"delta": {"content": first}}),
        *(_event({"delta": {"content": f" {word}"}}) for word in rest),
    ]
    usage = {"prompt_tokens": 12, "completion_tokens": 60, "total_tokens": 72}
    events[-1] += _event({"delta": {}, "finish_reason": "stop"}) + _event(None, usage)
    events[-1] += _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"
    return events


def _event(choice: dict[str, object] | None, usage: dict[str, int] | None = None) -> bytes:
    frame: dict[str, object] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "scripted",
        "choices": [] if choice is None else [{"index": 0, **choice}],
    }
    if usage is not None:
        frame["usage"] = usage
    return _chunk(b"data: " + json.dumps(frame).encode() + b"\n\n")


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"
