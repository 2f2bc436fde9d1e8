"""People sign in to a tool server in their browser: a real authorization server (npm's
oidc-provider), a real tool server that takes its tokens, and the API between them."""

import asyncio
import io
import json
import re
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agents.tools.base import NotDone, ToolContext
from agents.tools.registry import call
from tests.ui.api_client import BASE, client, served, with_accounts
from tests.ui.fake_house import House, open_house
from tests.ui.real_provider import answering, provider
from ui.access import Role

CALLBACK = f"{BASE}/api/v1/me/services/callback"


@dataclass
class Calendar:
    """A tool server that answers to whoever the token names, and to nobody else."""

    issuer: str = ""
    url: str = ""
    resource: str = ""
    tokens: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    inner: ASGIApp | None = None
    keys: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            assert self.inner is not None
            return await self.inner(scope, receive, send)
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        if scope["path"].startswith("/.well-known/oauth-protected-resource"):
            told = {"resource": self.resource, "authorization_servers": [self.issuer],
                    "scopes_supported": ["calendar:read"]}  # fmt: skip
            return await self.said(send, 200, [], json.dumps(told).encode())
        who = self.whose(headers.get("authorization", "").removeprefix("Bearer "))
        if not who:
            place = f"{self.url.removesuffix('/mcp')}/.well-known/oauth-protected-resource/mcp"
            wants = f'Bearer resource_metadata="{place}"'.encode()
            return await self.said(send, 401, [(b"www-authenticate", wants)], b"{}")
        self.people.append(who)
        assert self.inner is not None
        return await self.inner(scope, receive, send)

    def whose(self, token: str) -> str:
        """The person of a token of our provider's, for this server."""
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        if not token or token in self.refused:
            return ""
        if self.keys is None:
            self.keys = KeySet.import_key_set(httpx.get(f"{self.issuer}/jwks").json())
        try:
            claims = jwt.decode(token, self.keys, algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            return ""
        self.tokens.append(token)
        good = claims["aud"] == self.resource and claims["exp"] > time.time()
        return str(claims["sub"]) if good and claims["scope"] == "calendar:read" else ""

    @staticmethod
    async def said(
        send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> None:
        kind = (b"content-type", b"application/json")
        start: Message = {"type": "http.response.start", "status": status}
        await send({**start, "headers": [kind, *headers]})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def calendar() -> Iterator[Calendar]:
    from mcp.server.mcpserver import MCPServer

    made = MCPServer("calendar")

    @made.tool(description="The next meeting")
    def next_meeting() -> str:
        return "at ten"

    calendar = Calendar(inner=made.streamable_http_app())
    with answering(calendar, "on") as origin:
        calendar.url = calendar.resource = f"{origin}/mcp"
        with provider("service_provider.mjs", RESOURCE=calendar.resource) as told:
            calendar.issuer = told["issuer"]
            yield calendar


@dataclass
class Place:
    """The API, a cookie for each role, the tool server."""

    house: House
    app: ASGIApp
    cookies: dict[Role, str]
    calendar: Calendar

    def web(self, role: Role) -> httpx.AsyncClient:
        """A browser of somebody's."""
        web = client(self.app, origin=BASE)
        web.cookies.set("atelier_session", self.cookies[role])
        return web

    def person(self, role: Role) -> str:
        """The id of the account."""
        account = self.house.people.find(role)
        assert account is not None
        return str(account.id)

    def held(self) -> bytes:
        """Every byte of the store."""
        home = self.house.settings.home
        return b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())


@pytest.fixture
async def place(calendar: Calendar, tmp_path: Path) -> AsyncIterator[Place]:
    hosts = " ".join(f"private:{urlsplit(one).netloc}" for one in (calendar.url, calendar.issuer))
    house = open_house(tmp_path)
    house.settings = house.settings.model_copy(update={"web_allow": hosts})
    cookies = with_accounts(house)
    calendar.resource = calendar.url
    yield Place(house, served(house), cookies, calendar)
    house.close()


async def through(start: str, login: str, *, deny: bool = False) -> str:
    """Walk the provider's pages as a person does, until it sends the browser back to us."""
    async with httpx.AsyncClient() as web:
        url = start
        for _ in range(12):
            answer = await web.get(url)
            if not answer.is_redirect:
                action = re.search(r'action="([^"]+)"', answer.text)
                assert action, answer.text[:500]
                prompt = "login" if 'value="login"' in answer.text else "consent"
                if deny:
                    cancel = re.search(r'href="([^"]+/abort)"', answer.text)
                    assert cancel, answer.text
                    answer = await web.get(urljoin(url, cancel[1]))
                else:
                    given = {"prompt": prompt, "login": login, "password": "any"}
                    answer = await web.post(urljoin(url, action[1]), data=given)
            url = urljoin(url, answer.headers["location"])
            if url.startswith(CALLBACK):
                return url
    raise AssertionError("the provider never came back")


async def add(place: Place, connect: str = "person") -> None:
    async with place.web("administrator") as web:
        asked = {"id": "calendar", "url": place.calendar.url, "connect": connect}
        answer = await web.post("/tools/sources/mcp", json=asked)
        assert answer.status_code == 201, answer.text
        assert (answer.json()["state"], answer.json()["connect"]) == ("sign-in", connect)


async def sign_in(web: httpx.AsyncClient, login: str, **more: bool) -> httpx.Response:
    begun = await web.get("/me/services/calendar/connect", params={"next": "/en/privacy"})
    assert begun.status_code == 303, begun.text
    return await web.get(await through(begun.headers["location"], login, **more))


async def opened(place: Place, connect: str = "person") -> ToolContext:
    """The server added, read by an administrator who has signed in, and confirmed."""
    await add(place, connect)
    async with place.web("administrator") as web:
        back = await sign_in(web, "sample-admin")
        assert back.headers["location"] == "/en/privacy?connect=done", back.text
        (source,) = (await web.get("/tools")).json()["sources"]
        assert source["state"] == "new", source
        given = {"hash": source["offered_hash"]}
        answer = await web.post("/tools/sources/calendar/confirm", json=given)
        assert answer.json()["state"] == "ready", answer.text
    return ToolContext(added=place.house.tools.added())


def asking(context: ToolContext, person: str) -> ToolContext:
    return ToolContext(added=context.added, person=person)


TOOL = "calendar-next-meeting"


async def test_each_person_signs_in_and_the_tool_acts_in_their_name(place: Place) -> None:
    context = await opened(place)
    staff = asking(context, place.person("staff"))
    said = await call(TOOL, {}, staff)
    assert not said.ok and "has not signed in" in said.content
    async with place.web("staff") as web:
        (row,) = (await web.get("/me/services")).json()
        assert (row["id"], row["connected"], row["for_house"]) == ("calendar", False, False)
        await sign_in(web, "sample-one")
        assert (await web.get("/me/services")).json()[0]["connected"] is True
        place.calendar.people.clear()
        said = await call(TOOL, {}, staff)
        assert said.ok and said.content == "at ten"
        assert set(place.calendar.people) == {"sample-one"}
        # nobody else's, and nobody's at all, goes on with it
        for person in (place.person("champion"), ""):
            assert not (await call(TOOL, {}, asking(context, person))).ok
        token = place.calendar.tokens[-1].encode()
        assert token not in place.held()
        assert (await web.delete("/me/services/calendar")).status_code == 200
        assert (await web.delete("/me/services/calendar")).status_code == 404
    assert not (await call(TOOL, {}, staff)).ok


async def test_a_token_is_renewed_when_it_ends_and_when_the_server_refuses_it(
    place: Place,
) -> None:
    context = await opened(place)
    admin = asking(context, place.person("administrator"))
    grants = place.house.tools.sign_in.grants
    assert (await call(TOOL, {}, admin)).ok
    first = place.calendar.tokens[-1]
    place.calendar.refused.add(first)
    assert (await call(TOOL, {}, admin)).ok and place.calendar.tokens[-1] != first
    second = place.calendar.tokens[-1]
    grants._clock = lambda: time.time() + 90_000
    both = await asyncio.gather(call(TOOL, {}, admin), call(TOOL, {}, admin))
    assert all(one.ok for one in both) and place.calendar.tokens[-1] != second
    # taken back at the provider: the person is told to sign in again
    kept = grants._read("calendar", place.person("administrator"))
    source = place.house.tools.get("calendar")
    made = place.house.tools.sign_in.client(source.settings)
    gone = {"token": kept["refresh"], "client_id": made.id} if kept else {}
    httpx.post(made.provider.revoke, data=gone).raise_for_status()
    grants._clock = lambda: time.time() + 190_000
    said = await call(TOOL, {}, admin)
    assert not said.ok and "has not signed in" in said.content
    assert grants.of(place.person("administrator")) == {}


async def test_one_sign_in_for_the_house_is_an_administrators(place: Place) -> None:
    context = await opened(place, "house")
    place.calendar.people.clear()
    assert (await call(TOOL, {}, asking(context, place.person("staff")))).ok
    assert set(place.calendar.people) == {"sample-admin"}
    async with place.web("staff") as web:
        assert (await web.get("/me/services")).json() == []
        assert (await web.get("/me/services/calendar/connect")).status_code == 403
        assert (await web.delete("/me/services/calendar")).status_code == 403


async def test_disconnecting_ends_it_at_the_provider_too(place: Place) -> None:
    await opened(place)
    grants = place.house.tools.sign_in.grants
    kept = grants._read("calendar", place.person("administrator"))
    assert kept is not None
    async with place.web("administrator") as web:
        assert (await web.delete("/me/services/calendar")).status_code == 200
        refused = await web.post("/tools/sources/calendar/check")
        assert refused.json()["code"] == "source-not-connected"
    source = place.house.tools.get("calendar")
    assert source.state == "ready"  # others go on
    made = place.house.tools.sign_in.client(source.settings)
    form = {"grant_type": "refresh_token", "refresh_token": kept["refresh"], "client_id": made.id}
    assert httpx.post(made.provider.token, data=form).json()["error"] == "invalid_grant"


async def test_another_persons_or_browsers_return_connects_nobody(place: Place) -> None:
    await add(place)
    async with place.web("staff") as web, place.web("champion") as other:
        begun = await web.get("/me/services/calendar/connect")
        back = await through(begun.headers["location"], "sample-one")
        lost = "/en/privacy?connect=connect-lost"
        assert (await other.get(back)).headers["location"] == lost  # no cookie of the sign-in
        stolen = begun.cookies["atelier_connect"]
        path = "/api/v1/me/services"
        other.cookies.set("atelier_connect", stolen, domain="127.0.0.1", path=path)
        assert (await other.get(back)).headers["location"] == lost
        wrong = back.replace("state=", "state=x")
        assert (await web.get(wrong)).headers["location"] == lost
    both: tuple[Role, ...] = ("staff", "champion")
    for role in both:
        assert place.house.tools.sign_in.grants.of(place.person(role)) == {}


async def test_a_persons_no_is_told(place: Place) -> None:
    await add(place)
    async with place.web("staff") as web:
        assert (await web.get("/me/services")).json() == []  # its tools are not allowed yet
        back = await sign_in(web, "sample-one", deny=True)
        assert back.headers["location"] == "/en/privacy?connect=connect-refused"


async def test_what_is_sent_to_the_provider_is_bound_to_this_server(place: Place) -> None:
    await add(place)
    async with place.web("staff") as web:
        begun = await web.get("/me/services/calendar/connect")
    asked = {
        key: one for key, (one,) in parse_qs(urlsplit(begun.headers["location"]).query).items()
    }
    assert asked["resource"] == place.calendar.url and asked["redirect_uri"] == CALLBACK
    assert asked["code_challenge_method"] == "S256" and asked["response_type"] == "code"
    assert asked["scope"].split()[0] == "calendar:read"
    cookie = begun.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie
    assert asked["state"] not in cookie and "verifier" not in cookie


@pytest.mark.parametrize("resource", ["https://other.example/mcp", "http://127.0.0.1:1/mcp", ""])
async def test_a_server_that_names_another_resource_is_refused(place: Place, resource: str) -> None:
    place.calendar.resource = resource
    async with place.web("administrator") as web:
        asked = {"id": "calendar", "url": place.calendar.url, "connect": "person"}
        answer = await web.post("/tools/sources/mcp", json=asked)
    assert answer.json()["code"] == "source-unreachable", answer.text


async def test_erasing_and_removing_a_person_ends_their_sign_ins(place: Place) -> None:
    await opened(place)
    grants = place.house.tools.sign_in.grants
    person = place.person("staff")
    async with place.web("staff") as web:
        await sign_in(web, "sample-one")
        (made,) = place.house.tools.sign_in.of(person, place.house.tools.all())
        assert (await web.post("/me/erase", json={"confirm": True})).status_code == 200
        assert grants.of(person) == {}
        form = {"grant_type": "refresh_token", "refresh_token": made.token}
        asked = httpx.post(made.client.provider.token, data={**form, "client_id": made.client.id})
        assert asked.json()["error"] == "invalid_grant"
        await sign_in(web, "sample-one")
        told = await web.post("/me/export")
        with zipfile.ZipFile(io.BytesIO(told.content)) as archive:
            (kept,) = json.loads(archive.read("services.json"))
        assert set(kept) == {"source", "person", "at"}
    async with place.web("administrator") as web:
        assert (await web.delete(f"/people/{person}")).status_code == 200
    assert grants.of(person) == {}


async def test_a_provider_that_is_not_on_the_list_is_not_asked(
    calendar: Calendar, tmp_path: Path
) -> None:
    house = open_house(tmp_path)
    only = f"private:{urlsplit(calendar.url).netloc}"
    house.settings = house.settings.model_copy(update={"web_allow": only})
    calendar.resource = calendar.url
    with pytest.raises(NotDone, match="cannot be trusted"):
        await house.tools.sign_in._access.ask("GET", calendar.issuer, {})
    house.close()
