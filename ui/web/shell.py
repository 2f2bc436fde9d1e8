"""The ASGI layer around everything: who may see a page, the frame, language, security headers.

Knows what a page is (`nav`), not what is on it. Gradio's own HTML is rewritten here: its
third-party metas go, the frame comes, scripts get a nonce, all mounts share one copy of assets.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.access import may
from ui.branding import Branding
from ui.door import refusal_response
from ui.identity import LANGUAGE_COOKIE, Identity, Person, set_cookie
from ui.messages import Language, say, say_error
from ui.web import frame, headers, nav
from ui.web.documents import lost, refused, trouble
from ui.web.markup import Markup, static
from ui.web.packing import packed
from ui.web.plain import Renderer

ASSETS = "/en/assets/"  # one address for Gradio's files, whichever page asks
_ASSETS_OF = "/en/build/assets/"  # the mount that has them
# what a page's script asks of Gradio; its other routes (uploads, proxies, the queue, components'
# own servers, API pages) have no use here and are not reachable
_USED = re.compile(
    r"/(?:en|fr)(?:/\w+)?/(?:assets/.+|static/.+|theme\.css"
    r"|gradio_api/run/predict|gradio_api/heartbeat/\w+)"
)
_ASSET = re.compile(r"/(?:en|fr)/assets/(.+)")
_MOUNT = re.compile(r"/(?:en|fr)(?:/|$)")
_METAS = re.compile(r"<meta\s+(?:property|name)=\"(?:og:|twitter:)[^>]*>\s*", re.S)
_STYLE = re.compile(r"<style>\s*:root \{.*?</style>", re.S)
_HTML = re.compile(r"<html\b[^>]*>", re.S)
_FRAMER = re.compile(r"<script>\s*\(\(\) => \{\s*const root = .*?</script>", re.S)
# Gradio's script loads its sheet unless a link with this very address is there already
_SHEET = re.compile(rf"(<link rel=\"stylesheet\"[^>]*href=\"){re.escape(ASSETS)}")
_MANIFEST = re.compile(r"<link rel=\"manifest\"[^>]*>\s*")
HEAD_CSS = ("tokens", "shell", "parts", "plain", "gradio", "pages")

Look = Callable[[Language, nav.Page | None, str, Person, bool], frame.Surroundings]
FRESH = "x-atelier-fresh"  # sent by plain.js after an act: nothing kept of before


class Shell:
    """Wraps the whole application. `look` tells what the frame shows of the house's state,
    `plain` draws the pages that need no Gradio."""

    def __init__(self, app: ASGIApp, *, identity: Identity, look: Look, plain: Renderer) -> None:
        self._plain = plain
        self._app = app
        self._zipped = GZipMiddleware(app, 1024)  # what Gradio's handlers answer
        self._identity = identity
        self._look = look

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        page_nonce = headers.nonce()
        guarded = _Guarded(send, headers.policy(page_nonce))
        inner: ASGIApp
        found = nav.find(scope["path"]) if scope["method"] in ("GET", "HEAD") else None
        if found is None:
            inner = self._app
            if _MOUNT.match(scope["path"]) and not _USED.fullmatch(scope["path"]):
                inner = await self.lost(Request(scope))
            elif name := _ASSET.fullmatch(scope["path"]):
                path = _ASSETS_OF + name[1]
                scope = {**scope, "path": path, "raw_path": path.encode()}
            elif scope["path"].endswith("/run/predict"):
                inner = self._zipped
            await inner(scope, receive, guarded)
            return
        request = Request(scope)
        answer = await self._page(request, receive, *found, page_nonce)
        await answer(scope, receive, guarded)

    async def lost(self, request: Request) -> Response:
        """404: a page in the frame for a browser that is signed in, else a page or JSON alone."""
        language = self._identity.language(request)
        person = self._identity.person(request) if wants_page(request.headers) else None
        if person is None:
            return refused_as(request.headers, 404, "no-such-page", language)
        name = say(language, "identity.owner") if person.workshop else person.name
        person = replace(person, language=language, name=name)
        around = await run_in_threadpool(self._look, language, None, "", person, False)
        return self._finish(request, lost(person, around), language)

    async def _page(
        self,
        request: Request,
        receive: Receive,
        language: Language,
        page: nav.Page,
        page_nonce: str,
    ) -> Response:
        person = self._identity.person(request)
        query = request.url.query
        if person is None:
            back = nav.address(language, page.id, query)
            return RedirectResponse(f"/sign-in?{urlencode({'next': back})}", 303)
        # the address says the language, whatever cookie or browser wish came along
        name = say(language, "identity.owner") if person.workshop else person.name
        person = replace(person, language=language, name=name)
        fresh = FRESH in request.headers
        around = await run_in_threadpool(self._look, language, page, query, person, fresh)
        if not may(person, page.permission):
            return self._finish(request, refused(person, around, page), language)
        if page.kind == "plain":
            answer = await run_in_threadpool(self._plain, request, person, page, around)
            return self._finish(request, answer, language)
        # the mount's own address ends with a slash; ours does not
        path = f"/{language}{page.path}/"
        scope = {**request.scope, "method": "GET", "path": path, "raw_path": path.encode()}
        inner = await _collect(self._app, scope, receive)
        if inner.status_code != 200:
            return inner
        html = rewrite(bytes(inner.body).decode(), person, around, page_nonce)
        return self._finish(request, HTMLResponse(html), language)

    def _finish(self, request: Request, answer: Response, language: Language) -> Response:
        answer.headers["cache-control"] = "no-store"
        if request.cookies.get(LANGUAGE_COOKIE) != language:
            set_cookie(answer, LANGUAGE_COOKIE, language, secure=request.url.scheme == "https")
        return packed(request, answer)


def wants_page(headers: Headers) -> bool:
    """True for a browser that opens an address, False for programs and for pages' own calls."""
    return "text/html" in headers.get("accept", "")


def refused_as(
    headers: Headers, status: int, code: str, language: Language, **data: object
) -> Response:
    """A refusal in the form that was asked for: a page, or {code, message}."""
    message = say_error(language, code, **data)
    if wants_page(headers):
        return trouble(language, status, code, message)
    return refusal_response(status, code, message, language)


def rewrite(html: str, person: Person, around: frame.Surroundings, page_nonce: str) -> str:
    """Gradio's page with our frame around it. Raises ValueError when Gradio's page has changed."""
    if "<gradio-app" not in html or "</gradio-app>" not in html:
        raise ValueError("Gradio's page no longer has a <gradio-app>: ui/web/shell.py must follow")
    for pattern in (_METAS, _STYLE, _FRAMER, _MANIFEST):
        html = pattern.sub("", html)
    html = _HTML.sub(f'<html lang="{around.language}" class="atl">', html, count=1)
    html = _SHEET.sub(r"\1./assets/", html.replace("./assets/", ASSETS))
    title = say(around.language, f"web.nav.{around.page.id}") if around.page else ""
    html = html.replace("<head>", f"<head>{head(title, around.house)}", 1)
    html = html.replace("<gradio-app", f"{frame.before(person, around)}<gradio-app", 1)
    html = html.replace("</gradio-app>", f"</gradio-app>{frame.after(person, around)}", 1)
    return html.replace("<script", f'<script nonce="{page_nonce}"')


def head(title: str, house: Branding) -> Markup:
    """What every Gradio page has in its head."""
    links = [
        Markup('<link rel="stylesheet" href="{}">').format(static(f"css/{name}.css"))
        for name in HEAD_CSS
    ]
    font = Markup('<link rel="preload" as="font" type="font/woff2" crossorigin href="{}">').format(
        static("fonts/inter-latin-wght-normal.woff2")
    )
    return Markup(
        "<title>{} · {}</title>{}{}{}"
        '<link rel="icon" type="image/svg+xml" href="{}"><script src="{}"></script>'
        '<script type="module" src="{}"></script>'
    ).format(
        title,
        house.name or "Atelier",
        font,
        Markup("").join(links),
        frame.look_link(house),
        static("icons/mark.svg"),
        static("js/early.js"),
        static("js/shell.js"),
    )


class _Guarded:
    """Adds the content security policy to whatever is sent (the door adds the other headers)."""

    def __init__(self, send: Send, policy: str) -> None:
        self._send = send
        self._policy = policy

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            given = MutableHeaders(raw=list(message["headers"]))
            if not given.get("content-security-policy"):
                given["content-security-policy"] = self._policy
            message = {**message, "headers": given.raw}
        await self._send(message)


async def _collect(app: ASGIApp, scope: Scope, receive: Receive) -> Response:
    """Run the inner application to its end and keep what it says (pages are small)."""
    start: Message = {"status": 500, "headers": []}
    body: list[bytes] = []
    # Gradio must answer plain text here: it is rewritten, then compressed once by nobody's choice
    plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]

    async def send(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
        elif message["type"] == "http.response.body":
            body.append(message.get("body", b""))

    await app({**scope, "headers": plain}, receive, send)
    answer = Response(b"".join(body), status_code=start["status"])
    for name, value in start["headers"]:
        if name.lower() not in (b"content-length",):
            answer.headers[name.decode("latin-1")] = value.decode("latin-1")
    return answer
