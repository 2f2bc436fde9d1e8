"""Sign-in against a real OpenID provider: npm's oidc-provider in a process of its own.

Where a token must be wrong, it is a real token of that provider for somebody else, another client,
another sign-in or another time, put in the place of the right one on its way.
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.ui.api_client import served
from tests.ui.fake_house import House, provided_house
from tests.ui.real_provider import answering, provider
from ui.oidc import Provider

SECRET = "a secret: with / signs & spaces"
ROLES = "everyone=staff, atelier-security=security"
VERIFIER = "v" * 64


class Swapped(httpx.AsyncHTTPTransport):
    """The network, with one ID token replaced on its way when `id_token` is set."""

    id_token = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if not self.id_token or not request.url.path.endswith("/token"):
            return answer
        told = json.loads(await answer.aread()) | {"id_token": self.id_token}
        return httpx.Response(answer.status_code, json=told)


@dataclass
class World:
    """The provider's two issuers, our own address, and what answers there."""

    first: str
    second: str
    origin: str
    inner: ASGIApp | None = None
    network: Swapped = field(default_factory=Swapped)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.inner is not None
        await self.inner(scope, receive, send)

    def control(self, **ask: object) -> None:
        """Change people, keys or the clock of the provider."""
        httpx.post(f"{self.first}/control", json=ask).raise_for_status()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World("", "", "")
    with answering(world) as origin, provider("oidc_provider.mjs", RP_ORIGIN=origin) as told:
        world.origin, world.first, world.second = origin, told["first"], told["second"]
        yield world


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with provided_house(tmp_path) as opened:
        yield opened


Serve = Callable[..., None]


@pytest.fixture
def serve(world: World, house: House) -> Serve:
    """Serve the house at the address the provider knows, with one client of the provider."""

    def start(client: str = "atelier", secret: str = SECRET, **given: Any) -> None:
        world.network = Swapped()
        provider = Provider(
            house.keys,
            issuer=given.pop("issuer", world.first),
            client_id=client,
            client_secret=secret,
            roles=given.pop("roles", ROLES),
            transport=world.network,
            **given,
        )
        world.inner = served(house, asked=provider)

    world.control(
        people={
            "sample-1": {
                "name": "Sample One",
                "locale": "fr-CA",
                "department": "Finance",
                "groups": ["everyone", "unknown"],
            },
            "sample-2": {"name": "Sample Two", "groups": ["unknown"]},
        },
        behind=0,
    )
    start()
    return start


@pytest.fixture
async def web(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A browser: it keeps the cookies of both sides and follows no redirection by itself."""
    async with httpx.AsyncClient() as web:
        yield web


async def through_pages(web: httpx.AsyncClient, url: str, stop: str, login: str) -> str:
    """Walk the provider's pages as a person does until it sends the browser to `stop`."""
    for _ in range(12):
        answer = await web.get(url)
        if answer.is_redirect:
            url = urljoin(url, answer.headers["location"])
            if url.startswith(stop):
                return url
            continue
        action = re.search(r'action="([^"]+)"', answer.text)
        assert action, answer.text[:500]
        prompt = "login" if 'value="login"' in answer.text else "consent"
        given = {"prompt": prompt, "login": login, "password": "any"}
        answer = await web.post(urljoin(url, action[1]), data=given)
        url = urljoin(url, answer.headers["location"])
        if url.startswith(stop):
            return url
    raise AssertionError("the provider never came back")


async def sign_in(world: World, web: httpx.AsyncClient, login: str = "sample-1") -> httpx.Response:
    begun = await web.get(f"{world.origin}/api/v1/session/oidc", params={"next": "/en/audit"})
    assert begun.status_code == 303, begun.text
    back = await through_pages(web, begun.headers["location"], world.origin, login)
    return await web.get(back)


async def token_for(
    world: World,
    client: str,
    *,
    nonce: str,
    login: str = "sample-1",
    issuer: str = "",
    behind: int = 0,
) -> str:
    """A real ID token for another sign-in, fetched as a public client would.

    `behind` is how far back the provider's clock is when it makes the token, in seconds.
    """
    issuer = issuer or world.first
    callback = f"{world.origin}/api/v1/session/oidc/callback"
    asked = {
        "client_id": client,
        "response_type": "code",
        "scope": "openid profile",
        "redirect_uri": callback,
        "nonce": nonce,
        "code_challenge": create_s256_code_challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    async with httpx.AsyncClient() as web:
        back = await through_pages(web, f"{issuer}/auth?{urlencode(asked)}", world.origin, login)
        code = parse_qs(urlsplit(back).query)["code"][0]
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback,
            "code_verifier": VERIFIER,
            "client_id": client,
        }
        world.control(behind=behind)
        answer = await web.post(f"{issuer}/token", data=given)
        world.control(behind=0)
    return str(answer.raise_for_status().json()["id_token"])


async def begun_with(
    world: World, web: httpx.AsyncClient, put: Callable[[str], Any]
) -> httpx.Response:
    """A sign-in whose ID token is replaced by what `put` gives for its nonce."""
    begun = await web.get(f"{world.origin}/api/v1/session/oidc")
    where = begun.headers["location"]
    nonce = parse_qs(urlsplit(where).query)["nonce"][0]
    back = await through_pages(web, where, world.origin, "sample-1")
    world.network.id_token = await put(nonce)
    return await web.get(back)


async def test_signing_in_gives_the_roles_of_the_groups(
    world: World, serve: Serve, web: httpx.AsyncClient, house: House
) -> None:
    done = await sign_in(world, web)
    assert done.status_code == 303 and done.headers["location"] == "/en/audit"
    me = (await web.get(f"{world.origin}/api/v1/me")).json()
    assert (me["name"], me["department"], me["roles"]) == ("Sample One", "Finance", ["staff"])
    assert house.people.known(me["id"]).language == "fr"
    # the groups change at the provider: the next sign-in follows, the person stays the same
    world.control(people={"sample-1": {"name": "Sample One", "groups": ["atelier-security"]}})
    await sign_in(world, web)
    again = (await web.get(f"{world.origin}/api/v1/me")).json()
    assert again["roles"] == ["security"] and again["id"] == me["id"]
    assert len(house.people.all()) == 1


async def test_a_public_client_signs_in_with_pkce_alone(
    world: World, serve: Serve, web: httpx.AsyncClient
) -> None:
    serve("public", "")
    assert (await sign_in(world, web)).headers["location"] == "/en/audit"


async def test_a_wrong_client_secret_lets_nobody_in(
    world: World, serve: Serve, web: httpx.AsyncClient
) -> None:
    serve("atelier", "another secret")
    assert (await sign_in(world, web)).headers[
        "location"
    ] == "/sign-in?failed=oidc-refused&next=%2Fen%2Faudit"


async def test_somebody_whose_groups_give_no_role_stays_outside(
    world: World, serve: Serve, web: httpx.AsyncClient, house: House
) -> None:
    done = await sign_in(world, web, "sample-2")
    assert done.headers["location"] == "/sign-in?failed=oidc-no-role&next=%2Fen%2Faudit"
    assert house.people.all() == []


async def test_groups_of_the_store_give_roles_at_sign_in(
    world: World, serve: Serve, web: httpx.AsyncClient, house: House
) -> None:
    serve(roles="")
    house.groups.add("unknown", roles=["champion"], source="token")
    await sign_in(world, web, "sample-2")
    me = (await web.get(f"{world.origin}/api/v1/me")).json()
    assert me["roles"] == ["champion"]


async def test_the_wrong_state_and_the_code_of_another_browser_are_refused(
    world: World, serve: Serve, web: httpx.AsyncClient
) -> None:
    begun = await web.get(f"{world.origin}/api/v1/session/oidc")
    back = await through_pages(web, begun.headers["location"], world.origin, "sample-1")
    async with httpx.AsyncClient() as another:
        # somebody else is sent the address with a code: no cookie, no sign-in
        assert "oidc-refused" in (await another.get(back)).headers["location"]
        # and with a sign-in of their own under way: another state, another verifier
        await another.get(f"{world.origin}/api/v1/session/oidc")
        assert "oidc-refused" in (await another.get(back)).headers["location"]
    spoiled = re.sub(r"state=[^&]+", "state=x", back)
    assert "oidc-refused" in (await web.get(spoiled)).headers["location"]
    mixed = re.sub(r"iss=[^&]+", urlencode({"iss": world.second}), back)
    assert "oidc-refused" in (await web.get(mixed)).headers["location"]
    # nothing of that used the code up
    assert (await web.get(back)).headers["location"] == "/"
    # a code works once
    assert "oidc-refused" in (await web.get(back)).headers["location"]


async def test_a_token_with_another_nonce_is_refused(
    world: World, serve: Serve, web: httpx.AsyncClient
) -> None:
    serve("public", "")
    done = await begun_with(world, web, lambda _: token_for(world, "public", nonce="another"))
    assert done.headers["location"] == "/sign-in?failed=oidc-refused"


async def test_a_token_for_another_audience_is_refused(
    world: World, serve: Serve, web: httpx.AsyncClient
) -> None:
    serve("public", "")
    done = await begun_with(world, web, lambda nonce: token_for(world, "another", nonce=nonce))
    assert done.headers["location"] == "/sign-in?failed=oidc-refused"


async def test_a_token_of_another_issuer_with_the_same_keys_is_refused(
    world: World, serve: Serve, web: httpx.AsyncClient
) -> None:
    serve("public", "")
    done = await begun_with(
        world, web, lambda nonce: token_for(world, "public", nonce=nonce, issuer=world.second)
    )
    assert done.headers["location"] == "/sign-in?failed=oidc-refused"


async def test_an_expired_token_is_refused(
    world: World, serve: Serve, web: httpx.AsyncClient
) -> None:
    serve("public", "")

    done = await begun_with(
        world, web, lambda nonce: token_for(world, "public", nonce=nonce, behind=2 * 3600)
    )
    assert done.headers["location"] == "/sign-in?failed=oidc-refused"


async def test_the_right_token_put_in_its_own_place_is_accepted(
    world: World, serve: Serve, web: httpx.AsyncClient
) -> None:
    # the control for the four refusals above: replacing alone changes nothing
    serve("public", "")
    done = await begun_with(world, web, lambda nonce: token_for(world, "public", nonce=nonce))
    assert done.headers["location"] == "/"


async def test_an_issuer_that_calls_itself_otherwise_is_not_asked(
    world: World, serve: Serve, web: httpx.AsyncClient
) -> None:
    serve(issuer=world.first.replace("127.0.0.1", "localhost"))
    begun = await web.get(f"{world.origin}/api/v1/session/oidc")
    assert begun.status_code == 401 and begun.json()["code"] == "oidc-refused"


async def test_new_keys_are_learned_and_gone_keys_are_forgotten(
    world: World, serve: Serve, web: httpx.AsyncClient
) -> None:
    assert (await sign_in(world, web)).headers["location"] == "/en/audit"
    world.control(rotate="keep-old")
    assert (await sign_in(world, web)).headers["location"] == "/en/audit"
    serve("public", "")
    nonce_of: list[str] = []

    async def signed_before(nonce: str) -> str:
        nonce_of.append(nonce)
        token = await token_for(world, "public", nonce=nonce)
        world.control(rotate=True)
        await sign_in_elsewhere()
        return token

    async def sign_in_elsewhere() -> None:
        async with httpx.AsyncClient() as another:
            assert (await sign_in(world, another)).headers["location"] == "/en/audit"

    # a token of a key that the provider withdrew, though nothing else is wrong with it
    done = await begun_with(world, web, signed_before)
    assert done.headers["location"] == "/sign-in?failed=oidc-refused"


async def test_signing_out_at_the_provider_ends_the_session_here(
    world: World, serve: Serve, web: httpx.AsyncClient, house: House
) -> None:
    await sign_in(world, web)
    me = (await web.get(f"{world.origin}/api/v1/me")).json()
    async with httpx.AsyncClient() as elsewhere:
        # a second browser of the same person, with a session of its own at the provider
        await sign_in(world, elsewhere)
        page = await web.get(f"{world.first}/session/end")
        secret = re.search(r'name="xsrf" value="([^"]+)"', page.text)
        assert secret
        action = re.search(r'action="([^"]+)"', page.text)
        assert action
        await web.post(urljoin(world.first, action[1]), data={"xsrf": secret[1], "logout": "yes"})
        assert (await web.get(f"{world.origin}/api/v1/me")).status_code == 401
        assert (await elsewhere.get(f"{world.origin}/api/v1/me")).json()["id"] == me["id"]
    assert len(house.identity.sign_ins.all(me["id"])) == 1


async def test_an_id_token_is_no_logout_token(
    world: World, serve: Serve, web: httpx.AsyncClient
) -> None:
    serve("public", "")
    await sign_in(world, web)
    token = await token_for(world, "public", nonce="any")
    answer = await web.post(
        f"{world.origin}/api/v1/session/oidc/logout", data={"logout_token": token}
    )
    assert answer.status_code == 401
    assert (await web.get(f"{world.origin}/api/v1/me")).status_code == 200
