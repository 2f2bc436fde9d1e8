"""What people write beside conversations is kept masked, whoever they are and wherever it goes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from guardrails.actor import Actor
from guardrails.errors import ScreenFailed
from guardrails.findings import Finding
from guardrails.screen import Screen
from guardrails.store import metadata
from tests.ui.fake_house import House, open_house
from tests.ui.test_record import People, account, chat

NAME = "Zora Quillfeather"
WORDS = f"because {NAME} asked for it"


def names(text: str, language: str | None) -> list[Finding]:
    at = text.find(NAME)
    return [Finding(at, at + len(NAME), "PERSON", 1.0, "test")] if at >= 0 else []


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = open_house(tmp_path, Screen(names, lambda text: [], lambda text, provenance: 0.0))
    yield opened
    opened.close()


@pytest.fixture
def people(house: House) -> People:
    return People(house)


async def done(people: People, who: str, method: str, path: str, **body: Any) -> Any:
    answer = await people.ask(who, method, path, body)
    assert answer.is_success, (path, answer.text)
    assert "Quillfeather" not in answer.text, path
    return answer.json()


def kept(house: House) -> list[str]:
    """Tables in which the name stands."""
    house.ledger.checkpoint()
    found = []
    with house.engine.connect() as db:
        for table in metadata.sorted_tables:
            rows = [dict(row._mapping) for row in db.execute(sa.select(table))]
            if "Quillfeather" in json.dumps(rows, default=str, ensure_ascii=False):
                found.append(table.name)
    return found


def requested(house: House) -> tuple[str, str]:
    """An agent of the staff member's and an open request for it."""
    owner = account(house, "staff")
    agent = house.catalog.from_template("email-drafter", owner).id
    actor = Actor(owner, "", frozenset({"staff"}))
    request = house.desk.publishing.request(agent, actor, audience="everyone")
    house.desk.publishing.collected(request.id, {"model": "x"})
    return agent, request.id


async def test_remarks_and_notes_of_a_review(house: House, people: People) -> None:
    agent, request = requested(house)
    said = {"text": WORDS, "line": NAME}
    await done(people, "staff", "POST", f"/requests/{request}/comments", **said)
    await done(people, "champion", "POST", f"/requests/{request}/return", note=WORDS)
    agent, request = requested(house)
    await done(people, "champion", "POST", f"/requests/{request}/approve", note=WORDS)
    await done(people, "staff", "POST", f"/agents/{agent}/withdraw", reason=WORDS)
    assert kept(house) == []


async def test_reasons_of_security(house: House, people: People) -> None:
    trace = await chat(house, account(house, "staff"))
    await done(people, "security", "POST", f"/audit/traces/{trace}/reveal", reason=WORDS)
    hold = {"field": "agent", "value": "email-drafter", "reason": WORDS}
    placed = await done(people, "security", "POST", "/retention/holds", **hold)
    await done(people, "security", "POST", f"/retention/holds/{placed['id']}/release", reason=WORDS)
    draft = await done(people, "security", "POST", "/policies/drafts", note=WORDS)
    edit = {"note": WORDS, "revision": draft["revision"]}
    await done(people, "security", "PUT", f"/policies/drafts/{draft['number']}", **edit)
    assert kept(house) == []


async def test_an_agent_is_withdrawn_also_when_the_screen_fails(
    house: House, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, request = requested(house)
    await done(people, "champion", "POST", f"/requests/{request}/approve", note="")

    def fails(*_given: object, **_more: object) -> None:
        raise ScreenFailed

    monkeypatch.setattr(house.screen, "text", fails)
    path = f"/agents/{agent}/withdraw"
    assert (await done(people, "staff", "POST", path, reason=WORDS))["state"] == "withdrawn"
    assert kept(house) == []


async def test_words_that_are_searched_for_are_not_kept_with_an_export(
    house: House, people: People
) -> None:
    await done(people, "security", "POST", "/exports", format="csv", text=NAME)
    assert kept(house) == []


async def test_praise_hands_no_turn_over_and_looks_at_reports_are_on_record(
    house: House, people: People
) -> None:
    staff = account(house, "staff")
    trace = await chat(house, staff)
    conversation = house.conversations.mine(staff)[0].id
    path = f"/conversations/{conversation}/feedback"
    house.sessions.masked = lambda conversation, text: text  # type: ignore[assignment]
    await done(people, "staff", "POST", path, message=2, kind="good", note="")
    (row,) = (await people.ask("champion", "GET", "/feedback?state=all")).json()
    assert (row["request"], row["reply"]) == ("", "")
    looks = (await people.ask("staff", "GET", "/me/looked")).json()["rows"]
    assert looks == []
    await people.ask("staff", "POST", path, {"message": 2, "kind": "wrong", "note": ""})
    (row,) = (await people.ask("champion", "GET", "/feedback")).json()
    assert row["request"]
    looks = (await people.ask("staff", "GET", "/me/looked")).json()["rows"]
    assert [(look["kind"], look["trace_id"]) for look in looks] == [("listed", trace)]
