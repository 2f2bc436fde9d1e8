"""The ledger: an act is written before it happens and its outcome after. Never loses, fails closed.

One writer thread commits what all callers hand in together (group commit), so that a durable write
(synchronous=FULL) is shared. Knows nothing of what acts mean.
"""

import asyncio
import concurrent.futures
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from guardrails.actor import SYSTEM, pseudonym
from guardrails.audit import checkpoints
from guardrails.audit.canonical import storable
from guardrails.audit.chain import GENESIS, Body, link, mac
from guardrails.audit.sealing import Sealer
from guardrails.audit.tables import ledger
from guardrails.audit.writing import begin_writing, write_lock
from guardrails.errors import LedgerUnavailable
from guardrails.keys import Keys
from guardrails.processes import orphaned

log = logging.getLogger(__name__)

CHECKPOINT_ROWS = 1_000
CHECKPOINT_SECONDS = 60.0
BATCH_ROWS = 512  # rows in one commit at most
WAIT_SECONDS = 30.0  # a caller waits no longer than this for the disk
QUEUE_ROWS = 20_000
_ADVISORY_LOCK = 0x41544C47
_INSERT = sa.insert(ledger)


@dataclass(frozen=True, slots=True)
class Act:
    """Something about to happen. `actor` is a person's id or pseudonym (stored as pseudonym) or
    `system`; `subject` is whose key seals `payload` (default: the actor). `payload` is masked."""

    kind: str
    actor: str
    agent: str = ""
    version: str = ""
    conversation: str = ""
    trace_id: str = ""
    verdict: str = "allow"
    rule: str = ""
    payload: Mapping[str, object] = field(default_factory=dict)
    subject: str = ""


@dataclass(slots=True)
class _Entry:
    step: str
    act: Act | None
    intent: int | None
    verdict: str
    payload: Mapping[str, object]
    done: "concurrent.futures.Future[int]"


class Ledger:
    """Append-only record of acts; see `intent`, `outcome`, `record`. Use one per store and process.

    `clock` gives seconds since 1970; `checkpoint_file` should lie on another disk than the store;
    `process` is this process's id, so that no other answers its open intents.
    """

    def __init__(
        self,
        engine: sa.Engine,
        keys: Keys,
        clock: Callable[[], float] = time.time,
        checkpoint_file: Path | None = None,
        process: str = "",
    ) -> None:
        self.engine = engine
        self._process = process
        self.sealer = Sealer(keys)
        self.checkpoint_failures = 0
        self.failures = 0
        self._keys = keys
        self._mac_key = keys.derive("ledger-chain")
        self._signing = keys.signing()
        self._clock = clock
        self._file = checkpoint_file
        self._queue: queue.Queue[_Entry | None] = queue.Queue(QUEUE_ROWS)
        self._open: dict[int, Act] = {}
        self._pseudonyms: dict[str, str] = {}
        self._lock = write_lock(engine)
        self._checkpointed_seq = 0
        self._checkpointed_at = time.monotonic()
        self._since_checkpoint: int | None = None  # unknown until the first commit
        self._closing = threading.Event()
        self._writer = threading.Thread(target=self._write, name="ledger", daemon=True)
        self._writer.start()

    def intent(self, act: Act) -> int:
        """Write `act` before it happens; returns its sequence number once it is on the disk.

        Raises LedgerUnavailable when it could not be recorded: then the act must not happen.
        """
        return self._wait(self._submit("intent", act, None, act.verdict, act.payload))

    def outcome(self, intent: int, verdict: str, payload: Mapping[str, object]) -> int:
        """Write what became of `intent`. `verdict` is allow, ask, deny, failed or unknown."""
        return self._wait(self._submit("outcome", None, intent, verdict, payload))

    def record(self, act: Act) -> int:
        """Write an act that is over at once (a view, a sign-in); it needs no outcome."""
        return self._wait(self._submit("event", act, None, act.verdict, act.payload))

    async def aintent(self, act: Act) -> int:
        """`intent` without blocking the loop; a caller that is cancelled does not act."""
        return await self._await(self._submit("intent", act, None, act.verdict, act.payload))

    async def aoutcome(self, intent: int, verdict: str, payload: Mapping[str, object]) -> int:
        """`outcome` without blocking the loop; written even when the caller is cancelled."""
        done = self._submit("outcome", None, intent, verdict, payload)
        return await self._await(done, keep=True)

    async def arecord(self, act: Act) -> int:
        """`record` without blocking the loop; written even when the caller is cancelled."""
        done = self._submit("event", act, None, act.verdict, act.payload)
        return await self._await(done, keep=True)

    def recover(self) -> int:
        """Answer every intent that a dead process left open with "outcome unknown"; returns how
        many. Call at start."""
        answered = ledger.alias()
        dangling = (
            sa.select(ledger.c.seq)
            .where(
                ledger.c.step == "intent",
                orphaned(ledger.c.process),
                ~sa.exists().where(answered.c.intent == ledger.c.seq),
            )
            .order_by(ledger.c.seq)
        )
        with self.engine.connect() as connection:
            rows = [row.seq for row in connection.execute(dangling)]
        waiting = [
            self._submit("outcome", None, seq, "unknown", {"status": "outcome unknown"})
            for seq in rows
        ]
        for done in waiting:
            self._wait(done)
        return len(rows)

    def checkpoint(self) -> None:
        """Sign the head now. Raises OSError when the checkpoint file cannot be written."""
        with self._lock:
            self._checkpoint()

    def close(self) -> None:
        """Write what is queued, sign the head and stop. Later calls raise LedgerUnavailable."""
        if not self._closing.is_set():
            self._closing.set()
            self._queue.put(None)
        self._writer.join(WAIT_SECONDS)

    def _submit(
        self,
        step: str,
        act: Act | None,
        intent: int | None,
        verdict: str,
        payload: Mapping[str, object],
    ) -> "concurrent.futures.Future[int]":
        done: concurrent.futures.Future[int] = concurrent.futures.Future()
        if self._closing.is_set():
            raise LedgerUnavailable(why="closed")
        try:
            self._queue.put_nowait(_Entry(step, act, intent, verdict, payload, done))
        except queue.Full:
            raise LedgerUnavailable(why="too many writes are waiting") from None
        return done

    @staticmethod
    def _wait(done: "concurrent.futures.Future[int]") -> int:
        try:
            return done.result(WAIT_SECONDS)
        except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError) as error:
            done.cancel()
            raise LedgerUnavailable(why="the store did not answer in time") from error

    @staticmethod
    async def _await(done: "concurrent.futures.Future[int]", keep: bool = False) -> int:
        waiting = asyncio.wrap_future(done)
        try:
            # shielded: a page that closes in the middle must not leave an act without its outcome
            return await asyncio.wait_for(
                asyncio.shield(waiting) if keep else waiting, WAIT_SECONDS
            )
        except TimeoutError as error:
            raise LedgerUnavailable(why="the store did not answer in time") from error

    # ── the writer thread ────────────────────────────────────────────────────────────────

    def _write(self) -> None:
        stop = False
        while not stop:
            batch, stop = self._gather()
            batch = [entry for entry in batch if entry.done.set_running_or_notify_cancel()]
            if batch:
                self._commit(batch)
            self._maybe_checkpoint(force=stop)

    def _gather(self) -> tuple[list[_Entry], bool]:
        left = CHECKPOINT_SECONDS - (time.monotonic() - self._checkpointed_at)
        try:
            first = self._queue.get(timeout=max(0.05, left))
        except queue.Empty:
            return [], False
        batch: list[_Entry] = []
        while first is not None:
            batch.append(first)
            if len(batch) >= BATCH_ROWS:
                return batch, False
            try:
                first = self._queue.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _commit(self, batch: list[_Entry]) -> None:
        try:
            with self._lock, self.engine.connect() as connection:
                begin_writing(connection, _ADVISORY_LOCK)
                rows, results = self._rows(connection, batch)
                if rows:
                    connection.execute(_INSERT, rows)
                connection.commit()
        # any failure at all must refuse the acts: this is where "fails closed" happens
        except Exception as error:
            self.failures += len(batch)
            self.sealer.forget()
            log.error("ledger write failed", extra={"error": type(error).__name__})
            for entry in batch:
                entry.done.set_exception(LedgerUnavailable(why=type(error).__name__))
            return
        if rows:
            if self._since_checkpoint is None:
                # rows that killed processes left unsigned count too
                self._since_checkpoint = _number(rows[0]["seq"]) - 1 - self._signed_to()
            self._since_checkpoint += len(rows)
        for entry, seq in zip(batch, results, strict=True):
            if isinstance(seq, LedgerUnavailable):
                entry.done.set_exception(seq)
                continue
            if entry.step == "intent" and entry.act is not None:
                self._open[seq] = entry.act
            elif entry.intent is not None:
                self._open.pop(entry.intent, None)
            entry.done.set_result(seq)

    def _rows(
        self, connection: sa.Connection, batch: list[_Entry]
    ) -> tuple[list[dict[str, object]], "list[int | LedgerUnavailable]"]:
        seq, previous = head(connection)
        rows: list[dict[str, object]] = []
        results: list[int | LedgerUnavailable] = []
        for entry in batch:
            act = entry.act
            if act is None and entry.intent is not None:
                act = self._open.get(entry.intent) or self._reread(connection, entry.intent)
            if act is None:
                results.append(LedgerUnavailable(why="no such intent"))
                continue
            at = int(self._clock() * 1_000_000)
            actor = self._pseudonym(act.actor)
            subject = self._pseudonym(act.subject or act.actor)
            try:
                sealed = self.sealer.seal(connection, subject, entry.payload, at)
            except (TypeError, ValueError) as error:
                # one act's bad payload must not refuse the others of the batch
                results.append(LedgerUnavailable(why=f"payload: {error}"))
                continue
            seq += 1
            body = Body(
                seq, at, entry.step, entry.intent, storable(act.kind), actor, subject,
                storable(act.agent), storable(act.version), storable(act.conversation),
                storable(act.trace_id), storable(entry.verdict), storable(act.rule),
                sealed.digest, sealed.seal,
            )  # fmt: skip
            previous = link(previous, body)
            rows.append(
                body._asdict()
                | {"hash": previous, "mac": mac(self._mac_key, previous), "payload": sealed.data}
                | {"process": self._process if entry.step == "intent" else ""}
            )
            results.append(seq)
        return rows, results

    def _reread(self, connection: sa.Connection, intent: int) -> Act | None:
        row = connection.execute(
            sa.select(ledger).where(ledger.c.seq == intent, ledger.c.step == "intent")
        ).first()
        if row is None:
            return None
        return Act(
            row.kind, row.actor, row.agent, row.version, row.conversation, row.trace_id,
            row.verdict, row.rule, {}, row.subject,
        )  # fmt: skip

    def _pseudonym(self, person: str) -> str:
        known = self._pseudonyms.get(person)
        if known is None:
            known = pseudonym(self._keys, person) if person else SYSTEM
            self._pseudonyms[person] = known
        return known

    def _maybe_checkpoint(self, force: bool) -> None:
        late = time.monotonic() - self._checkpointed_at >= CHECKPOINT_SECONDS
        if force or late or (self._since_checkpoint or 0) >= CHECKPOINT_ROWS:
            try:
                with self._lock:
                    self._checkpoint()
            # whatever is wrong with checkpoints must not stop the writer: the chain itself is
            # intact and acts go on; the failure is counted and alerted
            except Exception as error:
                self.checkpoint_failures += 1
                log.error("checkpoint failed", extra={"error": type(error).__name__})
            self._checkpointed_at = time.monotonic()
            self._since_checkpoint = 0

    def _signed_to(self) -> int:
        try:
            last = checkpoints.last(self._file) if self._file else None
        except OSError:
            return 0  # then the next checkpoint is due at once, and its failure is counted
        return last.seq if last else 0

    def _checkpoint(self) -> None:
        with self.engine.connect() as connection:
            seq, last = head(connection)
        if self._file is None or seq == 0 or seq == self._checkpointed_seq:
            return
        at = int(self._clock() * 1_000_000)
        checkpoints.extend(self._file, self._signing, seq, last, at)
        self._checkpointed_seq = seq


def _number(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 -- made by _rows
    return value


_HEAD = sa.select(ledger.c.seq, ledger.c.hash).order_by(ledger.c.seq.desc()).limit(1)


def head(connection: sa.Connection) -> tuple[int, str]:
    """Sequence number and hash of the last row; (0, GENESIS) for an empty ledger."""
    row = connection.execute(_HEAD).first()
    return (row.seq, row.hash) if row else (0, GENESIS)
