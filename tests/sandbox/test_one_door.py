"""Everything outbound takes the same door: no path lets personal data out, or into what is kept.

One test a path that `test_session` does not walk: instructions, results of tools, what the model
says by itself, titles, exports, logs.
"""

import asyncio
import json
import logging
from pathlib import Path

import pytest
import sqlalchemy as sa

from agents.catalog import templates
from agents.evaluate import run_case
from agents.spec import AgentSpec, Case, Expected, Text
from guardrails.actor import Actor
from guardrails.audit.export import ocsf, otlp_lines, to_csv
from guardrails.screen import Screen
from tests.house import House
from tests.upstream import Say

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAME = "Claire Fontaine"
MAIL = "claire.fontaine@example.com"
CARD = "4111 1111 1111 1111"
TEXT = f"Write to {NAME} ({MAIL}), card {CARD}: we meet on Monday."
PRIVATE = ("Fontaine", MAIL, CARD, "4111111111111111")


def email_drafter(**update: object) -> AgentSpec:
    return templates()["email-drafter"].model_copy(update=update)


def kept(home: House) -> bytes:
    """Every byte of the store, settled."""
    with home.app.engine.connect() as db:
        db.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return b"".join(file.read_bytes() for file in home.app.settings.home.rglob("*.db*"))


def clear(content: str) -> list[str]:
    return [value for value in PRIVATE if value in content]


async def test_instructions_of_an_agent_are_masked_before_the_model(
    home: House, marie: Actor
) -> None:
    home.script(Say("Yes."))
    words = Text(en=f"Always answer in the name of {NAME}, {MAIL}.")
    await home.send(marie, "Who are you?", email_drafter(instructions=words))
    assert home.upstream.bodies
    assert clear(home.received) == []
    assert "Always answer in the name of" in home.received


async def test_what_a_tool_found_is_masked_before_the_model_reads_it(
    home: House, marie: Actor, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(f"name,mail\n{NAME},{MAIL}\n")
    code = f"print('Contact: Mr {NAME}, {MAIL}, card {CARD}')"
    home.script(Say(tools=[("python", {"code": code})]), Say("Found."))
    reply = await home.send(
        marie, "Whom do I contact?", "spreadsheet-analyst", files={"people.csv": file}
    )
    assert reply.status == "done", reply
    assert len(home.upstream.bodies) == 2
    results = [
        message["content"]
        for message in json.loads(home.upstream.bodies[-1])["messages"]
        if message["role"] == "tool"
    ]
    assert results
    assert clear("".join(map(str, results))) == []


async def test_what_a_model_makes_up_is_masked_in_everything_that_is_kept(
    home: House, marie: Actor
) -> None:
    home.script(Say(f"Ask Bertrand Delacourt, bertrand.delacourt@example.net, card {CARD}."))
    reply = await home.send(marie, "Whom do I ask about the printer?")
    assert reply.status == "done", reply
    assert await asyncio.to_thread(home.app.spans.flush)
    content = await asyncio.to_thread(kept, home)
    assert b"Delacourt" not in content
    assert b"delacourt@example.net" not in content
    assert CARD.encode() not in content


async def test_titles_of_conversations_are_masked(home: House, marie: Actor) -> None:
    home.script(Say("Noted."))
    reply = await home.send(marie, TEXT)
    rows = home.app.conversations.mine(marie.id, limit=500)
    (mine,) = [row for row in rows if row.id == reply.conversation]
    assert clear(mine.title) == []


async def test_exports_of_the_record_hold_no_personal_data(home: House, marie: Actor) -> None:
    home.script(Say("Dear <PERSON_1>, see you."))
    await home.send(marie, TEXT)
    assert await asyncio.to_thread(home.app.spans.flush)
    lines = [
        *await asyncio.to_thread(lambda: list(ocsf(home.app.engine))),
        *await asyncio.to_thread(lambda: list(to_csv(home.app.traces))),
        *await asyncio.to_thread(lambda: list(otlp_lines(home.app.engine))),
    ]
    assert len(lines) > 3
    assert clear("\n".join(map(str, lines))) == []


async def test_a_test_case_takes_the_same_door(home: House, marie: Actor) -> None:
    home.script(Say("Dear <PERSON_1>, see you on Monday."))
    case = Case(id="greets", input=TEXT, expect=Expected(contains=("Claire Fontaine",)))
    spec = email_drafter()

    async def ask(spec: AgentSpec, case: Case):  # type: ignore[no-untyped-def]
        return await home.send(marie, case.input, spec)

    result = await run_case(spec, ask, case)
    assert result.passed, result
    assert clear(home.received) == []
    assert await asyncio.to_thread(home.app.spans.flush)
    assert b"Fontaine" not in await asyncio.to_thread(kept, home)


async def test_error_reports_hold_no_content(
    home: House, marie: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    home.script(Say(status=500))
    failed = await home.send(marie, TEXT)
    assert failed.status == "failed"
    home.script(Say(TEXT, fault="garbage"))
    await home.send(marie, TEXT)
    said = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    assert clear(said) == []


async def test_nothing_leaves_when_a_detector_fails_and_its_error_tells_nothing(
    home: House, marie: Actor, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(text: str, language: str | None) -> list[object]:
        raise RuntimeError(f"cannot read {text}")

    caplog.set_level(logging.DEBUG)
    home.script(Say("never"))
    with monkeypatch.context() as patched:
        patched.setattr(home.app.screen, "_find_pii", broken)
        patched.setattr(home.app.screen, "_seen", Screen()._seen)
        reply = await home.send(marie, TEXT + " Thank you.")
    assert reply.status in ("blocked", "failed"), reply
    assert home.upstream.bodies == []
    assert reply.error == "screen-detector"
    said = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    assert clear(said) == []
