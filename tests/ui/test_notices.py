"""What a person is told beside an answer."""

import pytest

from sandbox.events import Notice
from ui.messages import LANGUAGES, Language
from ui.routes.chat import notice


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_blocked_notice_says_which_rule_why_and_what_to_do_instead(language: Language) -> None:
    told = Notice("blocked", "notice.model-denied", {"rule": "MD-03"})
    text = str(notice(told, language)["text"])
    assert "MD-03" in text
    assert len(text.split(". ")) >= 3


def test_a_notice_without_wording_does_not_break_the_answer() -> None:
    assert notice(Notice("info", "notice.unheard-of"), "en")["text"] == "notice.unheard-of"
