"""Read one page through the allow-list. Bytes are capped here and turned into text in the seal."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx

from agents.tools.base import NotDone, Page
from sandbox.broker.fetch_rules import Hosts, Lookup, Place, look_up

MAX_BYTES = 3 * 1024 * 1024
SECONDS = 25.0
REDIRECTS = 4
TYPES: Mapping[str, str] = {
    "text/html": "page.html",
    "application/xhtml+xml": "page.html",
    "text/plain": "page.txt",
    "text/markdown": "page.md",
    "text/csv": "page.csv",
    "application/json": "page.txt",
    "application/pdf": "page.pdf",
}
AGENT = "Atelier (agent of a person; reads one page)"

ToText = Callable[[str, bytes], Awaitable[str]]  # a file's name and bytes to text, in the seal


@dataclass(frozen=True)
class Answer:
    """What a server said, its body within the cap."""

    status: int
    address: str
    media_type: str
    body: bytes
    challenge: str = ""  # of a 401: what it wants (RFC 9110, 11.6.1)


@dataclass(frozen=True)
class Fetcher:
    """Requests to allowed places only. Keeps no cookies, sends no credentials of its own."""

    hosts: Hosts
    lookup: Lookup = look_up
    seconds: float = SECONDS
    most: int = MAX_BYTES
    verify: Any = field(default=True, repr=False)  # True, or an ssl.SSLContext

    async def page(self, address: str, to_text: ToText) -> Page:
        """The text of one page, redirects followed inside the list. Raises NotDone."""
        answer = await self._get(address)
        name = TYPES.get(answer.media_type)
        if name is None:
            raise NotDone("the page is of a type that is not read; only text, HTML, CSV, JSON, PDF")
        if answer.status >= 400:
            raise NotDone(f"the site answered {answer.status}")
        text = await to_text(name, answer.body)
        return Page(answer.address, answer.media_type, text)

    async def _get(self, address: str) -> Answer:
        for _ in range(REDIRECTS + 1):
            answer = await self.request("GET", address)
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            # the next round checks it like any other address, pinned anew
            address = urljoin(address, answer.body.decode("latin-1"))
        raise NotDone("the page redirects too often")

    async def request(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
    ) -> Answer:
        """One request, no redirect followed: then `body` is the new address. Raises NotDone."""
        place = await self.hosts.place(address, self.lookup)
        try:
            async with asyncio.timeout(self.seconds):
                return await self._sent(method, address, place, headers or {}, content)
        except TimeoutError as error:
            raise NotDone("the site took too long") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise NotDone("the site could not be reached") from error

    async def _sent(
        self, method: str, address: str, place: Place, headers: Mapping[str, str], content: bytes
    ) -> Answer:
        shown = place.host if place.port in (80, 443) else f"{place.host}:{place.port}"
        # not compressed: a small body could unpack to a large one
        head = {"user-agent": AGENT, "accept-encoding": "identity", **headers, "host": shown}
        # no proxy of the environment: it would look the name up again, on its own
        async with httpx.AsyncClient(
            verify=self.verify, trust_env=False, follow_redirects=False, timeout=self.seconds
        ) as web:
            request = web.build_request(
                method,
                pinned(address, place),
                headers=head,
                content=content or None,
                extensions={"sni_hostname": place.host},
            )
            answer = await web.send(request, stream=True)
            try:
                return await self._read(answer, address)
            finally:
                await answer.aclose()

    async def _read(self, answer: httpx.Response, address: str) -> Answer:
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if answer.is_redirect:
            where = answer.headers.get("location", "").encode("latin-1", "replace")
            return Answer(answer.status_code, address, media_type, where[:2000])
        if answer.headers.get("content-encoding", "identity") not in ("", "identity"):
            raise NotDone("the site answered in a packed form that is not read")
        body = bytearray()
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > self.most:
                raise NotDone(f"the page is larger than {self.most // 1024 // 1024} MiB")
        challenge = answer.headers.get("www-authenticate", "")[:2000]
        return Answer(answer.status_code, address, media_type, bytes(body), challenge)


def pinned(address: str, place: Place) -> str:
    """The address with the number in place of the name."""
    parts = urlsplit(address)
    number = f"[{place.number}]" if ":" in place.number else place.number
    return urlunsplit((parts.scheme, f"{number}:{place.port}", parts.path or "/", parts.query, ""))
