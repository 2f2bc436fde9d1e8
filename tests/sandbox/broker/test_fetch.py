"""The web proxy: an allow-list, pinned numbers, caps; over real sockets on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from agents.tools.base import NotDone
from sandbox.broker.fetch import Fetcher
from sandbox.broker.fetch_rules import Hosts, public


async def text_of(name: str, body: bytes) -> str:
    return f"{name}:{body.decode()}"


@contextlib.asynccontextmanager
async def site(answer: Callable[[str], bytes]) -> AsyncIterator[tuple[int, list[str]]]:
    """A server that answers each request's path; its port, and the heads that it was sent."""
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            heads.append(head)
            writer.write(answer(head.split()[1]))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heads


def page(body: bytes, kind: str = "text/html", more: str = "") -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def moved(where: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nlocation: {where}\r\ncontent-length: 0\r\n\r\n".encode()


async def here(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def fetcher(*entries: str, **given: object) -> Fetcher:
    return Fetcher(Hosts(entries), here, **given)  # type: ignore[arg-type]


async def test_an_allowed_page_is_read_at_the_pinned_number() -> None:
    async with site(lambda _path: page(b"hello")) as (port, heads):
        found = await fetcher(f"private:wiki.example:{port}").page(
            f"http://wiki.example:{port}/a?b=c#d", text_of
        )
    assert found.text == "page.html:hello"
    assert (
        heads[0].startswith("GET /a?b=c HTTP") and f"host: wiki.example:{port}" in heads[0].lower()
    )
    assert "cookie" not in heads[0].lower()


@pytest.mark.parametrize(
    "address",
    [
        "https://other.example/",
        "https://example.com.evil.example/",
        "https://example.com:8443/",
        "https://user:secret@example.com/",
        "https://example.com@evil.example/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://127.1/",
        "https://[::1]/",
        "https://exämple.com/",
        "https:\\\\example.com/",
        "https://example.com/\n",
        "https://evil-example.com/",
        "javascript:alert(1)",
        "https://" + "a" * 700,
        "https://example.com:99999/",
    ],
)
async def test_an_address_off_the_list_is_refused(address: str) -> None:
    with pytest.raises(NotDone):
        await fetcher("example.com", "*.example.com").page(address, text_of)


async def test_a_subdomain_needs_its_star() -> None:
    assert Hosts.of("*.example.com").no("https://docs.example.com/x") is None
    assert Hosts.of("example.com").no("https://docs.example.com/x") is not None
    assert Hosts.of("").no("https://example.com/") is not None


@pytest.mark.parametrize(
    "number",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "::1", "fe80::1%eth0",
     "fc00::1", "0.0.0.0", "100.64.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
     "224.0.0.1", "255.255.255.255", "64:ff9b:1::7f00:1", "fec0::1", "::127.0.0.1",
     "::ffff:0:7f00:1", "5f00::1"],
)  # fmt: skip
async def test_a_name_that_leads_inside_is_refused(number: str) -> None:
    async def inside(_host: str, _port: int) -> Sequence[str]:
        return ["93.184.216.34", number]

    assert not public(number)
    with pytest.raises(NotDone, match="own network"):
        await Fetcher(Hosts(("example.com",)), inside).page("https://example.com/", text_of)


async def test_a_name_is_looked_up_once_and_that_number_is_used() -> None:
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    async with site(lambda _path: page(b"ok")) as (port, _heads):
        one = Fetcher(Hosts((f"private:a.example:{port}",)), rebinding)
        assert (await one.page(f"http://a.example:{port}/", text_of)).text.endswith("ok")
    assert asked == ["a.example"]


async def test_a_redirect_off_the_list_is_not_followed() -> None:
    async with site(lambda _path: moved("http://evil.example/steal")) as (port, heads):
        with pytest.raises(NotDone, match="not on the list"):
            await fetcher(f"private:a.example:{port}").page(f"http://a.example:{port}/", text_of)
    assert len(heads) == 1


async def test_a_redirect_inside_the_list_is_followed_but_not_for_ever() -> None:
    async with site(lambda path: page(b"end") if path == "/end" else moved("/end")) as (port, _):
        one = fetcher(f"private:a.example:{port}")
        assert (await one.page(f"http://a.example:{port}/", text_of)).address.endswith("/end")
    async with site(lambda _path: moved("/again")) as (port, heads):
        with pytest.raises(NotDone, match="too often"):
            await fetcher(f"private:a.example:{port}").page(f"http://a.example:{port}/", text_of)
    assert len(heads) == 5


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (page(b"MZ", "application/octet-stream"), "type"),
        (page(b"x" * 5000), "larger"),
        (page(b"x", more="content-encoding: gzip\r\n"), "packed"),
        (b"HTTP/1.1 404 No\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n", "404"),
        (b"nonsense\r\n\r\n", "reached"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n" + b"x" * 9000, "larger"),
    ],
)
async def test_what_is_not_a_readable_page_is_refused(answer: bytes, why: str) -> None:
    async with site(lambda _path: answer) as (port, _):
        with pytest.raises(NotDone, match=why):
            await fetcher(f"private:a.example:{port}", most=4096).page(
                f"http://a.example:{port}/", text_of
            )


async def test_a_site_that_never_answers_is_left() -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.sleep(30)
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(NotDone, match=r"long|reached"):
            await fetcher(f"private:a.example:{port}", seconds=0.3).page(
                f"http://a.example:{port}/", text_of
            )
