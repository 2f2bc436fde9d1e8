"""A long document is found by its words at once, by its meaning later, also after a restart."""

import threading
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from agents.knowledge.embed import Vectors
from agents.knowledge.ingest import SOON, Knowledge
from agents.knowledge.tables import documents, passages
from tests.agents.knowledge.test_knowledge import Letters, mask, read

LONG = "\n\n".join(
    f"Rule {number}. " + f"The warehouse in hall {number} keeps pallets of type {number}. " * 25
    for number in range(180)
)


class Gate(Letters):
    """An embedder of passages that waits until the test opens it; questions pass."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()

    def queries(self, texts: Sequence[str]) -> Vectors:
        return super().passages(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        if not self.open.wait(30):
            raise TimeoutError
        return super().passages(texts)


def lacking(engine: sa.Engine) -> int:
    query = sa.select(sa.func.count()).where(sa.func.length(passages.c.vector) == 0)
    with engine.connect() as db:
        return int(db.scalar(query.select_from(passages)) or 0)


def embedded(engine: sa.Engine) -> bool:
    with engine.connect() as db:
        return bool(db.scalar(sa.select(documents.c.embedded)))


async def test_words_answer_before_the_vectors_are_there(engine: sa.Engine) -> None:
    gate = Gate()
    knowledge = Knowledge(engine, read, gate)
    kept = await knowledge.add("s", "p1", "long.txt", LONG.encode(), mask)
    assert kept.passages > SOON
    assert lacking(engine) == kept.passages
    found = knowledge.open("s").search("pallets hall 42 rule 42")
    assert found and "42" in found[0].text
    gate.open.set()
    knowledge.later.wait(30)
    assert lacking(engine) == 0
    assert embedded(engine)
    again = knowledge.open("s").search("pallets hall 42 rule 42")
    assert again and "42" in again[0].text
    knowledge.close()


async def test_a_stopped_server_goes_on_at_the_next_start(engine: sa.Engine) -> None:
    gate = Gate()
    knowledge = Knowledge(engine, read, gate)
    await knowledge.add("s", "p1", "long.txt", LONG.encode(), mask)
    knowledge.later._stop.set()
    gate.open.set()
    knowledge.close()
    assert lacking(engine) > 0
    assert not embedded(engine)
    second = Knowledge(engine, read, Letters())
    second.resume()
    second.later.wait(30)
    assert lacking(engine) == 0
    assert embedded(engine)
    second.close()


async def test_a_short_document_is_whole_at_once(engine: sa.Engine) -> None:
    knowledge = Knowledge(engine, read, Letters())
    await knowledge.add("s", "p1", "short.txt", b"Lunch is at noon.", mask)
    assert lacking(engine) == 0
    assert embedded(engine)


async def test_a_document_replaced_meanwhile_gets_its_own_vectors(engine: sa.Engine) -> None:
    gate = Gate()
    knowledge = Knowledge(engine, read, gate)
    await knowledge.add("s", "p1", "long.txt", LONG.encode(), mask)
    await knowledge.add("s", "p1", "long.txt", LONG.replace("pallets", "crates").encode(), mask)
    gate.open.set()
    knowledge.later.wait(30)
    assert lacking(engine) == 0
    found = knowledge.open("s").search("crates hall 7")
    assert found and "crates" in found[0].text
    knowledge.close()


async def test_a_failing_embedder_leaves_the_words_and_is_tried_again(
    engine: sa.Engine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.knowledge.later.RETRY_SECONDS", 0.01)
    letters = Letters(fail_after=0)
    knowledge = Knowledge(engine, read, letters)
    await knowledge.add("s", "p1", "long.txt", LONG.encode(), mask)
    knowledge.later.wait(0.1)
    while not knowledge.later.failures:
        knowledge.later.wait(0.1)
    assert "passages could not be embedded" in caplog.text
    assert "pallets" not in caplog.text and "Traceback" not in caplog.text
    assert not embedded(engine)
    letters.fail_after = None
    knowledge.later.wait(30)
    assert embedded(engine)
    knowledge.close()
