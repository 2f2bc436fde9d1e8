"""A server killed between an approved act and its result: nothing goes out twice unseen."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller

from agents.catalog import templates
from agents.spec import AgentSpec
from guardrails.actor import Actor, pseudonym
from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.tables import ledger
from guardrails.keys import Keys
from guardrails.migrate import upgrade
from guardrails.store import open_engine
from sandbox.events import Approval, Reply
from sandbox.interrupted import begun_acts
from tests.house import House, house
from tests.upstream import Say, Upstream
from ui.routes.approvals import why_text

MARIE = Actor("u_marie", "sales", frozenset({"staff"}))
LETTER: dict[str, object] = {"to": ["ann@example.com"], "subject": "Monday", "body": "At nine."}
SENDS = Say("I will send it.", tools=[("email_send", LETTER)])
ASK = "Tell ann@example.com that we meet on Monday at nine."
SERVER = """
import asyncio, json, os, sys
from pathlib import Path
from tests.sandbox.test_unknown_outcome import MARIE, ASK, agent, approve
from sandbox.events import Approval
from ui.settings import Settings
from ui.running import running
from ui.wiring import build

async def main():
    app = build(Settings.model_validate(json.loads(os.environ["GIVEN"])))
    async with running(app):
        await app.sessions.ready.wait()
        conversation = app.conversations.start("email-drafter", MARIE.id, "1")
        asked = None
        async for event in app.sessions.send(actor=MARIE, agent=agent(), text=ASK,
                                             conversation=conversation):
            asked = event if isinstance(event, Approval) else asked
        approve(app, asked.id)
        await asyncio.sleep(600)

asyncio.run(main())
"""


class Box:
    """Takes every message; with a `victim` it takes one, and kills that process with it."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.victim: subprocess.Popen[bytes] | None = None

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.got.append(envelope)
        if self.victim is not None:
            self.victim.send_signal(signal.SIGKILL)
            self.victim = None
        return "250 OK"


@pytest.fixture
def box() -> Iterator[tuple[Box, str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    handler = Box()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, f"127.0.0.1:{port}"
    controller.stop()


def agent() -> AgentSpec:
    return templates()["email-drafter"].model_copy(update={"tools": ("email_send",)})


def approve(app: Any, asked: str) -> None:
    app.approvals.decide(
        asked,
        True,
        by=pseudonym(app.keys, MARIE.id),
        roles=MARIE.roles,
        department=MARIE.department,
    )
    app.sessions.decided.set()


def settings(mail: str) -> dict[str, object]:
    return {
        "smtp_server": mail,
        "smtp_security": "none",
        "smtp_sender": "agents@example.com",
        "mail_recipients": "example.com",
        "model_location": "local",
    }


async def gone_on(home: House, conversation: str) -> Reply:
    """The end of the turn that waits in a conversation, taken up now."""
    for turn, whose, _ in home.app.sessions.paused.all(conversation):
        await home.app.sessions.go_on(turn, whose)
    home.events = [event async for event in home.app.sessions.follow(conversation)]
    reply = home.events[-1]
    assert isinstance(reply, Reply)
    return reply


@pytest.mark.heavy
@pytest.mark.timeout(300)
async def test_a_mail_that_was_perhaps_sent_is_not_sent_again_before_a_person_was_told(
    tmp_path: Path, box: tuple[Box, str]
) -> None:
    handler, mail = box
    with Upstream(SENDS) as upstream:
        given = {
            "home": str(tmp_path), "model": "openai/test", "model_base": upstream.base,
            **settings(mail),
        }  # fmt: skip
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER], env={**os.environ, "GIVEN": json.dumps(given)}
        )
        handler.victim = server
        try:
            # no clock of ours: the test's own time limit ends a server that does not come up
            assert await asyncio.to_thread(server.wait) == -signal.SIGKILL
        finally:
            server.kill()
            server.wait()
    assert len(handler.got) == 1

    async with house(tmp_path, recover=False, **settings(mail)) as second:
        app = second.app
        app.ledger.recover()
        ((_, conversation, _),) = app.sessions.paused.all()
        with app.engine.connect() as db:
            query = sa.select(ledger.c.seq).where(ledger.c.kind == "tool.call")
            (row,) = db.scalars(query.where(ledger.c.step == "intent"))
            outcome = sa.select(ledger.c.verdict).where(ledger.c.intent == row)
            assert db.scalar(outcome) == "unknown"
        second.script(Say("It is sent."))
        reply = await gone_on(second, conversation)
        # asked again, and told why; nothing was sent by going on
        assert reply.status == "waiting" and len(handler.got) == 1
        (asked,) = [event for event in second.events if isinstance(event, Approval)]
        assert asked.repeats == row
        assert "notice.outcome-unknown" in second.notices
        (kept,) = app.approvals.waiting(conversation=conversation)
        assert kept.repeats == row
        for language, word in (("en", "mailbox"), ("fr", "boîte")):
            told = why_text(kept.rule, kept.repeats, language, None)  # type: ignore[arg-type]
            assert word in told and str(row) in told
        # a person who looked and still wants it gets it, once
        approve(app, kept.id)
        end = await gone_on(second, conversation)
        assert (end.status, len(handler.got)) == ("done", 2)


def test_only_acts_without_a_known_outcome_are_found(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(engine)
    book = Ledger(engine, Keys(b"k" * 32))

    def begin(to: str, conversation: str = "c") -> int:
        told = {"tool": "email_send", "arguments": json.dumps({"to": [to]})}
        act = Act("tool.call", "u_1", conversation=conversation, payload=told)
        return book.intent(act)

    begin("long@example.com")
    since = int(time.time() * 1e6) + 1
    time.sleep(0.001)
    book.outcome(begin("done@example.com"), "allow", {})
    book.outcome(begin("refused@example.com"), "failed", {})
    cut = begin("cut@example.com")
    book.outcome(cut, "interrupted", {})
    lost = begin("lost@example.com")
    begin("other@example.com", "another")
    found = begun_acts(book, "c", since)
    assert [(one.row, one.tool) for one in found] == [(cut, "email_send"), (lost, "email_send")]
    assert found[1].arguments == {"to": ["lost@example.com"]}
    book.recover()
    assert [one.row for one in begun_acts(book, "c", since)] == [cut, lost]
    book.close()
    engine.dispose()
