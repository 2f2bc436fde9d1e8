"""Nothing acts unrecorded: durable before it happens, answered after, refused when it cannot be."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.actor import pseudonym
from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.retention import Retention
from guardrails.audit.sealing import FRESH_SECONDS, Sealer
from guardrails.audit.tables import ledger as table
from guardrails.audit.tables import subject_keys
from guardrails.audit.verify import verify
from guardrails.errors import LedgerUnavailable
from guardrails.keys import Keys


@pytest.fixture
def ledger(store: sa.Engine, keys: Keys, tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(store, keys, checkpoint_file=tmp_path / "checkpoints")
    yield opened
    opened.close()


def rows(engine: sa.Engine) -> list[sa.Row[tuple[object, ...]]]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(table).order_by(table.c.seq)).all())


def test_an_intent_and_its_outcome_are_two_rows_that_belong_together(ledger: Ledger) -> None:
    act = Act("tool.call", "alice", "hr", "1.0.0", "c1", "ab" * 16, "allow", "TL-01", {"a": 1})
    intent = ledger.intent(act)
    outcome = ledger.outcome(intent, "failed", {"code": "timeout"})
    first, second = rows(ledger.engine)
    assert (first.seq, first.step, first.intent, first.kind) == (
        intent,
        "intent",
        None,
        "tool.call",
    )
    assert (second.seq, second.step, second.intent) == (outcome, "outcome", intent)
    assert (second.agent, second.trace_id, second.verdict) == ("hr", "ab" * 16, "failed")


def test_a_person_is_stored_as_a_pseudonym(ledger: Ledger, keys: Keys) -> None:
    ledger.record(Act("signin", "alice@example.org"))
    ledger.record(Act("signin", pseudonym(keys, "alice@example.org")))
    ledger.record(Act("start", "system"))
    assert [r.actor for r in rows(ledger.engine)] == [pseudonym(keys, "alice@example.org")] * 2 + [
        "system"
    ]


def test_payloads_are_sealed_and_open_again(ledger: Ledger) -> None:
    ledger.record(Act("x", "alice", payload={"text": "very visible words", "n": 2**60}))
    (row,) = rows(ledger.engine)
    assert b"visible" not in row.payload
    with ledger.engine.connect() as connection:
        opened = ledger.sealer.open(connection, row.subject, row.payload)
    assert opened == {"text": "very visible words", "n": str(2**60)}


def test_erasure_destroys_a_key_and_the_chain_still_verifies(
    ledger: Ledger, keys: Keys, tmp_path: Path
) -> None:
    for person in ("alice", "bob"):
        ledger.record(Act("x", person, payload={"of": person}))
    alice = pseudonym(keys, "alice")
    with ledger.engine.begin() as connection:
        assert ledger.sealer.destroy(connection, alice, 1)
        assert not ledger.sealer.destroy(connection, alice, 1)
    ledger.record(Act("x", "alice", payload={"of": "alice, back again"}))
    first, second, third = rows(ledger.engine)
    with ledger.engine.connect() as connection:
        assert ledger.sealer.open(connection, alice, first.payload) is None
        assert ledger.sealer.open(connection, second.subject, second.payload) == {"of": "bob"}
        assert ledger.sealer.open(connection, alice, third.payload) == {"of": "alice, back again"}
        assert connection.scalar(sa.select(sa.func.count()).select_from(subject_keys)) == 2
    ledger.close()
    assert verify(ledger.engine, keys.signing().public_key(), tmp_path / "checkpoints").ok


def test_what_follows_an_erasure_by_another_process_can_be_read(
    store: sa.Engine, keys: Keys
) -> None:
    here, elsewhere = Ledger(store, keys), Ledger(store, keys)
    now = 0.0
    here.sealer = Sealer(keys, lambda: now)
    here.record(Act("x", "alice", payload={"n": 1}))
    alice = pseudonym(keys, "alice")
    Retention(store, elsewhere, keys).erase(alice, by="bob")
    now += FRESH_SECONDS
    seq = here.record(Act("x", "alice", payload={"n": 2}))
    with store.connect() as connection:
        sealed = connection.scalar(sa.select(table.c.payload).where(table.c.seq == seq))
        assert elsewhere.sealer.open(connection, alice, sealed) == {"n": 2}
    here.close()
    elsewhere.close()


async def test_many_callers_share_commits_and_keep_one_chain(
    ledger: Ledger, keys: Keys, tmp_path: Path
) -> None:
    async def caller(number: int) -> None:
        for _ in range(5):
            intent = await ledger.aintent(Act("x", f"u{number}", payload={"n": number}))
            await ledger.aoutcome(intent, "allow", {})

    await asyncio.gather(*(caller(n) for n in range(20)))
    ledger.close()
    result = verify(ledger.engine, keys.signing().public_key(), tmp_path / "checkpoints")
    assert (result.ok, result.rows, result.proven_to) == (True, 200, 200)


async def test_an_outcome_is_written_when_its_caller_is_cancelled(ledger: Ledger) -> None:
    intent = await ledger.aintent(Act("x", "alice"))
    task = asyncio.create_task(ledger.aoutcome(intent, "allow", {}))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    ledger.close()
    assert [row.step for row in rows(ledger.engine)] == ["intent", "outcome"]


def test_two_ledgers_on_one_store_keep_one_chain(
    store: sa.Engine, keys: Keys, tmp_path: Path
) -> None:
    ledgers = [Ledger(store, keys) for _ in range(2)]

    def write(one: Ledger) -> None:
        for _ in range(30):
            one.record(Act("x", "alice", payload={"a": 1}))

    threads = [threading.Thread(target=write, args=(one,)) for one in ledgers for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in ledgers:
        one.close()
    result = verify(store, keys.signing().public_key(), [], mac_key=keys.derive("ledger-chain"))
    assert (result.ok, result.rows) == (True, 120)


def test_a_dangling_intent_becomes_outcome_unknown(ledger: Ledger, keys: Keys) -> None:
    answered = ledger.intent(Act("x", "alice"))
    ledger.outcome(answered, "allow", {})
    dangling = ledger.intent(Act("tool.call", "alice", rule="TL-01"))
    ledger.close()
    again = Ledger(ledger.engine, keys)
    assert again.recover() == 1
    assert again.recover() == 0
    again.close()
    last = rows(ledger.engine)[-1]
    assert (last.intent, last.verdict, last.kind) == (dangling, "unknown", "tool.call")


def test_an_outcome_without_an_intent_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerUnavailable):
        ledger.outcome(99, "allow", {})


def test_a_payload_that_cannot_be_written_refuses_only_its_own_act(ledger: Ledger) -> None:
    with pytest.raises(LedgerUnavailable):
        ledger.intent(Act("x", "alice", payload={"a": object()}))
    assert ledger.intent(Act("x", "alice")) == 1


def test_hostile_text_is_recorded_and_verifies(ledger: Ledger, keys: Keys, tmp_path: Path) -> None:
    hostile = 'a\0b\ud800"\\\n\u2028é😀'
    ledger.record(Act(hostile, "alice", hostile, rule=hostile, payload={hostile: hostile}))
    ledger.close()
    assert verify(ledger.engine, keys.signing().public_key(), tmp_path / "checkpoints").ok


def test_after_close_everything_is_refused(ledger: Ledger) -> None:
    ledger.close()
    with pytest.raises(LedgerUnavailable):
        ledger.intent(Act("x", "alice"))


def test_a_full_disk_refuses_the_act_and_the_ledger_recovers(
    engine: sa.Engine, keys: Keys, tmp_path: Path
) -> None:
    ledger = Ledger(engine, keys, checkpoint_file=tmp_path / "checkpoints")
    ledger.record(Act("x", "alice"))

    @sa.event.listens_for(engine, "connect")
    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={limit_pages}")

    with engine.connect() as connection:
        limit_pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    engine.dispose()
    with pytest.raises(LedgerUnavailable):
        for _ in range(200):
            ledger.intent(Act("x", "alice", payload={"big": "x" * 2_000}))
    limit_pages = 1_000_000
    engine.dispose()
    assert ledger.intent(Act("x", "alice")) > 0
    ledger.close()
    assert verify(engine, keys.signing().public_key(), tmp_path / "checkpoints").ok


def test_a_checkpoint_file_that_cannot_be_written_is_counted_and_acts_go_on(
    engine: sa.Engine, keys: Keys, tmp_path: Path
) -> None:
    ledger = Ledger(engine, keys, checkpoint_file=tmp_path / "missing" / "checkpoints")
    ledger.record(Act("x", "alice"))
    ledger.close()
    assert ledger.checkpoint_failures == 1
    assert len(rows(engine)) == 1


def test_a_store_that_is_gone_refuses_the_act(keys: Keys, tmp_path: Path) -> None:
    from guardrails.store import open_engine

    engine = open_engine(f"sqlite:///{tmp_path / 'empty.db'}")  # no tables
    ledger = Ledger(engine, keys)
    with pytest.raises(LedgerUnavailable):
        ledger.intent(Act("x", "alice"))
    assert ledger.failures == 1
    ledger.close()
    engine.dispose()
