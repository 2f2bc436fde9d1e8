"""The seal over HTTP: what the check found, checking again, the ceilings of a run."""

from collections.abc import AsyncIterator

import httpx
import pytest
import sqlalchemy as sa

from guardrails.audit.tables import ledger
from sandbox import ceilings
from sandbox.checked import Check, Checked
from tests.ui.api_client import BASE, client, served
from tests.ui.fake_house import House
from ui.access import ROLES
from ui.identity import Person
from ui.web import frame

EVERYTHING = frozenset(ROLES)
OWNER = Person("local-owner", "Ada", "", EVERYTHING, "en", granted=EVERYTHING, workshop=True)


@pytest.fixture
async def web(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with client(served(house), origin=BASE) as web:
        yield web


def kinds(house: House) -> list[str]:
    with house.engine.connect() as db:
        return list(db.execute(sa.select(ledger.c.kind).order_by(ledger.c.seq)).scalars())


async def test_checking_really_tries_and_is_recorded(house: House, web: httpx.AsyncClient) -> None:
    said = (await web.post("/sandbox/check")).json()
    assert said["backend"] in ("bubblewrap", "landlock")
    assert {one["name"] for one in said["checks"]} >= {"network", "files", "kernel", "memory"}
    assert all(one["held"] for one in said["checks"] if one["rung"] == said["backend"])
    assert said["checked_at"]
    assert "sandbox.check" in kinds(house)
    assert (await web.get("/sandbox")).json() == said


async def test_where_nothing_holds_the_fix_is_in_words(
    house: House, web: httpx.AsyncClient
) -> None:
    house.pool.checked = Checked(
        "refuse",
        (Check("bubblewrap", "start", False, "seal.check.missing"),),
        fix="seal.fix.userns-clone",
    )
    said = (await web.get("/sandbox", headers={"accept-language": "fr"})).json()
    assert said["backend"] == "refuse"
    assert "kernel.unprivileged_userns_clone=1" in said["fix"]
    assert not said["fix"].startswith("seal.")
    assert said["checks"][0]["why"] and not said["checks"][0]["why"].startswith("seal.")


async def test_ceilings_are_set_recorded_and_in_force(house: House, web: httpx.AsyncClient) -> None:
    before = (await web.get("/sandbox/limits")).json()
    assert before["ceiling"] == before["most"]
    answer = await web.put("/sandbox/limits", json={"wall_s": 30, "files": 2})
    assert answer.json()["ceiling"]["wall_s"] == 30
    assert house.pool.ceiling.files == 2
    assert ceilings.load(house.settings.home / ceilings.FILE) == house.pool.ceiling
    assert kinds(house).count("limits.set") == 1


@pytest.mark.parametrize("given", [{"wall_s": 0}, {"memory_mib": 1 << 20}, {"files": -1}])
async def test_a_ceiling_out_of_range_is_refused_with_the_range(
    house: House, web: httpx.AsyncClient, given: dict[str, float]
) -> None:
    answer = await web.put("/sandbox/limits", json=given)
    assert answer.status_code == 422
    assert answer.json()["code"] == "limits-range"
    assert kinds(house).count("limits.set") == 0


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_says_that_agents_do_not_run(house: House, language: str) -> None:
    around = frame.Surroundings(
        language=language,  # type: ignore[arg-type]
        page=None,
        query="",
        sealed=True,
        model=None,
        fix="seal.fix.userns-clone",
    )
    shown = str(frame.before(OWNER, around))
    assert "kernel.unprivileged_userns_clone=1" in shown
    assert 'data-state="refused"' in shown
