"""Own checks in the manner of a scanner: every API operation is given what no client would send."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import httpx
import pytest
from fastapi.routing import APIRoute

from tests.house import house as real_house
from tests.ui.api_client import client, served, with_accounts
from ui.access import ROLES, Role
from ui.api import ROUTERS
from ui.rates import Rate
from ui.routes.common import Rates
from ui.wiring import App

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1200)]

IN_PATHS = (
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2fmaster.key",
    "..%5c..%5cwindows%5cwin.ini",
    "1%00.txt",
    "%27%20OR%201%3D1--",
    "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "9" * 400,
    "%F0%9F%92%A3",
    "-1",
)
BODIES: tuple[bytes, ...] = (
    b"",
    b"null",
    b"[]",
    b"{",
    b'"text"',
    b"[" * 20_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"__proto__": {"admin": true}, "constructor": 1}',
    b'{"name": "' + b"A" * 300_000 + b'"}',
    b'{"text": "\\ud800"}',
    b"\xff\xfe\x00",
    json.dumps({"text": "' OR 1=1; DROP TABLE people; --", "name": "{{7*7}}${7*7}"}).encode(),
    json.dumps({"days": 1e308, "limit": -1, "scopes": [None], "roles": {"a": 1}}).encode(),
)
QUERIES = ("limit=-1", "limit=99999999999999999999", "text=%00", "after='", "q[]=1&q[$ne]=1")
TOLD = ("Traceback", 'File "', "sqlalchemy", "sqlite3", "pydantic", "/work/", "site-packages")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[App]:
    """The real product: a fake would answer what the real one breaks on, or the other way round."""
    async with real_house(tmp_path / "home") as opened:
        yield opened.app


def routes() -> list[tuple[str, str]]:
    found = [cast(APIRoute, route) for router in ROUTERS for route in router.routes]
    return sorted({(method, route.path) for route in found for method in route.methods or ()})


def wrong(answer: httpx.Response) -> str:
    """What is wrong with an answer: a bug, words of the inside, headers that are missing."""
    if answer.status_code == 500:
        return "500"
    if answer.status_code >= 400:
        told = [word for word in TOLD if word in answer.text]
        if told:
            return f"tells {told}"
        if "scim" not in str(answer.url) and set(answer.json()) != {"code", "message"}:
            return f"shape {answer.text[:100]}"
    if answer.headers["x-content-type-options"] != "nosniff":
        return "nosniff"
    if answer.headers["x-frame-options"] != "DENY":
        return "frame"
    return "cors" if any(name.startswith("access-control-") for name in answer.headers) else ""


def filled(path: str, part: str = "1") -> str:
    return re.sub(r"\{\w+\}", part, path)


# these end the session that asks, stream without end, or take minutes by what they are for
SKIPPED = {
    ("DELETE", "/session"),
    ("DELETE", "/me/sessions"),
    ("POST", "/password"),
    ("GET", "/conversations/{conversation}/events"),
    ("POST", "/audit/verify"),
}


@pytest.mark.parametrize("role", ROLES)
async def test_no_operation_breaks_or_talks_about_its_inside(house: App, role: Role) -> None:
    cookie = f"atelier_session={with_accounts(house)[role]}"
    counters = Rates(changes=Rate(10**6, 1), reads=Rate(10**6, 1))
    found: dict[str, str] = {}
    async with client(
        served(house, counters), cookie=cookie, content_type="application/json"
    ) as web:

        async def ask(method: str, path: str, where: str, body: bytes = b"{}") -> None:
            answer = await web.request(method, where, content=body)
            problem = wrong(answer)
            if problem:
                found.setdefault(f"{method} {path}: {problem}", f"{where[:80]} {body[:60]!r}")

        for method, path in routes():
            if (method, path) in SKIPPED:
                continue
            for query in QUERIES:
                await ask(method, path, f"{filled(path)}?{query}")
            for body in BODIES if method != "GET" else ():
                await ask(method, path, filled(path), body)
            for part in IN_PATHS if "{" in path else ():
                await ask(method, path, filled(path, part))
    assert found == {}


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "X" * 200])
async def test_methods_that_nobody_needs_are_refused(house: App, method: str) -> None:
    async with client(served(house)) as web:
        answer = await web.request(method, "/me")
    assert answer.status_code in (401, 403, 404, 405)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},  # another program of the same machine
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_no_operation_that_changes_something_can_be_caused_by_another_site(
    house: App, headers: dict[str, str]
) -> None:
    cookie = f"atelier_session={with_accounts(house)['administrator']}"
    async with client(served(house), cookie=cookie) as web:
        for method, path in routes():
            if method == "GET":
                continue
            answer = await web.request(method, filled(path), json={}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "cross-site"), (
                method,
                path,
            )
