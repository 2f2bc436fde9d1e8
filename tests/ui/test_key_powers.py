"""What a program can do with a champion's or an officer's key, beside what its scopes name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from guardrails.actor import Actor
from guardrails.screen import Screen
from tests.ui.api_client import client, served, with_accounts
from tests.ui.fake_house import House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    quiet = Screen(lambda text, language: [], lambda text: [], lambda text, provenance: 0.0)
    opened = open_house(tmp_path, quiet)
    yield opened
    opened.close()


@pytest.mark.parametrize("role", ["champion", "security"])
async def test_a_key_to_build_agents_has_no_power_over_those_of_others(
    house: House, role: str
) -> None:
    with_accounts(house)
    found = {name: house.people.find(name) for name in ("staff", "champion", role)}
    ids = {name: account.id for name, account in found.items() if account}
    author, reviewer = Actor(ids["staff"], "", frozenset({"staff"})), ids["champion"]
    agent = house.catalog.from_template("email-drafter", author.id).id
    desk = house.desk.publishing
    request = desk.request(agent, author, audience="person:u_x")
    desk.collected(request.id, {"model": "x"})
    desk.approve(request.id, Actor(reviewer, "", frozenset({"champion"})))
    _, secret = house.api_keys.make("k", owner=ids[role], maker="x", scopes=["agents.build"])
    async with client(served(house), authorization=f"Bearer {secret}") as web:
        seen = await web.get(f"/requests/{request.id}")
        reports = await web.get(f"/agents/{agent}/reports")
        published = await web.get("/published")
        back = await web.post(f"/agents/{agent}/rollback", json={"version": "1.0.0"})
        gone = await web.post(f"/agents/{agent}/withdraw", json={"reason": "because"})
    assert (seen.status_code, reports.status_code, published.json()) == (404, 404, [])
    assert (back.json()["code"], gone.json()["code"]) == ("agent-not-found", "agent-not-found")
    current = desk.current(agent)
    assert current is not None and current.state == "live"
