"""Conversations are kept in order and seen by their owner alone."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from agents.conversations import Conversations
from guardrails.errors import BadInput


@pytest.fixture
def kept(engine: sa.Engine) -> Conversations:
    return Conversations(engine)


def test_messages_come_back_in_order_with_what_was_shown(kept: Conversations) -> None:
    id = kept.start("email-drafter", "p1", "abc")
    kept.add(id, "user", "Write to <PERSON_1>", "0" * 32)
    kept.add(id, "assistant", "Dear <PERSON_1>", "0" * 32, {"model": "practice", "sources": []})
    found = kept.messages(id, "p1")
    assert [(one.number, one.role) for one in found] == [(1, "user"), (2, "assistant")]
    assert found[1].extra["model"] == "practice"
    assert found[0].at.tzinfo is not None
    assert [one.number for one in kept.messages(id, "p1", last=1)] == [2]


def test_another_person_cannot_tell_that_it_exists(kept: Conversations) -> None:
    id = kept.start("email-drafter", "p1")
    for act in (kept.get, kept.messages, kept.delete):
        with pytest.raises(BadInput, match="conversation-not-found"):
            act(id, "p2")
        with pytest.raises(BadInput, match="conversation-not-found"):
            act("c_none", "p1")
    assert kept.mine("p2") == []


def test_the_list_begins_with_the_last_touched(engine: sa.Engine) -> None:
    clock = iter(dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=h) for h in range(9))
    kept = Conversations(engine, now=lambda: next(clock))
    first, second = kept.start("a", "p1"), kept.start("b", "p1")
    kept.add(first, "user", "Hello")
    assert [one.id for one in kept.mine("p1")] == [first, second]
    assert [one.id for one in kept.mine("p1", agent="b")] == [second]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("  Short \n message ", "Short message"),
        ("word " * 40, "word " * 11 + "word …"),
        ("x" * 54 + " <PERSON_1> and more of it", "x" * 54 + " …"),
        ("x" * 54 + " <EMAIL_ADDRESS_12>", "x" * 54 + " …"),
    ],
)
def test_a_title_is_cut_between_words_and_never_through_a_placeholder(
    kept: Conversations, text: str, title: str
) -> None:
    id = kept.start("a", "p1")
    kept.add(id, "user", text)
    kept.add(id, "user", "later")
    assert kept.get(id, "p1").title == title


def test_two_writers_at_once_get_two_numbers(kept: Conversations) -> None:
    id = kept.start("a", "p1")
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda n: kept.add(id, "user", str(n)), range(24)))
    assert sorted(numbers) == list(range(1, 25))


def test_a_deleted_conversation_is_gone_and_takes_no_more(kept: Conversations) -> None:
    id = kept.start("a", "p1")
    kept.add(id, "user", "Hello")
    kept.delete(id, "p1")
    assert kept.mine("p1") == []
    with pytest.raises(BadInput, match="conversation-not-found"):
        kept.add(id, "user", "again")
