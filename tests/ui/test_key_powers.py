"""What a program can do with a champion's or an officer's key, beside what its scopes name."""

import pytest

from guardrails.actor import Actor
from tests.ui.api_client import client, served, with_accounts
from tests.ui.fake_house import House


@pytest.mark.parametrize("role", ["champion", "security"])
async def test_a_key_to_build_agents_has_no_power_over_those_of_others(
    quiet_house: House, role: str
) -> None:
    with_accounts(quiet_house)
    found = {name: quiet_house.people.find(name) for name in ("staff", "champion", role)}
    ids = {name: account.id for name, account in found.items() if account}
    author, reviewer = Actor(ids["staff"], "", frozenset({"staff"})), ids["champion"]
    agent = quiet_house.catalog.from_template("email-drafter", author.id).id
    desk = quiet_house.desk.publishing
    request = desk.request(agent, author, audience="person:u_x")
    desk.collected(request.id, {"model": "x"})
    desk.approve(request.id, Actor(reviewer, "", frozenset({"champion"})))
    _, secret = quiet_house.api_keys.make("k", owner=ids[role], maker="x", scopes=["agents.build"])
    async with client(served(quiet_house), authorization=f"Bearer {secret}") as web:
        seen = await web.get(f"/requests/{request.id}")
        reports = await web.get(f"/agents/{agent}/reports")
        published = await web.get("/published")
        back = await web.post(f"/agents/{agent}/rollback", json={"version": "1.0.0"})
        gone = await web.post(f"/agents/{agent}/withdraw", json={"reason": "because"})
    assert (seen.status_code, reports.status_code, published.json()) == (404, 404, [])
    assert (back.json()["code"], gone.json()["code"]) == ("agent-not-found", "agent-not-found")
    current = desk.current(agent)
    assert current is not None and current.state == "live"
