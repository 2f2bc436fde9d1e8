"""What every HTTP request passes before any page or route. Knows no page and no permission.

In this order: is the host one of ours (DNS rebinding), does a changing request come from our own
pages (cross-site request forgery; OWASP "Fetch Metadata"), is the body small enough. On the way
out: security headers, no cross-origin permission whoever gave one, a renewed session cookie.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.faults import translated
from ui.messages import Language, say_error

if TYPE_CHECKING:
    from ui.identity import Identity

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MARGIN = 1024 * 1024  # for the text and the multipart frame around an upload of the largest size
DRAIN_SECONDS = 10.0
PERSONAL = ("/api/", "/scim/", "/samples/", "/metrics")  # no cache keeps what is answered here
REFUSALS = {
    "too-large": 413,
    "cross-site": 403,
    "host-not-allowed": 421,
    "internal": 500,
    "restoring": 503,
}
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}


class TooLarge(Exception):
    """More bytes arrived than were allowed."""


# (headers, status, code, language, data) → the refusal in the form that was asked for
Refused = Callable[..., Response]


class Door:
    """ASGI middleware. `limit_mib` bounds a request's body, declared or not; `large` has other
    bounds for the paths of routes that read a body piece by piece. `refused` puts a refusal into
    the form that was asked for; without it every refusal is {code, message}. `shuts` tells the
    paths that are closed while the home is being restored."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        identity: "Identity",
        limit_mib: int,
        refused: Refused | None = None,
        large: Mapping[str, int] | None = None,
        shuts: Callable[[str], bool] | None = None,
    ) -> None:
        self._app = app
        self._refused = refused
        self._identity = identity
        self._limit_mib = limit_mib
        self._large = large or {}
        self._shuts = shuts or (lambda _path: False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        refusal = self._refusal(request)
        if scope["type"] == "websocket":
            # nothing here speaks WebSocket, and browsers send them cross-site without asking
            await send({"type": "websocket.close", "code": 1008})
            return
        if refusal is not None:
            if refusal == "too-large" and "expect" not in request.headers:
                await drain(receive)
            await self._refuse(refusal, request, scope, receive, send)
            return
        await self._pass(request, scope, receive, send)

    def _most(self, request: HTTPConnection) -> int:
        """Bytes of a body to this path."""
        mib = self._large.get(request.scope["path"], self._limit_mib)
        return mib * 1024 * 1024 + MARGIN

    def _refusal(self, request: HTTPConnection) -> str | None:
        from ui.identity import host_of, is_loopback

        if self._identity.mode == "workshop" and not is_loopback(host_of(request)):
            return "host-not-allowed"
        if request.scope.get("method", "GET") not in SAFE_METHODS and not own_page(request.headers):
            return "cross-site"
        if self._shuts(request.scope["path"]):
            return "restoring"
        declared = request.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > self._most(request):
            return "too-large"
        return None

    async def _pass(
        self, request: HTTPConnection, scope: Scope, receive: Receive, send: Send
    ) -> None:
        started, seen, over = False, 0, False
        secure, most = request.url.scheme == "https", self._most(request)

        async def counted() -> Message:
            nonlocal seen, over
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                over = True
                raise TooLarge
            return message

        async def dressed(message: Message) -> None:
            nonlocal started
            if over and not started:
                return  # whatever the route made of the broken body: the refusal below is clearer
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                dress(headers, secure=secure)
                if scope["path"].startswith(PERSONAL):
                    headers.setdefault("cache-control", "no-store")
                # after the route: who signs out, or in as somebody else, must not get this
                # session back with a new cookie
                if not any(map(_of_session, headers.getlist("set-cookie"))):
                    renewed = self._renewal(request)
                    if renewed is not None:
                        headers.append("set-cookie", renewed(secure))
            await send(message)

        code = ""
        try:
            await self._app(scope, counted, dressed)
        except Exception as error:
            # it ends here: what stands above would print the error's text, which may be content;
            # `translated` logs where it happened without it
            code = "too-large" if over else translated(error).code
        if over and not started:
            await drain(receive)
            await self._refuse("too-large", request, scope, receive, send)
        elif code and not started:
            await self._refuse("internal", request, scope, receive, send)

    def _renewal(self, request: HTTPConnection) -> Callable[[bool], str] | None:
        from ui.identity import SESSION_COOKIE, set_cookie

        if SESSION_COOKIE not in request.cookies:
            return None
        renewal = self._identity.renew(request)
        if renewal is None:
            return None

        def header(secure: bool) -> str:
            carrier = Response()
            set_cookie(carrier, SESSION_COOKIE, renewal.value, secure=secure)
            return carrier.headers["set-cookie"]

        return header

    async def _refuse(
        self, code: str, request: HTTPConnection, scope: Scope, receive: Receive, send: Send
    ) -> None:
        language = self._identity.language(request)
        status = REFUSALS[code]
        most = self._large.get(request.scope["path"], self._limit_mib)
        data = {"limit": most} if code == "too-large" else {}
        if self._refused is None:
            response = refusal_response(status, code, say_error(language, code, **data), language)
        else:
            response = self._refused(request.headers, status, code, language, **data)
            response.headers.setdefault("content-security-policy", "default-src 'self'")
        dress(response.headers, secure=request.url.scheme == "https")
        await response(scope, receive, send)


def _of_session(cookie: str) -> bool:
    from ui.identity import SESSION_COOKIE

    return cookie.startswith(f"{SESSION_COOKIE}=")


def own_page(headers: Headers) -> bool:
    """True when a browser says the request comes from our own pages, or no browser sent it.

    Browsers attach Sec-Fetch-Site, or at least Origin, to every request that a page can cause with
    a changing method; command-line clients send neither and carry no ambient cookie.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return True
    return origin.partition("://")[2].lower() == headers.get("host", "").lower() != ""


def dress(headers: MutableHeaders, *, secure: bool) -> None:
    """Add the security headers that are missing; take away cross-origin permissions."""
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if secure:
        headers.setdefault("strict-transport-security", "max-age=31536000")
    # Gradio reflects any Origin with credentials when the Host is not local (UX.md)
    for name in [name for name in headers if name.startswith("access-control-")]:
        del headers[name]
    if "server" in headers:
        del headers["server"]


async def drain(receive: Receive) -> None:
    """Read and forget the rest of a body for a while: answering at once makes browsers show a
    broken connection instead of the message."""
    end = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < end:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return


def refusal_response(status: int, code: str, message: str, language: Language) -> Response:
    """The one shape of a refusal: JSON {code, message}, in the person's language."""
    body = {"code": code, "message": message}
    return Response(
        json.dumps(body, ensure_ascii=False).encode(),
        status,
        {"content-language": language, "cache-control": "no-store"},
        "application/json",
    )
