"""A session that is due to be renewed: signing out and signing in as somebody else win over it."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.ui.api_client import PASSWORD, client, served
from tests.ui.fake_house import House
from ui.identity import SESSION_COOKIE
from ui.signins import sign_ins


def old_session(house: House, name: str) -> str:
    """The cookie of a session that was renewed two hours ago."""
    account = house.people.add(name, None)
    cookie = house.identity.begin(account)
    before = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    with house.engine.begin() as db:
        db.execute(sa.update(sign_ins).values(renewed=before))
    return cookie


async def test_signing_out_of_an_old_session_leaves_none(house: House) -> None:
    cookie = old_session(house, "ana")
    async with client(served(house), cookie=f"{SESSION_COOKIE}={cookie}") as web:
        answer = await web.delete("/session")
    assert answer.status_code == 200
    given = [each for each in answer.headers.get_list("set-cookie") if SESSION_COOKIE in each]
    assert [each.partition(";")[0] for each in given] == [f'{SESSION_COOKIE}=""']
    account = house.people.find("ana")
    assert account is not None
    assert house.identity.sign_ins.all(account.id) == []


async def test_who_signs_in_over_somebody_elses_old_session_is_themselves(house: House) -> None:
    house.people.add("ben", PASSWORD)
    cookie = old_session(house, "ana")
    async with client(served(house), cookie=f"{SESSION_COOKIE}={cookie}") as web:
        given = {"login": "ben", "password": PASSWORD}
        answer = await web.post("/session", json=given)
        assert answer.status_code == 200
        names = [
            value for value in answer.headers.get_list("set-cookie")
            if value.startswith(f"{SESSION_COOKIE}=")
        ]  # fmt: skip
        assert len(names) == 1


def renewed_session(house: House, name: str) -> tuple[str, str]:
    """The cookies before and after a renewal; both are good for the moment."""
    before = old_session(house, name)
    fresh = house.identity.sign_ins.renew(before.rpartition(".")[0])
    assert fresh is not None
    return before, house.identity.sign(fresh)


@pytest.mark.parametrize("which", [0, 1], ids=["replaced token", "new token"])
async def test_signing_out_ends_the_replaced_token_and_the_new_one_at_once(
    house: House, which: int
) -> None:
    cookies = renewed_session(house, "ana")
    app = served(house)
    for cookie in cookies:
        async with client(app, cookie=f"{SESSION_COOKIE}={cookie}") as web:
            assert (await web.get("/me")).status_code == 200
    async with client(app, cookie=f"{SESSION_COOKIE}={cookies[which]}") as web:
        assert (await web.delete("/session")).status_code == 200
    for cookie in cookies:
        async with client(app, cookie=f"{SESSION_COOKIE}={cookie}") as web:
            assert (await web.get("/me")).status_code == 401


async def test_a_session_ended_from_the_list_leaves_no_token(house: House) -> None:
    before, after = renewed_session(house, "ana")
    account = house.people.find("ana")
    assert account is not None
    (listed,) = house.identity.sign_ins.all(account.id)
    assert house.identity.sign_ins.end_one(account.id, listed.id)
    for cookie in (before, after):
        async with client(served(house), cookie=f"{SESSION_COOKIE}={cookie}") as web:
            assert (await web.get("/me")).status_code == 401


async def test_ending_the_others_ends_what_the_own_session_replaced(house: House) -> None:
    before, after = renewed_session(house, "ana")
    app = served(house)
    async with client(app, cookie=f"{SESSION_COOKIE}={after}") as web:
        assert (await web.delete("/me/sessions")).status_code == 200
        assert (await web.get("/me")).status_code == 200
    async with client(app, cookie=f"{SESSION_COOKIE}={before}") as web:
        assert (await web.get("/me")).status_code == 401


async def test_of_two_requests_that_renew_at_once_one_does(house: House) -> None:
    token = old_session(house, "ana").rpartition(".")[0]
    sign_ins_ = house.identity.sign_ins
    assert sign_ins_.renew(token) is not None
    assert sign_ins_.renew(token) is None
    account = house.people.find("ana")
    assert account is not None and len(sign_ins_.all(account.id)) == 1


def test_a_session_that_ended_is_not_renewed(house: House) -> None:
    token = old_session(house, "ana").rpartition(".")[0]
    house.identity.sign_ins.end(token)
    assert house.identity.sign_ins.renew(token) is None


async def test_signing_in_ends_the_session_that_this_browser_had(house: House) -> None:
    house.people.add("ben", PASSWORD)
    cookie = old_session(house, "ana")
    async with client(served(house), cookie=f"{SESSION_COOKIE}={cookie}") as web:
        answer = await web.post("/session", json={"login": "ben", "password": PASSWORD})
        assert answer.status_code == 200
    account = house.people.find("ana")
    assert account is not None and house.identity.sign_ins.all(account.id) == []
