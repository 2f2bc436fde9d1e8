"""One test per way to alter the record: each is found, and the exact row is named.

All but the last group use the public key only, as an outside auditor would.
"""

import shutil
import sqlite3
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.actor import pseudonym
from guardrails.audit import checkpoints
from guardrails.audit.chain import Body, link
from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.retention import Retention
from guardrails.audit.schedule import Schedule
from guardrails.audit.tables import ledger as table
from guardrails.audit.tables import tombstones
from guardrails.audit.verify import Problem, verify, verify_rows
from guardrails.keys import Keys

ROWS = 30


@pytest.fixture
def marks(store: sa.Engine, keys: Keys, tmp_path: Path) -> Path:
    """A ledger of 30 rows with checkpoints at rows 10, 20 and 30."""
    file = tmp_path / "checkpoints"
    ledger = Ledger(store, keys, checkpoint_file=file)
    for number in range(1, ROWS + 1):
        ledger.record(
            Act("model.call", f"u{number % 3}", "hr", "1.0.0", "c1", "ab" * 16,
                rule="MD-01", payload={"n": number})
        )  # fmt: skip
        if number % 10 == 0:
            ledger.checkpoint()
    ledger.close()
    return file


def found(store: sa.Engine, keys: Keys, marks: Path) -> Problem | None:
    return verify(store, keys.signing().public_key(), marks).first_bad


def change(store: sa.Engine, statement: sa.Executable) -> None:
    with store.begin() as connection:
        connection.execute(statement)


def test_an_untouched_ledger_verifies(store: sa.Engine, keys: Keys, marks: Path) -> None:
    result = verify(store, keys.signing().public_key(), marks)
    assert (result.ok, result.rows, result.checkpoints, result.proven_to) == (True, 30, 3, 30)


@pytest.mark.parametrize("column", [name for name in Body._fields if name not in ("seq", "digest")])
def test_an_edited_column_is_found(store: sa.Engine, keys: Keys, marks: Path, column: str) -> None:
    value: object = 5 if column in ("at", "intent") else "forged"
    change(store, sa.update(table).where(table.c.seq == 7).values({column: value}))
    assert found(store, keys, marks) == Problem(7, "altered")


def test_an_edited_payload_is_found(store: sa.Engine, keys: Keys, marks: Path) -> None:
    change(store, sa.update(table).where(table.c.seq == 12).values(payload=b"forged"))
    assert found(store, keys, marks) == Problem(12, "payload-altered")


def test_an_edited_digest_is_found(store: sa.Engine, keys: Keys, marks: Path) -> None:
    change(store, sa.update(table).where(table.c.seq == 12).values(digest="0" * 64))
    assert found(store, keys, marks) == Problem(12, "payload-altered")


def test_a_removed_payload_is_found(store: sa.Engine, keys: Keys, marks: Path) -> None:
    change(store, sa.update(table).where(table.c.seq == 12).values(payload=None))
    assert found(store, keys, marks) == Problem(12, "payload-missing")


def test_two_swapped_payloads_are_found(store: sa.Engine, keys: Keys, marks: Path) -> None:
    with store.begin() as connection:
        rows = connection.execute(sa.select(table.c.seq, table.c.payload)).all()
        payloads = {row.seq: row.payload for row in rows}
        for seq, other in ((4, 5), (5, 4)):
            connection.execute(
                sa.update(table).where(table.c.seq == seq).values(payload=payloads[other])
            )
    assert found(store, keys, marks) == Problem(4, "payload-altered")


def test_an_edited_hash_is_found(store: sa.Engine, keys: Keys, marks: Path) -> None:
    change(store, sa.update(table).where(table.c.seq == 12).values(hash="0" * 64))
    assert found(store, keys, marks) == Problem(12, "altered")


def test_a_deleted_row_is_found(store: sa.Engine, keys: Keys, marks: Path) -> None:
    change(store, sa.delete(table).where(table.c.seq == 15))
    assert found(store, keys, marks) == Problem(15, "missing")


def test_a_deleted_first_row_is_found(store: sa.Engine, keys: Keys, marks: Path) -> None:
    change(store, sa.delete(table).where(table.c.seq == 1))
    assert found(store, keys, marks) == Problem(1, "missing")


def test_a_deleted_row_with_the_rest_renumbered_is_found(
    store: sa.Engine, keys: Keys, marks: Path
) -> None:
    with store.begin() as connection:
        connection.execute(sa.delete(table).where(table.c.seq == 15))
        for seq in range(16, ROWS + 1):
            connection.execute(sa.update(table).where(table.c.seq == seq).values(seq=seq - 1))
    assert found(store, keys, marks) == Problem(15, "altered")


def test_an_inserted_row_is_found(store: sa.Engine, keys: Keys, marks: Path) -> None:
    with store.begin() as connection:
        for seq in range(ROWS, 14, -1):
            connection.execute(sa.update(table).where(table.c.seq == seq).values(seq=seq + 1))
        row = connection.execute(sa.select(table).where(table.c.seq == 3)).one()
        connection.execute(sa.insert(table), {**row._asdict(), "seq": 15})
    assert found(store, keys, marks) == Problem(15, "altered")


def test_a_row_inserted_before_the_first_is_found(
    store: sa.Engine, keys: Keys, marks: Path
) -> None:
    with store.begin() as connection:
        row = connection.execute(sa.select(table).where(table.c.seq == 3)).one()
        connection.execute(sa.insert(table), {**row._asdict(), "seq": 0})
    assert found(store, keys, marks) == Problem(0, "inserted")


def test_two_reordered_rows_are_found(store: sa.Engine, keys: Keys, marks: Path) -> None:
    with store.begin() as connection:
        for seq, other in ((8, 1000), (9, 8), (1000, 9)):
            connection.execute(sa.update(table).where(table.c.seq == seq).values(seq=other))
    assert found(store, keys, marks) == Problem(8, "altered")


@pytest.mark.parametrize("kept", [29, 25, 10, 0])
def test_a_truncated_tail_is_found(store: sa.Engine, keys: Keys, marks: Path, kept: int) -> None:
    change(store, sa.delete(table).where(table.c.seq > kept))
    assert found(store, keys, marks) == Problem(kept + 1, "truncated")


def rewrite(store: sa.Engine, start: int) -> None:
    """What a thief with write access does: edit a row and recompute every hash after it."""
    with store.begin() as connection:
        forged = sa.update(table).where(table.c.seq == start).values(actor="p_0000000000")
        connection.execute(forged)
        previous = connection.scalar(sa.select(table.c.hash).where(table.c.seq == start - 1))
        assert previous
        for row in connection.execute(
            sa.select(table).where(table.c.seq >= start).order_by(table.c.seq)
        ).all():
            body = Body(*[getattr(row, name) for name in Body._fields])
            previous = link(previous, body)
            connection.execute(sa.update(table).where(table.c.seq == row.seq).values(hash=previous))


def test_a_recomputed_chain_breaks_at_the_next_checkpoint(
    store: sa.Engine, keys: Keys, marks: Path
) -> None:
    rewrite(store, 14)
    assert found(store, keys, marks) == Problem(20, "checkpoint-mismatch")


def test_a_recomputed_chain_is_found_at_its_row_with_the_stores_key(
    store: sa.Engine, keys: Keys, marks: Path
) -> None:
    rewrite(store, 14)
    result = verify(store, keys.signing().public_key(), marks, mac_key=keys.derive("ledger-chain"))
    assert result.first_bad == Problem(14, "rewritten")


def test_a_forged_checkpoint_is_found(store: sa.Engine, keys: Keys, marks: Path) -> None:
    known = checkpoints.read(marks)
    forged = checkpoints.sign(Keys(b"x" * 32).signing(), 2, 20, known[1].hash, 1)
    result = verify(store, keys.signing().public_key(), [known[0], forged, known[2]])
    assert result.first_bad == Problem(20, "checkpoint-forged")


def test_a_removed_checkpoint_is_found(store: sa.Engine, keys: Keys, marks: Path) -> None:
    known = checkpoints.read(marks)
    result = verify(store, keys.signing().public_key(), [known[0], known[2]])
    assert result.first_bad == Problem(30, "checkpoint-missing")


def test_a_damaged_checkpoint_file_is_found(store: sa.Engine, keys: Keys, marks: Path) -> None:
    lines = marks.read_text().splitlines()
    marks.write_text("\n".join([lines[0], "not json", lines[2]]) + "\n")
    assert found(store, keys, marks) == Problem(0, "checkpoint-damaged")


def test_a_torn_last_checkpoint_is_no_damage(store: sa.Engine, keys: Keys, marks: Path) -> None:
    marks.write_text(marks.read_text() + '{"number": 4, "se')
    assert found(store, keys, marks) is None
    ledger = Ledger(store, keys, checkpoint_file=marks)
    ledger.record(Act("x", "alice"))
    ledger.close()
    assert [mark.number for mark in checkpoints.read(marks)] == [1, 2, 3, 4]
    assert found(store, keys, marks) is None


def test_two_processes_share_one_checkpoint_file(store: sa.Engine, keys: Keys, marks: Path) -> None:
    ledgers = [Ledger(store, keys, checkpoint_file=marks) for _ in range(2)]
    for _ in range(3):
        for ledger in ledgers:
            ledger.record(Act("x", "alice"))
            ledger.checkpoint()
    for ledger in ledgers:
        ledger.close()
    result = verify(store, keys.signing().public_key(), marks)
    assert (result.ok, result.checkpoints, result.proven_to) == (True, 9, 36)


@pytest.mark.parametrize("kept", [0, 1])
def test_a_checkpoint_file_that_was_removed_or_cut_is_found(
    engine: sa.Engine, keys: Keys, tmp_path: Path, kept: int
) -> None:
    file = tmp_path / "checkpoints"
    ledger = Ledger(engine, keys, checkpoint_file=file)
    ledger.record(Act("x", "alice"))
    ledger.checkpoint()
    waiting = [ledger._submit("event", Act("x", "alice"), None, "allow", {}) for _ in range(2_100)]
    for done in waiting:
        done.result(30)
    ledger.close()
    assert found(engine, keys, file) is None
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:kept]))
    assert found(engine, keys, file) == Problem(kept + 1, "checkpoint-missing")


@pytest.mark.parametrize(
    ("values", "what"),
    [({}, ""), ({"rule": "forged"}, "altered"), ({"payload": b"x"}, "payload-altered"),
     ({"payload": None}, "payload-missing"), ({"mac": "00"}, "rewritten")],
)  # fmt: skip
def test_single_rows_are_checked_against_the_rows_before_them(
    store: sa.Engine, keys: Keys, marks: Path, values: dict[str, object], what: str
) -> None:
    if values:
        change(store, sa.update(table).where(table.c.seq == 7).values(values))
    key = keys.derive("ledger-chain")
    public = keys.signing().public_key()
    assert verify_rows(store, public, [1, 6, 7], key) == (Problem(7, what) if what else None)
    assert verify_rows(store, public, [1, 2, 3], key) is None
    assert verify_rows(store, public, [99], key) == Problem(99, "missing")


def test_a_removed_payload_is_found_beside_an_erased_person(
    store: sa.Engine, keys: Keys, marks: Path
) -> None:
    """A tombstone excuses what it names: one person's payloads, and what was really removed."""
    ledger = Ledger(store, keys)
    Retention(store, ledger, keys).erase(pseudonym(keys, "u1"), by="u2")
    ledger.close()
    assert found(store, keys, marks) is None
    change(store, sa.update(table).where(table.c.seq == 12).values(payload=None))  # u0's
    public = keys.signing().public_key()
    assert found(store, keys, marks) == Problem(12, "payload-missing")
    assert verify_rows(store, public, [12]) == Problem(12, "payload-missing")


def test_a_removed_payload_under_a_legal_hold_is_found_after_retention(
    store: sa.Engine, keys: Keys, marks: Path
) -> None:
    late = time.time() + 200 * 86_400
    ledger = Ledger(store, keys)
    rules = Retention(store, ledger, keys, Schedule(184), lambda: late)
    rules.hold("person", pseudonym(keys, "u0"), by="u2", reason="a court asked")
    assert rules.purge().payloads > ROWS // 2
    ledger.close()
    assert found(store, keys, marks) is None
    change(store, sa.update(table).where(table.c.seq == 12).values(payload=None))  # u0's
    assert found(store, keys, marks) == Problem(12, "payload-missing")


def test_a_tombstone_that_nobody_signed_excuses_nothing(
    store: sa.Engine, keys: Keys, marks: Path
) -> None:
    change(store, sa.update(table).where(table.c.seq == 12).values(payload=None))
    forged = {"reason": "retention", "subject": "", "first": 1, "last": 30, "at": 1}
    change(store, sa.insert(tombstones).values(**forged, signature="AAAA"))
    public = keys.signing().public_key()
    assert found(store, keys, marks) == Problem(12, "payload-missing")
    assert verify_rows(store, public, [12]) == Problem(12, "payload-missing")


def test_a_copy_is_checked_without_being_touched(
    engine: sa.Engine, keys: Keys, tmp_path: Path
) -> None:
    file = tmp_path / "checkpoints"
    ledger = Ledger(engine, keys, checkpoint_file=file)
    ledger.record(Act("x", "alice", payload={"a": 1}))
    ledger.close()
    engine.dispose()
    folder = tmp_path / "evidence #1?"
    folder.mkdir()
    copy = Path(shutil.copy(tmp_path / "atelier.db", folder / "copy of ü.db"))
    before = copy.read_bytes()
    assert verify(copy, keys.signing().public_key(), file).ok
    with sqlite3.connect(copy) as db:
        db.execute("UPDATE ledger SET rule = 'forged'")
    db.close()
    after = copy.read_bytes()
    assert after != before
    result = verify(copy, keys.signing().public_key(), file)
    assert result.first_bad == Problem(1, "altered")
    assert copy.read_bytes() == after
    assert [each.name for each in folder.iterdir()] == [copy.name]
