"""An administrator alone makes nobody security: what they give rests until security confirms."""

from typing import cast

import httpx
import pytest
import sqlalchemy as sa
from starlette.requests import Request

from guardrails.actor import pseudonym
from guardrails.audit.tables import alerts
from tests.ui.api_client import PASSWORD, client, served, with_accounts
from tests.ui.fake_house import House
from ui.access import Role
from ui.accounts import Account
from ui.identity import Person
from ui.messages import LANGUAGES, Language, say
from ui.web.pages.confirming import section
from ui.web.plain import Visit
from ui.wiring import App

SECURITY_ONLY = ("/audit/traces", "/alerts", "/duties", "/policies")


@pytest.fixture
def house(quiet_house: House) -> House:
    return quiet_house


@pytest.fixture
def cookies(house: House) -> dict[Role, str]:
    return with_accounts(house)


def signed_in(house: House, cookie: str) -> httpx.AsyncClient:
    return client(served(house), cookie=f"atelier_session={cookie}")


def account(house: House, login: str) -> Account:
    found = house.people.find(login)
    assert found is not None
    return found


async def codes(house: House, person: str) -> set[int]:
    """What the pages of security answer to somebody."""
    cookie = house.identity.begin(house.people.known(person))
    async with signed_in(house, cookie) as web:
        return {(await web.get(path)).status_code for path in SECURITY_ONLY}


async def choose(house: House, link: str) -> None:
    async with client(served(house)) as web:
        given = {"token": link.partition("#")[2], "password": PASSWORD}
        assert (await web.post("/password", json=given)).status_code == 200


async def test_who_reset_the_password_of_security_is_not_security_by_it(
    house: House, cookies: dict[Role, str]
) -> None:
    officer = house.people.add("ada", PASSWORD, roles=["security"])
    assert await codes(house, officer.id) == {200}
    async with signed_in(house, cookies["administrator"]) as web:
        made = (await web.post(f"/people/{officer.id}/password", json={"kind": "link"})).json()
        row = (await web.get(f"/people/{officer.id}")).json()
    assert row["rests"] == "password" and row["roles"] == [] and row["own"] == ["security"]
    # not before the link is used, and not by whoever uses it
    assert await codes(house, officer.id) == {403}
    await choose(house, made["link"])
    assert await codes(house, officer.id) == {403}
    async with signed_in(house, house.identity.begin(officer)) as web:
        assert (await web.post(f"/duties/people/{officer.id}/confirm")).status_code == 403
    async with signed_in(house, cookies["security"]) as web:
        (waiting,) = (await web.get("/duties")).json()["people"]
        assert (waiting["id"], waiting["why"], waiting["early"]) == (officer.id, "password", False)
        assert (await web.post(f"/duties/people/{officer.id}/confirm")).status_code == 200
        again = await web.post(f"/duties/people/{officer.id}/confirm")
        assert (again.status_code, again.json()["code"]) == (404, "nothing-waits")
    assert await codes(house, officer.id) == {200}
    with house.engine.connect() as db:
        fired = {(one.rule, one.about) for one in db.execute(sa.select(alerts))}
    assert ("security-password", pseudonym(house.keys, officer.id)) in fired


@pytest.mark.parametrize("kind", ["link", "once"])
async def test_a_way_in_that_is_still_open_is_used_before_anybody_confirms(
    house: House, cookies: dict[Role, str], kind: str
) -> None:
    officer = house.people.add("ada", PASSWORD, roles=["security"])
    async with signed_in(house, cookies["administrator"]) as web:
        await web.post(f"/people/{officer.id}/password", json={"kind": kind})
    async with signed_in(house, cookies["security"]) as web:
        (waiting,) = (await web.get("/duties")).json()["people"]
        early = await web.post(f"/duties/people/{officer.id}/confirm")
    assert waiting["early"] and early.json()["code"] == "confirm-early"
    assert await codes(house, officer.id) == {403}


async def test_a_puppet_of_the_administrator_is_not_security(
    house: House, cookies: dict[Role, str]
) -> None:
    staff = account(house, "staff").id
    async with signed_in(house, cookies["administrator"]) as web:
        new = {"login": "puppet", "roles": ["security"]}
        added = (await web.post("/people", json=new)).json()
        await choose(house, added["link"])
        assert (await web.put(f"/people/{staff}", json={"roles": ["security"]})).status_code == 200
        group = (await web.post("/groups", json={"name": "g", "roles": ["security"]})).json()
        assert group["rests"]
        champion = account(house, "champion").id
        await web.put(f"/groups/{group['id']}/members", json={"people": [champion]})
    for person in (added["person"], staff, champion):
        assert await codes(house, person) == {403}
    async with signed_in(house, cookies["security"]) as web:
        waiting = (await web.get("/duties")).json()
        assert {each["id"] for each in waiting["people"]} >= {added["person"]}
        assert [each["id"] for each in waiting["groups"]] == [group["id"]]
        done = await web.post(f"/duties/people/{added['person']}/confirm")
        assert done.status_code == 200
    assert await codes(house, added["person"]) == {200}
    assert await codes(house, champion) == {403}


async def test_a_group_gives_security_once_it_is_confirmed_and_later_members_wait_too(
    house: House, cookies: dict[Role, str]
) -> None:
    champion, staff = account(house, "champion"), account(house, "staff")
    async with signed_in(house, cookies["administrator"]) as web:
        group = (await web.post("/groups", json={"name": "g"})).json()["id"]
        await web.put(f"/groups/{group}/members", json={"people": [champion.id]})
        given = (await web.put(f"/groups/{group}", json={"roles": ["security"]})).json()
        assert given["rests"]
    async with signed_in(house, cookies["security"]) as web:
        assert (await web.post(f"/duties/groups/{group}/confirm")).status_code == 200
    assert "security" in house.people.known(champion.id).roles
    async with signed_in(house, cookies["administrator"]) as web:
        both = {"people": [champion.id, staff.id]}
        await web.put(f"/groups/{group}/members", json=both)
    assert house.people.known(champion.id).rests == ""
    assert "security" not in house.people.known(staff.id).roles
    assert house.people.known(staff.id).held == {"staff", "security"}


async def test_security_is_never_emptied_to_begin_anew_with_somebody_else(
    house: House, cookies: dict[Role, str]
) -> None:
    only = account(house, "security").id
    async with signed_in(house, cookies["administrator"]) as web:
        answers = [
            await web.put(f"/people/{only}", json={"roles": ["staff"]}),
            await web.delete(f"/people/{only}"),
        ]
        assert [each.json()["code"] for each in answers] == ["last-security"] * 2
        # an account can be closed at once, and still nobody takes its place unconfirmed
        assert (await web.post(f"/people/{only}/disable")).status_code == 200
        added = await web.post("/people", json={"login": "puppet", "roles": ["security"]})
    assert house.people.known(added.json()["person"]).roles == frozenset()


async def test_the_first_in_security_needs_nobody_to_confirm(house: House) -> None:
    boss = house.people.add("boss", None, roles=["administrator"])
    async with signed_in(house, house.identity.begin(boss)) as web:
        for name in ("first", "second"):
            new = {"login": name, "roles": ["security"]}
            assert (await web.post("/people", json=new)).status_code == 200
    assert account(house, "first").roles == {"security"}
    assert account(house, "second").roles == frozenset()


async def test_who_manages_people_too_confirms_nobody(
    house: House, cookies: dict[Role, str]
) -> None:
    both = house.people.add("both", None, roles=["security", "administrator"])
    staff = account(house, "staff").id
    async with signed_in(house, house.identity.begin(both)) as web:
        await web.put(f"/people/{staff}", json={"roles": ["security"]})
        answer = await web.post(f"/duties/people/{staff}/confirm")
    assert (answer.status_code, answer.json()["code"]) == (403, "confirm-apart")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_says_who_waits_and_offers_the_button_only_when_it_would_work(
    house: House, cookies: dict[Role, str], language: Language
) -> None:
    hostile = "<b>Ada</b>"
    ready = house.people.add("ada", PASSWORD, name=hostile, roles=["security"], rests="password")
    early = house.people.add("ben", None, roles=["security"], rests="role")
    group = house.groups.add("Auditors", roles=["security"], rests=True)
    officer = account(house, "security")
    person = Person(officer.id, "Sample", "", frozenset({"security"}), language)
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    page = str(section(Visit(cast(App, house), language, person, {}, request)))
    assert "&lt;b&gt;Ada" in page and hostile not in page and "Auditors" in page
    assert f"/api/v1/duties/people/{ready.id}/confirm" in page
    assert f"/api/v1/duties/people/{early.id}/confirm" not in page
    assert say(language, "duties.early") in page
    assert f"/api/v1/duties/groups/{group.id}/confirm" in page
