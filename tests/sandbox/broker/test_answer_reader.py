"""The answer is read while it streams, exactly as the whole JSON would be."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.broker.answer_reader import AnswerReader


def reply(answer: str, *, ascii_only: bool) -> str:
    shape = {"tool": "final_answer", "arguments": {"answer": answer}}
    return json.dumps(shape, ensure_ascii=ascii_only)


@given(st.text(), st.booleans(), st.integers(1, 9))
def test_an_answer_cut_anywhere_reads_as_json_would(text: str, ascii_only: bool, step: int) -> None:
    raw = reply(text, ascii_only=ascii_only)
    reader = AnswerReader()
    pieces = [reader.feed(raw[at : at + step]) for at in range(0, len(raw), step)]
    assert "".join(pieces) == text
    assert reader.answering


def test_words_come_out_before_the_reply_has_ended() -> None:
    reader = AnswerReader()
    assert reader.feed('{ "tool": "final_answer", "arguments": {"answer": "Bonjour <PER') == (
        "Bonjour <PER"
    )
    assert reader.feed('SON_1>"}}') == "SON_1>"


@pytest.mark.parametrize(
    "raw",
    [
        '{"tool": "calculator", "arguments": {"expression": "1"}}',
        '{"tool": "final_answers", "arguments": {"answer": "no"}}',
        '["final_answer"]',
        "plain text",
        "",
    ],
)
def test_anything_else_is_not_an_answer(raw: str) -> None:
    reader = AnswerReader()
    assert reader.feed(raw) == ""
    assert not reader.answering
    assert reader.raw == raw


@pytest.mark.parametrize(
    ("escaped", "shown"),
    [("\\ud83d", "\ufffd"), ("\\ud83dx", "\ufffdx"), ("\\ude00", "\ufffd"), ("\\uzzzz", "\ufffd")],
)
def test_broken_escapes_become_replacement_characters(escaped: str, shown: str) -> None:
    reader = AnswerReader()
    assert reader.feed('{"tool":"final_answer","arguments":{"answer":"' + escaped + '"}}') == shown
