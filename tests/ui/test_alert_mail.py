"""Alerts by e-mail through a real SMTP server: in both languages, without what people wrote."""

import re
import socket
import time
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from guardrails.actor import pseudonym
from guardrails.audit.alert_rules import RULES
from guardrails.audit.alerts import Alerts
from guardrails.audit.senders import Alert
from tests.ui.fake_house import House
from ui.messages import LANGUAGES, Language
from ui.record import senders
from ui.settings import Settings

OTHERS = ("duties-combined", "security-password", "security-given")
# what the rules give to their words, as they are fired
DATA: dict[str, object] = {
    "person": "p_0123456789", "n": 7, "model": "gpt-x", "share": 80, "scope": "department",
    "what": "altered, 12", "rule": "DP-01", "seq": 12,
}  # fmt: skip


class Box:
    """Takes every message, and knows who signed in."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.who: list[bytes] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.got.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    def authenticate(
        self, _server: Any, _session: Any, _envelope: Any, _how: str, data: Any
    ) -> Any:
        self.who.append(data.login)
        return AuthResult(success=data.password == b"right")


@pytest.fixture
def box() -> Iterator[tuple[Box, str]]:
    handler = Box()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(
        handler,
        hostname="127.0.0.1",
        port=port,
        authenticator=handler.authenticate,
        auth_require_tls=False,
    )
    controller.start()
    yield handler, f"127.0.0.1:{port}"
    controller.stop()


def settings(home: Path, server: str, **more: object) -> Settings:
    given = {
        "home": home, "mail_server": server, "mail_security": "none",
        "alert_mail_to": "one@example.com, two@example.com", "mail_from": "atelier@example.com",
        "public_url": "https://atelier.example", **more,
    }  # fmt: skip
    return Settings.model_validate(given)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_alert_arrives_in_words_of_the_houses_language(
    tmp_path: Path, box: tuple[Box, str], language: Language
) -> None:
    handler, server = box
    ways = senders(settings(tmp_path, server, language=language))
    (mail,) = [way for way in ways if way.name == "mail"]
    for rule in (*RULES, *OTHERS):
        level = RULES[rule].level if rule in RULES else "warning"
        mail.send(Alert(rule, level, "about", DATA, at=time.time()))
    assert len(handler.got) == len(RULES) + len(OTHERS)
    for message, rule in zip(handler.got, (*RULES, *OTHERS), strict=True):
        text = message.get_content()
        assert message["To"] == "one@example.com, two@example.com"
        assert message["From"] == "atelier@example.com" and message["Date"]
        assert message["Message-ID"].endswith("@example.com>")
        # words, not keys or holes
        for words in (message["Subject"], text):
            assert not re.search(r"alert[-.]|level\\.|[{}]", words), (rule, words)
        assert rule not in message["Subject"], rule
        assert f"https://atelier.example/{language}/alerts" in text
        sentence = text.partition("https://")[0]
        assert sentence.strip().endswith("."), (rule, sentence)
    told = "\n".join(str(one.get_content()) for one in handler.got)
    # what comes from a list of the product is in the same language, too
    for here, there in (("department’s", "service"), ("Row 12", "ligne 12")):
        words = (here, there) if language == "en" else (there, here)
        assert words[0] in told and words[1] not in told
    assert ".." not in told


def test_an_alert_of_the_product_names_nobody_and_quotes_nothing(
    quiet_house: House, box: tuple[Box, str]
) -> None:
    handler, server = box
    house = quiet_house
    house.record.alerts = Alerts(house.engine, senders(settings(house.settings.home, server)))
    account = house.people.add("claire", None, name="Claire Fontaine", roles=["security"])
    from ui import duties

    duties.warn_given(cast(Any, house), account.id)
    (message,) = handler.got
    whole = message.as_string() + str(message.get_content())
    assert pseudonym(house.keys, account.id) in whole
    assert "Fontaine" not in whole and "claire" not in whole and account.id not in whole


def test_a_server_that_wants_a_password_gets_it_and_a_wrong_one_is_tried_again(
    tmp_path: Path, box: tuple[Box, str], quiet_house: House
) -> None:
    handler, server = box
    more = {"mail_user": "atelier", "mail_password": "right"}
    (mail,) = [w for w in senders(settings(tmp_path, server, **more)) if w.name == "mail"]
    mail.send(Alert("unsafe-mode", "critical"))
    assert handler.who == [b"atelier"] and len(handler.got) == 1
    wrong = settings(tmp_path, server, **{**more, "mail_password": "wrong"})
    (mail,) = [w for w in senders(wrong) if w.name == "mail"]
    with pytest.raises(OSError):
        mail.send(Alert("unsafe-mode", "critical"))
    assert len(handler.got) == 1


def test_mail_without_encryption_is_not_sent_unless_said_so(
    tmp_path: Path, box: tuple[Box, str]
) -> None:
    handler, server = box
    (mail,) = [
        way
        for way in senders(settings(tmp_path, server, mail_security="starttls"))
        if way.name == "mail"
    ]
    with pytest.raises(OSError):  # this server offers none
        mail.send(Alert("unsafe-mode", "critical"))
    assert handler.got == []
