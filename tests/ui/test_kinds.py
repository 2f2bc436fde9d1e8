"""Own kinds over the API and on their page: read, tried, saved, recorded."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from guardrails.audit.tables import ledger
from guardrails.detect.recognizers import custom
from guardrails.kinds import digest
from tests.guardrails.test_kinds import FILE
from tests.ui.fake_house import House, open_house
from tests.ui.test_cli import atelier


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = open_house(tmp_path)
    yield house
    house.close()
    custom.use(())


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


def test_the_command_tries_a_file_and_says_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(FILE, "utf-8")
    done = atelier(tmp_path / "home", "kinds", "try", str(file), "--json", "--text", "C-123456 x")
    rows = json.loads(done.stdout)
    assert done.returncode == 0
    assert [row["ok"] for row in rows] == [True] * 4
    assert rows[-1]["found"] == ["C-123456"]
    file.write_text(FILE.replace('finds: ["C-123456"]', "finds: []"), "utf-8")
    wrong = atelier(tmp_path / "home", "kinds", "try", str(file))
    assert wrong.returncode == 1
    file.write_text(FILE.replace("values:", "valeus:"), "utf-8")
    broken = atelier(tmp_path / "home", "kinds", "try", str(file), ATELIER_LANGUAGE="fr")
    assert broken.returncode == 2
    assert "own.yaml" in broken.stderr and "values?" in broken.stderr
    assert atelier(tmp_path / "home", "kinds", "try").returncode == 2


def test_the_command_that_screens_knows_the_kinds_of_its_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "kinds.yaml").write_text(FILE, "utf-8")
    done = atelier(home, "screen", "--lang", "en", given="The invoice of C-123456 is late.")
    assert "<CUSTOMER_NUMBER_1>" in done.stdout
    custom.use(())
