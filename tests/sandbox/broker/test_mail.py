"""Mail through a real SMTP server on loopback."""

import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from agents.tools.base import Letter, NotDone, ToolContext
from agents.tools.registry import TOOLS, call, objection
from sandbox.broker.mail import Mailer

LETTER = Letter(("ann@example.com",), "Réunion", "Bonjour,\nà demain.", ("bob@example.com",))


class Box:
    """Takes every message."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.got.append(envelope)
        return "250 OK"


@pytest.fixture
def box() -> Iterator[tuple[Box, str]]:
    handler = Box()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, f"127.0.0.1:{port}"
    controller.stop()


def mailer(server: str, recipients: str = "example.com") -> Mailer:
    return Mailer(server, "agents@example.com", recipients, {}, security="none")


async def test_a_message_arrives_with_its_accents(box: tuple[Box, str]) -> None:
    handler, server = box
    assert await mailer(server).send(LETTER) == "Sent to 2 recipient(s)."
    (envelope,) = handler.got
    message = message_from_bytes(envelope.content, policy=default)
    assert envelope.rcpt_tos == ["ann@example.com", "bob@example.com"]
    assert message["Subject"] == "Réunion" and "à demain" in message.get_content()
    assert message["From"] == "agents@example.com" and message["Date"] and message["Message-ID"]


@pytest.mark.parametrize("allowed", ["", "other.example", "ann@example.com", "ample.com"])
async def test_nothing_goes_to_a_recipient_off_the_list(box: tuple[Box, str], allowed: str) -> None:
    handler, server = box
    with pytest.raises(NotDone, match="not on the list"):
        await mailer(server, allowed).send(LETTER)
    assert handler.got == []


async def test_a_connection_that_ends_after_the_message_is_no_promise_that_nothing_was_sent(
    box: tuple[Box, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, server = box

    async def taken_and_gone(self: Box, talk: Any, _session: Any, envelope: Any) -> str:
        self.got.append(envelope)
        talk.transport.abort()
        return "250 OK"

    monkeypatch.setattr(Box, "handle_DATA", taken_and_gone)
    with pytest.raises(NotDone, match="not known whether"):
        await mailer(server).send(LETTER)
    assert len(handler.got) == 1


async def test_who_was_refused_is_told_apart_from_who_got_it(
    box: tuple[Box, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, server = box

    async def only_ann(
        _self: Any, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if not address.startswith("ann"):
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    monkeypatch.setattr(Box, "handle_RCPT", only_ann, raising=False)
    with pytest.raises(NotDone, match="sent to 1 of 2"):
        await mailer(server).send(LETTER)
    assert [one.rcpt_tos for one in handler.got] == [["ann@example.com"]]


async def test_a_server_that_is_away_is_an_answer() -> None:
    with pytest.raises(NotDone, match="nothing was sent"):
        await mailer("127.0.0.1:9").send(LETTER)
    with pytest.raises(NotDone, match="no mail server"):
        await mailer("").send(LETTER)


async def test_a_server_without_encryption_is_not_used_unless_said_so(box: tuple[Box, str]) -> None:
    handler, server = box
    with pytest.raises(NotDone):
        await Mailer(server, "a@example.com", "example.com", {}).send(LETTER)
    assert handler.got == []


async def test_a_draft_is_a_file_and_is_not_sent() -> None:
    given = {"to": ["ann@example.com"], "subject": "Hello", "body": "Dear Ann"}
    result = await call("email_draft", given, ToolContext())
    (made,) = result.artefacts
    message = message_from_bytes(made.data, policy=default)
    assert message["X-Unsent"] == "1" and message["To"] == "ann@example.com"
    assert made.media_type == "message/rfc822" and "not sent" in result.content


@pytest.mark.parametrize(
    "change",
    [
        {"to": ["Ann"]},
        {"to": ["a@example.com, b@example.com"]},
        {"to": ["a@example.com\r\nBcc: x@example.com"]},
        {"subject": "Hello\r\nBcc: x@example.com"},
        {"to": []},
        {"to": ["a@example.com"] * 11},
    ],
)
async def test_a_message_cannot_smuggle_a_recipient(change: dict[str, Any]) -> None:
    given = {"to": ["ann@example.com"], "subject": "Hello", "body": "Dear Ann", **change}
    for name in ("email_draft", "email_send"):
        assert objection(TOOLS[name], given, ToolContext()) is not None
        assert not (await call(name, given, ToolContext())).ok
