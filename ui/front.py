"""The first thing that listens: answers while the product behind it is still being put together."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.messages import LANGUAGES, Language, say

# stands alone: nothing of the product can be asked for yet, so its look is written out here
PAGE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="1"><title>Atelier</title><style>
:root{{color-scheme:light dark;
--page:#F6F7F4;--card:#fff;--ink:#15211E;--line:#E1E6E3;--go:#0B6B5D}}
@media(prefers-color-scheme:dark){{:root{{
--page:#0F1614;--card:#18211F;--ink:#E7EEEB;--line:#2B3734;--go:#3FBFA8}}}}
body{{font:16px/1.55 Inter,system-ui,sans-serif;background:var(--page);color:var(--ink);
display:grid;place-items:center;min-height:100vh;margin:0}}
main{{box-sizing:border-box;width:min(92vw,420px);padding:32px;border:1px solid var(--line);
border-radius:14px;background:var(--card);display:grid;gap:14px;justify-items:center;
text-align:center}}
svg{{width:48px;height:48px}}p{{margin:0;text-wrap:balance}}
i{{width:100%;height:6px;border-radius:9px;overflow:hidden;background:var(--line)}}
i::after{{content:"";display:block;width:40%;height:100%;border-radius:9px;background:var(--go);
animation:go 1.4s ease-in-out infinite alternate}}
@keyframes go{{to{{margin-left:60%}}}}
@media(prefers-reduced-motion:reduce){{i::after{{animation:none;width:100%}}}}
</style></head><body><main>{mark}<p role="status">{text}</p><i></i></main></body></html>"""
MARK = Path(__file__).with_name("web") / "static/icons/mark.svg"


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
        mark = MARK.read_text("utf-8")
        page = PAGE.format(language=language, text=escape(text), mark=mark)
        return HTMLResponse(page, 503, headers)
