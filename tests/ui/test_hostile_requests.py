"""What strangers and unlucky people send: each of these once went wrong."""

import re
from typing import cast
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from tests.ui.api_client import BASE, client, served, with_accounts
from tests.ui.fake_house import House
from ui.access import Role
from ui.identity import Person
from ui.web.pages import people_groups, signin
from ui.web.plain import Visit
from ui.wiring import App


@pytest.fixture
def cookies(quiet_house: House) -> dict[Role, str]:
    return with_accounts(quiet_house)


def as_role(house: House, cookies: dict[Role, str], role: Role) -> httpx.AsyncClient:
    return client(served(house), cookie=f"atelier_session={cookies[role]}")


@pytest.mark.parametrize("text", ["Élodie", "élodie", "ÉLODIE", "Straße", "STRASSE", "müller-str"])
async def test_people_are_found_whatever_the_case_of_their_letters(
    quiet_house: House, cookies: dict[Role, str], text: str
) -> None:
    quiet_house.people.add("es", None, name="Élodie Müller-Straße")
    async with as_role(quiet_house, cookies, "administrator") as web:
        found = (await web.get("/people", params={"text": text})).json()
    assert [each["login"] for each in found["people"]] == ["es"]


def test_conversations_are_found_whatever_the_case_of_their_letters(quiet_house: House) -> None:
    kept = quiet_house.conversations
    conversation = kept.start("email-drafter", "u_1", "1.0.0")
    kept.add(conversation, "user", "Écrivez à la Straße.")
    for words in ("écrivez", "Écrivez", "ÉCRIVEZ", "straße", "STRASSE"):
        assert [row.id for row in kept.search("u_1", words)] == [conversation], words


async def test_a_saved_view_with_a_slash_in_its_name_can_be_deleted(
    quiet_house: House, cookies: dict[Role, str]
) -> None:
    async with as_role(quiet_house, cookies, "security") as web:
        assert (await web.post("/audit/views", json={"name": "Q1/Q2", "days": "7"})).is_success
        assert (await web.delete(f"/audit/views/{quote('Q1/Q2', safe='')}")).is_success
        assert (await web.get("/audit/views")).json() == {}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
async def test_a_threshold_that_is_no_number_is_refused_as_such(
    quiet_house: House, cookies: dict[Role, str], number: str
) -> None:
    body = f'{{"active": true, "threshold": {number}}}'
    async with as_role(quiet_house, cookies, "security") as web:
        answer = await web.put(
            "/alerts/rules/denial-burst",
            content=body,
            headers={"content-type": "application/json"},
        )
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-field")


def pages(house: House, cookie: str = "") -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(signin.routes(house.identity, house.brand))
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url=BASE,
        headers={"cookie": f"atelier_session={cookie}"},
    )


async def test_a_deep_link_may_be_long(quiet_house: House, cookies: dict[Role, str]) -> None:
    link = f"/en/audit?text={'x' * 4000}"
    quiet_house.identity.mode = "accounts"
    async with pages(quiet_house) as web:
        page = await web.get("/sign-in", params={"next": link})
    assert page.status_code == 200 and f'name="next" value="{link}"' in page.text


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ("/fr/audit?days=7", "/fr/audit?days=7"),
        ("//evil.example", "/en/"),
        ("/\\evil.example", "/en/"),
        ("https://evil.example", "/en/"),
        ("", "/en/"),
    ],
)
async def test_who_signed_in_in_another_tab_comes_to_the_link(
    quiet_house: House, cookies: dict[Role, str], wanted: str, place: str
) -> None:
    quiet_house.identity.mode = "accounts"
    async with pages(quiet_house, cookies["security"]) as web:
        answer = await web.get("/sign-in", params={"next": wanted})
    assert (answer.status_code, answer.headers["location"]) == (303, place)


def members_offered(house: House, group: str) -> set[str]:
    person = Person("u_x", "Sample", "", frozenset({"administrator"}), "en")
    request = Request({"type": "http", "headers": [], "query_string": b"", "path": "/en/people"})
    page = str(people_groups.body(Visit(cast(App, house), "en", person, {}, request)))
    assert group in page
    return set(re.findall(r'value="(u_[0-9a-f]{16})"', page))


def test_saving_a_group_takes_nobody_out_who_was_not_shown(
    quiet_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = quiet_house
    here, gone, other, away = (
        house.people.add(login, None).id for login in ("here", "gone", "other", "away")
    )
    group = house.groups.add("Sales").id
    house.groups.join(group, [here, gone])
    house.people.change(gone, disabled=True)
    house.people.change(away, disabled=True)
    assert members_offered(house, group) == {here, gone, other}
    # thousands of boxes for each group would be a page of megabytes
    monkeypatch.setattr(people_groups, "MOST_OFFERED", 3)
    assert members_offered(house, group) == {here, gone}
