"""Server-sent events (WHATWG HTML, 9.2), as few writes as may be. Knows no event."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PING_SECONDS = 15.0  # proxies end connections on which nothing comes


def line(name: str, data: str) -> bytes:
    """One event. `data` is JSON on one line."""
    return f"event: {name}\r\ndata: {data}\r\n\r\n".encode()


class EventStream(Response):
    """Sends what `pieces` gives, one write each, until it ends or the reader has left."""

    media_type = "text/event-stream"

    # FastAPI reads the status of its description from the default here
    def __init__(self, pieces: AsyncGenerator[bytes, None], status_code: int = 200) -> None:
        self._pieces = pieces
        self.status_code = status_code
        self.background = None
        # a proxy that gathers a whole answer before it passes it on would show nothing till the end
        given = {"cache-control": "no-store", "x-accel-buffering": "no"}
        self.init_headers(given)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        async with aclosing(self._pieces) as pieces:
            try:
                async with asyncio.timeout(None) as present:
                    watching = asyncio.create_task(_watch(receive, send, present))
                    try:
                        async for piece in pieces:
                            await send(_body(piece))
                    finally:
                        watching.cancel()
                        await asyncio.gather(watching, return_exceptions=True)
            except TimeoutError:
                if not present.expired():
                    raise
                return  # nobody reads any more
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _watch(receive: Receive, send: Send, present: asyncio.Timeout) -> None:
    """Keep the connection in use; end `present` when the reader leaves."""
    while True:
        try:
            async with asyncio.timeout(PING_SECONDS):
                message = await receive()
        except TimeoutError:
            await send(_body(b": ping\r\n\r\n"))
            continue
        if message["type"] == "http.disconnect":
            present.reschedule(asyncio.get_running_loop().time())
            return


def _body(piece: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": piece, "more_body": True}
