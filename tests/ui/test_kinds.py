"""Own kinds over the API and on their page: read, tried, saved, recorded."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from guardrails.audit.tables import ledger
from guardrails.detect.recognizers import custom
from guardrails.kinds import digest
from tests.guardrails.test_kinds import FILE
from tests.ui.api_client import client, served
from tests.ui.fake_house import House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = open_house(tmp_path)
    yield house
    house.close()
    custom.use(())


@pytest.fixture
async def web(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with client(served(house)) as web:
        yield web


def acts(house: House) -> list[str]:
    with house.engine.connect() as db:
        return list(db.execute(sa.select(ledger.c.kind).order_by(ledger.c.seq)).scalars())


async def test_a_file_is_tried_without_being_kept(house: House, web: httpx.AsyncClient) -> None:
    samples = ["bluebird flies", "nothing here"]
    answer = await web.post("/screen/kinds/try", json={"text": FILE, "samples": samples})
    rows = answer.json()["rows"]
    assert [row["ok"] for row in rows] == [True, True, True, None, None]
    assert [row["found"] for row in rows[3:]] == [["bluebird"], []]
    assert custom.active() == ()
    assert not house.kinds.file.exists()
    assert "kinds.set" not in acts(house)


async def test_saving_records_the_act_and_holds_at_once(
    house: House, web: httpx.AsyncClient
) -> None:
    before = (await web.get("/screen/kinds")).json()
    assert before == {"text": "", "version": digest(""), "kinds": []}
    answer = await web.put("/screen/kinds", json={"text": FILE, "version": before["version"]})
    assert answer.json()["kinds"] == ["CUSTOMER_NUMBER", "PROJECT"]
    assert acts(house).count("kinds.set") == 1
    found = (await web.post("/screen", json={"text": "C-123456 is late", "language": "en"})).json()
    assert "CUSTOMER_NUMBER" in {each["kind"] for each in found["findings"]}
    # somebody who read the file before that change cannot undo it unknowingly
    again = await web.put("/screen/kinds", json={"text": "kinds: []", "version": digest("")})
    assert (again.status_code, again.json()["code"]) == (422, "kinds-changed")
    assert acts(house).count("kinds.set") == 1


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_broken_file_is_refused_with_its_line_in_the_persons_language(
    house: House, web: httpx.AsyncClient, language: str
) -> None:
    answer = await web.put(
        "/screen/kinds",
        json={"text": FILE.replace("pattern:", "patern:"), "version": digest("")},
        headers={"x-atelier-language": language},
    )
    said = answer.json()
    assert (answer.status_code, said["code"]) == (422, "kinds-file")
    assert "3" in said["message"] and "pattern?" in said["message"]
    assert not house.kinds.file.exists()
