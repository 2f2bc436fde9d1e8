"""Comparisons: one vote, checked before it is on record, and nothing left of an erased text."""

import pytest
import sqlalchemy as sa

from agents.comparisons import Comparisons, Side
from agents.conversations import Conversations
from guardrails.errors import BadInput
from guardrails.store import metadata


@pytest.fixture
def store(engine: sa.Engine) -> sa.Engine:
    metadata.create_all(engine)
    return engine


def test_erasing_a_conversation_erases_what_was_asked_in_its_comparison(store: sa.Engine) -> None:
    kept, all_ = Comparisons(store), Conversations(store)
    ids = [all_.start("a", "ana", "1.0.0") for _ in range(3)]
    sides = [Side(label, "a", "1.0.0", "", id) for label, id in zip("AB", ids, strict=False)]
    asked = kept.start("ana", "What did <PERSON_1> say?", sides)
    other = kept.start("ana", "Something else", [Side("A", "a", "1.0.0", "", ids[2])])
    kept.vote(asked.id, "ana", "A", "Clearer on <PERSON_1>")
    all_.delete(ids[1], "ana")
    left = kept.get(asked.id, "ana")
    assert (left.text, left.note, left.vote) == ("", "", "A")
    assert kept.get(other.id, "ana").text == "Something else"


@pytest.mark.parametrize(
    ("vote", "code"), [("C", "bad-vote"), ("best", "bad-vote"), ("A", "wrong-state")]
)
def test_a_vote_is_looked_at_before_anything_is_recorded(
    store: sa.Engine, vote: str, code: str
) -> None:
    kept = Comparisons(store)
    one = kept.start("ana", "Hello", [Side("A", "a", "1.0.0", "", "c1")])
    kept.open(one.id, "ana", "A")
    kept.vote(one.id, "ana", "same", "")
    with pytest.raises(BadInput, match=code):
        kept.open(one.id, "ana", vote)
    with pytest.raises(BadInput, match="no-such-comparison"):
        kept.open(one.id, "ben", "A")
