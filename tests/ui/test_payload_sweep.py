"""Payloads where only a stranger puts them: the house's look, what a provider says of a person,
headers and cookies, deep JSON, thousands of parameters. Never a failure, never markup that lives.
"""

import io
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.ui.api_client import client, served, with_accounts
from tests.ui.fake_house import House, provided_house
from tests.ui.fake_provider import FakeProvider
from tests.ui.test_oidc import sign_in
from tests.ui.test_web_pages import visit
from ui.branding import Branding
from ui.web import frame
from ui.web.pages import compare, people, signin

pytestmark = pytest.mark.heavy  # thousands of requests

TOLD = ("Traceback", 'File "', "sqlalchemy", "sqlite3", "pydantic", "site-packages")
NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}${7*7}",
    "Anna\u202egnp.exe",
    "Anna\x00\x07\r\nSet-Cookie: a=b",
    "أحمد بن علي",
    "A" * 50_000,
    "e" + "\u0301" * 500,
    "\ud800 lone",
    "",
    None,
    17,
    ["a", "b"],
    {"a": "b"},
)


def quiet(answer: httpx.Response) -> httpx.Response:
    """An answer that is no failure and says nothing of the inside."""
    assert answer.status_code != 500, answer.text[:300]
    assert not [word for word in TOLD if word in answer.text]
    return answer


def picture(kind: str, size: tuple[int, int] = (40, 40)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#0B6B5D").save(out, kind)
    return out.getvalue()


LIVES = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
LOGOS = {
    "svg": LIVES,
    "html": b"<!doctype html><script>alert(1)</script>",
    "gif": b"GIF89a/*<svg onload=alert(1)>*/=1;",
    "text": b"#!/bin/sh",
    "empty png": b"\x89PNG\r\n\x1a\n",
    "large": b"\x89PNG\r\n\x1a\n" + b"A" * 600_000,
}


@pytest.mark.parametrize("kind", LOGOS)
async def test_a_logo_that_is_no_picture_is_refused(quiet_house: House, kind: str) -> None:
    cookie = f"atelier_session={with_accounts(quiet_house)['administrator']}"
    async with client(served(quiet_house), cookie=cookie) as web:
        given = {"logo": ("logo.png", LOGOS[kind], "image/png")}
        answer = quiet(await web.post("/branding", files=given))
        assert answer.status_code in (413, 422)
        assert quiet(await web.get("/branding")).json()["logo"] is False


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_what_hides_behind_a_picture_is_drawn_away(quiet_house: House, kind: str) -> None:
    cookie = f"atelier_session={with_accounts(quiet_house)['administrator']}"
    async with client(served(quiet_house), cookie=cookie) as web:
        both = picture(kind) + LIVES
        answer = await web.post("/branding", files={"logo": ("<x>.svg", both, "image/svg+xml")})
        assert answer.status_code == 200, answer.text
        shown = await web.get("/branding/logo.png")
    assert shown.headers["content-type"] == "image/png" and b"script" not in shown.content
    assert shown.headers["x-content-type-options"] == "nosniff"


async def test_a_picture_of_enormous_sides_is_refused(quiet_house: House) -> None:
    cookie = f"atelier_session={with_accounts(quiet_house)['administrator']}"
    bomb = picture("PNG", (9000, 9000))
    async with client(served(quiet_house), cookie=cookie) as web:
        answer = quiet(await web.post("/branding", files={"logo": ("l.png", bomb, "image/png")}))
    assert answer.status_code in (413, 422)


COLOURS = (
    "red;}body{display:none",
    "#12345",
    "url(//evil.example)",
    "#0B6B5D;}*{",
    "\x00",
    "#" * 30,
)


@pytest.mark.parametrize("colour", COLOURS)
async def test_a_colour_is_a_colour(quiet_house: House, colour: str) -> None:
    cookie = f"atelier_session={with_accounts(quiet_house)['administrator']}"
    async with client(served(quiet_house), cookie=cookie) as web:
        answer = quiet(await web.post("/branding", data={"accent": colour}))
        assert answer.status_code == 422
        assert "evil" not in (await web.get("/branding/look.css")).text


@pytest.mark.parametrize("name", [each for each in NAMES if isinstance(each, str)])
async def test_the_houses_name_is_escaped_wherever_it_stands(quiet_house: House, name: str) -> None:
    cookie = f"atelier_session={with_accounts(quiet_house)['administrator']}"
    async with client(served(quiet_house), cookie=cookie) as web:
        sent = name.encode("utf-8", "surrogatepass")
        body = b"--b\r\nContent-Disposition: form-data; name=name\r\n\r\n" + sent + b"\r\n--b--\r\n"
        kind = {"content-type": "multipart/form-data; boundary=b"}
        quiet(await web.post("/branding", content=body, headers=kind))
        kept = quiet_house.brand.current().name
    assert len(kept) <= 60 and kept.isprintable()
    look = Branding(name=name[:60].encode("utf-8", "replace").decode())
    for html in (str(frame.sign(look)), str(signin.form("en", "/", "", house=look))):
        assert "<script>alert" not in html and "<img src=x" not in html


@pytest.fixture
def fake() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with provided_house(tmp_path) as opened:
        yield opened


@pytest.fixture
async def web(house: House, fake: FakeProvider) -> AsyncIterator[httpx.AsyncClient]:
    async with client(served(house, asked=fake.asked_by(house.keys))) as web:
        yield web


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
async def test_what_a_provider_says_of_a_person_is_only_words(
    web: httpx.AsyncClient, fake: FakeProvider, house: House, name: object
) -> None:
    for claim in ("name", "email", "department", "preferred_username", "locale"):
        fake.claims[claim] = name
    fake.claims["groups"] = [name, {"a": [name]}, *["g"] * 600]
    answer = quiet(await sign_in(web, fake))
    assert answer.status_code == 303
    if len(str(name)) > 10_000 or name == "\ud800 lone":  # a token too large, and no JSON
        assert answer.headers["location"].startswith("/sign-in?failed=oidc-")
        return
    assert answer.headers["location"] == "/"
    me = quiet(await web.get("/me"))
    assert me.status_code == 200, "whatever they are called, they are signed in"
    assert all(len(one) < 1000 for one in answer.headers.get_list("set-cookie"))
    (account,) = house.people.all()
    for shown in (account.name, account.email, account.department):
        assert len(shown) <= 200 and not re.search("[\\x00-\\x1f\u202e\ud800]", shown)
    assert account.name
    html = str(people.body(visit(house)))
    assert "<script>alert" not in html and "<img src=x" not in html


async def test_headers_and_cookies_are_never_too_much(quiet_house: House) -> None:
    real = with_accounts(quiet_house)["staff"]
    long, odd = "A" * 60_000, "\u00e9\u00ff"
    async with client(served(quiet_house)) as web:
        for headers in (
            {"cookie": f"atelier_session={long}"},
            {"cookie": "; ".join(f"c{n}=v" for n in range(3000))},
            {"cookie": f"atelier_session={real}; " * 50},
            {"cookie": f"atelier_session={odd}; =; ;;; atelier_language=<script>"},
            {"cookie": f"atelier_session={real}", "accept-language": long},
            {"accept-language": "en;q=1e999,fr;q=-1,*;q=nan"},
            {"authorization": f"Bearer {long}"},
            {"authorization": "Bearer"},
            {"authorization": f"Bearer {odd}"},
            {"x-atelier-language": long, "accept": long},
            {"x-forwarded-for": long, "x-forwarded-proto": "javascript", "forwarded": long},
            {"content-type": long},
            {"range": "bytes=" + "0-1," * 2000},
            {"if-none-match": long, "if-modified-since": "never"},
        ):
            sent = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
            for path in ("/me", "/branding", "/health", "/agents"):
                quiet(await web.get(path, headers=sent))
            quiet(await web.post("/screen", headers=sent, content=b"{}"))


DEEP = (
    b"[" * 100_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b'{"text":' + b"[" * 3000 + b"]" * 3000 + b"}",
)


@pytest.mark.parametrize("body", DEEP, ids=["open", "objects", "inside"])
async def test_deep_json_is_a_refusal(quiet_house: House, body: bytes) -> None:
    cookie = f"atelier_session={with_accounts(quiet_house)['administrator']}"
    async with client(served(quiet_house), cookie=cookie) as web:
        for method, path in (
            ("POST", "/screen"),
            ("POST", "/agents/email-drafter/messages"),
            ("POST", "/people"),
            ("POST", "/compare"),
            ("PUT", "/me/password"),
            ("POST", "/session"),
        ):
            kind = {"content-type": "application/json"}
            answer = quiet(await web.request(method, path, content=body, headers=kind))
            assert 400 <= answer.status_code < 500, (path, answer.status_code)


async def test_thousands_of_parameters_change_nothing(quiet_house: House) -> None:
    cookie = f"atelier_session={with_accounts(quiet_house)['security']}"
    many = "&".join(f"p{n}=<script>&limit={n}" for n in range(1500))
    async with client(served(quiet_house), cookie=cookie) as web:
        for path in ("/audit/traces", "/alerts", "/conversations", "/me"):
            assert "<script>" not in quiet(await web.get(f"{path}?{many}")).text
    asked = visit(quiet_house, agent="<script>alert(1)</script>", more="b" * 3000)
    assert "<script>alert" not in str(compare.body(asked))


def test_the_sweep_names_only_what_json_can_carry() -> None:
    assert json.dumps([each for each in NAMES])
