"""A session that is due to be renewed: signing out and signing in as somebody else win over it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.ui.api_client import PASSWORD, client, served
from tests.ui.fake_house import House, open_house
from ui.identity import SESSION_COOKIE
from ui.signins import sign_ins


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = open_house(tmp_path)
    yield opened
    opened.close()


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
