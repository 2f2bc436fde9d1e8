"""Sign-in through an identity provider: the flow, and every way to cheat it."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import RSAKey

from guardrails.errors import GuardrailError
from guardrails.keys import Keys
from tests.ui.api_client import client, served
from tests.ui.fake_house import House, provided_house
from tests.ui.fake_provider import CLIENT, ISSUER, FakeProvider
from ui.oidc import LOGOUT_EVENT, Provider, role_map

ROLES = "everyone=staff, atelier-security=security"


@pytest.fixture
def fake() -> FakeProvider:
    fake = FakeProvider()
    fake.claims["groups"] = ["everyone", "unknown"]
    return fake


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with provided_house(tmp_path) as opened:
        yield opened


@pytest.fixture
async def web(house: House, fake: FakeProvider) -> AsyncIterator[httpx.AsyncClient]:
    async with client(served(house, asked=fake.asked_by(house.keys, ROLES))) as web:
        yield web


async def sign_in(web: httpx.AsyncClient, fake: FakeProvider, next_: str = "/") -> httpx.Response:
    begun = await web.get("/session/oidc", params={"next": next_})
    assert begun.status_code == 303 and begun.headers["location"].startswith(ISSUER)
    return await web.get(f"/session/oidc/callback?{fake.authorize(begun.headers['location'])}")


async def test_signing_in_makes_an_account_with_the_groups_roles(
    web: httpx.AsyncClient, fake: FakeProvider, house: House
) -> None:
    done = await sign_in(web, fake, "/en/audit?trace=1")
    assert done.status_code == 303 and done.headers["location"] == "/en/audit?trace=1"
    me = (await web.get("/me")).json()
    assert me["name"] == "Sample" and me["roles"] == ["staff"]
    # roles follow the provider at the next sign-in; it is the same person
    fake.claims["groups"] = ["atelier-security"]
    await sign_in(web, fake)
    again = (await web.get("/me")).json()
    assert again["roles"] == ["security"] and again["id"] == me["id"]
    assert len(house.people.all()) == 1


async def test_nobody_is_let_in_or_given_roles_unless_that_is_on_record(
    web: httpx.AsyncClient, fake: FakeProvider, house: House
) -> None:
    await sign_in(web, fake)
    house.ledger.close()
    fake.claims["groups"] = ["atelier-security"]
    assert (await sign_in(web, fake)).status_code == 503
    (account,) = house.people.all()
    assert account.roles == {"staff"}
    fake.claims["sub"] = "Sample-2"
    assert (await sign_in(web, fake)).status_code == 503
    assert len(house.people.all()) == 1


async def test_a_sign_in_that_failed_keeps_the_page_that_was_wanted(
    web: httpx.AsyncClient, fake: FakeProvider
) -> None:
    fake.claims["groups"], wanted = ["unknown"], "%2Fen%2Faudit%3Ftrace%3D1"
    done = await sign_in(web, fake, "/en/audit?trace=1")
    assert done.headers["location"] == f"/sign-in?failed=oidc-no-role&next={wanted}"
    begun = await web.get("/session/oidc", params={"next": "/en/audit?trace=1"})
    state = fake.authorize(begun.headers["location"]).split("&", 1)[1]
    done = await web.get(f"/session/oidc/callback?error=access_denied&{state}")
    assert done.headers["location"] == f"/sign-in?failed=oidc-refused&next={wanted}"


async def test_somebody_without_a_role_stays_outside(
    web: httpx.AsyncClient, fake: FakeProvider, house: House
) -> None:
    fake.claims["groups"] = ["unknown"]
    done = await sign_in(web, fake)
    assert done.headers["location"] == "/sign-in?failed=oidc-no-role"
    assert (await web.get("/me")).status_code == 401 and house.people.all() == []


@pytest.mark.parametrize(
    "spoil",
    [
        {"iss": "https://other.example"},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"sub": None},
    ],
    ids=lambda spoil: "-".join(spoil) + str(next(iter(spoil.values())))[:4],
)
async def test_a_token_that_is_not_for_this_sign_in_is_refused(
    web: httpx.AsyncClient, fake: FakeProvider, spoil: dict[str, object]
) -> None:
    fake.spoil = spoil
    done = await sign_in(web, fake)
    assert done.headers["location"] == "/sign-in?failed=oidc-refused"
    assert (await web.get("/me")).status_code == 401


async def test_a_foreign_key_is_refused_and_a_new_key_of_the_provider_is_learned(
    web: httpx.AsyncClient, fake: FakeProvider
) -> None:
    await sign_in(web, fake)
    published, fake.key = fake.key, RSAKey.generate_key(2048, {"kid": "2", "use": "sig"})
    assert (await sign_in(web, fake)).headers["location"] == "/"
    forged = RSAKey.generate_key(2048, {"kid": "2", "use": "sig"})
    sign = fake.sign

    def with_forged_key(claims: dict[str, object]) -> str:
        fake.key, kept = forged, fake.key
        try:
            return sign(claims)
        finally:
            fake.key = kept

    fake.sign = with_forged_key  # type: ignore[method-assign]
    assert (await sign_in(web, fake)).headers["location"] == "/sign-in?failed=oidc-refused"
    assert published is not fake.key


async def test_state_cookie_and_code_belong_together(
    web: httpx.AsyncClient, fake: FakeProvider, house: House
) -> None:
    begun = await web.get("/session/oidc")
    query = fake.authorize(begun.headers["location"])
    for wrong in (
        query.replace("state=", "state=x"),
        query.replace("code-0", "code-9"),
        query.replace(ISSUER, "https://other.example"),
        "error=access_denied&" + query.split("&", 1)[1],
        "",
    ):
        done = await web.get(f"/session/oidc/callback?{wrong}")
        assert done.headers["location"] == "/sign-in?failed=oidc-refused", wrong
    web.cookies.clear()
    done = await web.get(f"/session/oidc/callback?{query}")
    assert done.headers["location"] == "/sign-in?failed=oidc-refused"
    # the code of one sign-in in the browser of another: PKCE refuses it
    await web.get("/session/oidc")
    other = fake.authorize((await web.get("/session/oidc")).headers["location"])
    mixed = query.split("&")[0] + "&" + other.split("&", 1)[1]
    done = await web.get(f"/session/oidc/callback?{mixed}")
    assert done.headers["location"] == "/sign-in?failed=oidc-refused"
    assert house.people.all() == []


async def test_the_provider_can_end_a_persons_sessions(
    web: httpx.AsyncClient, fake: FakeProvider
) -> None:
    await sign_in(web, fake)
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": CLIENT, "iat": now, "sub": "Sample-1", "jti": "1"}
    good = {**claims, "events": {LOGOUT_EVENT: {}}}
    for bad in (claims, {**good, "nonce": "1"}, {**good, "aud": "another"}):
        refused = await web.post("/session/oidc/logout", data={"logout_token": fake.sign(bad)})
        assert refused.status_code == 401 and (await web.get("/me")).status_code == 200
    token = {"logout_token": fake.sign(good)}
    done = await web.post("/session/oidc/logout", data=token)
    assert done.status_code == 200 and (await web.get("/me")).status_code == 401
    # the same token again ends nothing: neither sent as it is, nor signed anew
    await sign_in(web, fake)
    for again in (token, {"logout_token": fake.sign({**good, "iat": now - 1})}):
        refused = await web.post("/session/oidc/logout", data=again)
        assert refused.status_code == 401 and (await web.get("/me")).status_code == 200


async def test_a_provider_that_is_down_is_said_clearly(
    web: httpx.AsyncClient, fake: FakeProvider
) -> None:
    fake.down = True
    answer = await web.get("/session/oidc", headers={"accept-language": "fr"})
    assert answer.status_code == 502 and "fournisseur" in answer.json()["message"]


async def test_it_never_leads_to_another_site(web: httpx.AsyncClient, fake: FakeProvider) -> None:
    assert (await sign_in(web, fake, "//evil.example")).headers["location"] == "/"


@pytest.mark.parametrize(
    ("issuer", "client", "roles"),
    [
        ("http://id.example", CLIENT, ""),
        (ISSUER, "", ""),
        (ISSUER, CLIENT, "group=boss"),
        (ISSUER, CLIENT, "group"),
    ],
)
def test_settings_that_do_not_fit_are_refused(issuer: str, client: str, roles: str) -> None:
    with pytest.raises(GuardrailError, match="oidc-bad-setting"):
        Provider(Keys(b"k" * 32), issuer=issuer, client_id=client, client_secret="", roles=roles)


def test_group_names_may_hold_an_equals_sign() -> None:
    assert role_map("cn=ai=security") == {"cn=ai": "security"}


async def test_who_meets_a_provider_that_is_down_is_told_on_the_page_and_keeps_the_link(
    web: httpx.AsyncClient, fake: FakeProvider
) -> None:
    fake.down = True
    where = {"next": "/fr/audit?days=7"}
    program = await web.get("/session/oidc", params=where)
    assert (program.status_code, program.json()["code"]) == (502, "oidc-unreachable")
    person = await web.get("/session/oidc", params=where, headers={"accept": "text/html"})
    assert person.headers["location"] == (
        "/sign-in?failed=oidc-unreachable&next=%2Ffr%2Faudit%3Fdays%3D7"
    )
