"""Prove that nothing in the ledger was altered. Needs the store, the checkpoints and a public key.

With the public key alone it finds: an edited column (the body is derived from the columns), an
edited payload, a deleted, inserted or reordered row, and a truncated tail, and names the row. Rows
after the last checkpoint are only chained; with the store's own keys (`mac_key`) these are proven
too, and a chain that was recomputed after an edit is found at its first row.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from guardrails.audit import checkpoints as marks
from guardrails.audit.chain import GENESIS, Body, link, mac
from guardrails.audit.checkpoints import Checkpoint
from guardrails.audit.tables import ledger
from guardrails.audit.tombstones import Removed, genuine
from guardrails.audit.tombstones import read as read_tombstones
from guardrails.errors import GuardrailError

_BODY = [ledger.c[name] for name in Body._fields]
_WIDTH = len(_BODY)
_FETCH = 2_000
# a checkpoint comes every 1,000 rows, counted after a commit of up to 512
MOST_UNSIGNED = 2_000


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and the first row where it shows (0: before any row).

    `what` is altered, payload-altered, payload-missing, missing, inserted, truncated, rewritten,
    checkpoint-forged, checkpoint-missing, checkpoint-mismatch or checkpoint-damaged.
    """

    seq: int
    what: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The result. `rows` were read; `checkpoints` were genuine and matched; `proven_to` is the last
    row covered by a signature."""

    ok: bool
    rows: int
    first_bad: Problem | None = None
    checkpoints: int = 0
    proven_to: int = 0


def verify(
    store: sa.Engine | Path | str,
    public_key: Ed25519PublicKey,
    checkpoints: Path | Sequence[Checkpoint],
    *,
    mac_key: bytes | None = None,
) -> Verification:
    """Check the whole chain; stops at the first bad row. Writes nothing."""
    engine = store if isinstance(store, sa.Engine) else open_copy(Path(store))
    try:
        known = marks.read(checkpoints) if isinstance(checkpoints, Path) else list(checkpoints)
    except GuardrailError:
        return Verification(False, 0, Problem(0, "checkpoint-damaged"))
    forged = _forged(known, public_key)
    if forged:
        return Verification(False, 0, forged)
    with engine.connect() as connection:
        removed = _removed(connection, public_key)
        with closing(_rows(connection)) as rows:
            result = _walk(rows, known, removed, mac_key)
    unsigned = result.rows - result.proven_to
    if result.ok and isinstance(checkpoints, Path) and unsigned > MOST_UNSIGNED:
        problem = Problem(result.proven_to + 1, "checkpoint-missing")
        return replace(result, ok=False, first_bad=problem)
    return result


def open_copy(file: Path) -> sa.Engine:
    """A SQLite file for reading only: evidence is not touched, not even by opening it."""
    # immutable needs no write access beside the file; rows still in a -wal file need it
    whole = "" if file.with_name(file.name + "-wal").exists() else "&immutable=1"
    uri = f"{file.absolute().as_uri()}?mode=ro{whole}"
    return sa.create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(uri, uri=True, check_same_thread=False),
        poolclass=sa.NullPool,
    )


def verify_rows(
    engine: sa.Engine,
    public_key: Ed25519PublicKey,
    seqs: Sequence[int],
    mac_key: bytes | None = None,
) -> Problem | None:
    """Check single rows against the rows before them; None when each is as it was written.

    Quick, for one trace: it says nothing of rows elsewhere, nor that none is missing there.
    """
    wanted = sorted({*seqs, *(seq - 1 for seq in seqs)})
    query = sa.select(*_BODY, ledger.c.hash, ledger.c.mac, ledger.c.payload)
    with engine.connect() as connection:
        found = {r.seq: r for r in connection.execute(query.where(ledger.c.seq.in_(wanted)))}
        removed = _removed(connection, public_key)
    for seq in sorted(seqs):
        row = found.get(seq)
        before = found.get(seq - 1)
        if row is None or (before is None and seq > 1):
            return Problem(seq, "missing")
        body = Body._make(row[:_WIDTH])
        payload = row.payload
        if payload is not None and hashlib.sha256(payload).hexdigest() != body.digest:
            return Problem(seq, "payload-altered")
        if payload is None and body.digest and not removed.explain(seq, body.subject):
            return Problem(seq, "payload-missing")
        if link(before.hash if before is not None else GENESIS, body) != row.hash:
            return Problem(seq, "altered")
        if mac_key is not None and mac(mac_key, row.hash) != row.mac:
            return Problem(seq, "rewritten")
    return None


def _removed(connection: sa.Connection, key: Ed25519PublicKey) -> Removed:
    return Removed(stone for stone in read_tombstones(connection) if genuine(key, stone))


def _rows(connection: sa.Connection) -> Any:
    """Every row in order, as tuples of the body's fields, hash, mac and payload."""
    query = sa.select(*_BODY, ledger.c.hash, ledger.c.mac, ledger.c.payload)
    query = query.order_by(ledger.c.seq)
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        # the driver's own cursor: SQLAlchemy's rows cost as much as the hashes
        return driver.execute(str(query.compile(dialect=connection.dialect)))
    streaming = connection.execution_options(stream_results=True, yield_per=_FETCH)
    return streaming.execute(query)


def _forged(known: Sequence[Checkpoint], key: Ed25519PublicKey) -> Problem | None:
    for number, checkpoint in enumerate(known, 1):
        if not marks.genuine(key, checkpoint):
            return Problem(checkpoint.seq, "checkpoint-forged")
        if checkpoint.number != number:
            return Problem(checkpoint.seq, "checkpoint-missing")
    return None


def _walk(
    rows: Iterable[Any],
    known: Sequence[Checkpoint],
    removed: Removed,
    mac_key: bytes | None,
) -> Verification:
    expected = {checkpoint.seq: checkpoint for checkpoint in known}
    previous, count, matched, proven = GENESIS, 0, 0, 0

    def bad(seq: int, what: str) -> Verification:
        return Verification(False, count, Problem(seq, what), matched, proven)

    for row in rows:
        body = Body._make(row[:_WIDTH])
        stored, stored_mac, payload = row[_WIDTH:]
        seq = body.seq
        if seq != count + 1:
            return bad(count + 1, "missing") if seq > count + 1 else bad(seq, "inserted")
        count += 1
        if payload is not None and hashlib.sha256(payload).hexdigest() != body.digest:
            return bad(seq, "payload-altered")
        if payload is None and body.digest and not removed.explain(seq, body.subject):
            return bad(seq, "payload-missing")
        previous = link(previous, body)
        if previous != stored:
            return bad(seq, "altered")
        if mac_key is not None and mac(mac_key, previous) != stored_mac:
            return bad(seq, "rewritten")
        checkpoint = expected.get(seq)
        if checkpoint is not None:
            if checkpoint.hash != previous:
                return bad(seq, "checkpoint-mismatch")
            matched += 1
            proven = seq
    late = [c.seq for c in known if c.seq > count]
    if late:
        return bad(count + 1, "truncated")
    return Verification(True, count, None, matched, proven)
