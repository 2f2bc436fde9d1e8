"""The first thing that listens: answers while the product behind it is still being put together."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.messages import LANGUAGES, Language, say

PAGE = """<!doctype html><html lang="{language}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="1">
<title>Atelier</title><style>body{{font:16px/1.5 system-ui,sans-serif;background:#F6F7F4;
color:#15211E;display:grid;place-items:center;min-height:90vh;margin:0}}p{{max-width:30em;
padding:1em}}</style><main><p role="status">{text}</p></main></html>"""


class Front:
    """ASGI application that hands everything to `inner` as soon as there is one.

    `lifetime` is entered at start and left at the end; it sets `inner` when it is ready.
    """

    def __init__(
        self, lifetime: Callable[["Front"], AbstractAsyncContextManager[None]], language: Language
    ) -> None:
        self.inner: ASGIApp | None = None
        self._lifetime = lifetime
        self._language: Language = language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self.inner is not None:
            await self.inner(scope, receive, send)
        elif scope["type"] == "http":
            await self._starting(Request(scope))(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1013})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self._lifetime(self):
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    def _starting(self, request: Request) -> Response:
        wanted = request.headers.get("accept-language", "").lower()[:2]
        language = next((each for each in LANGUAGES if each == wanted), self._language)
        text = say(language, "cli.serve.starting-page")
        headers = {
            "retry-after": "1",
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
        }
        if request.url.path == "/api/v1/health":
            body = json.dumps({"status": "ok", "warming": True, "model": None})
            return Response(body, 200, headers, "application/json")
        if request.url.path.startswith("/api/"):
            body = json.dumps({"code": "starting", "message": text}, ensure_ascii=False)
            return Response(body, 503, headers, "application/json")
        page = PAGE.format(language=language, text=escape(text))
        return HTMLResponse(page, 503, headers)
