"""How long records are kept, what may not be deleted, and erasure. A legal hold beats both.

Deleted: spans, trace rows and ledger payloads past their time. Kept for good: the ledger rows (who,
what, verdict, rule; no content), so that the chain still verifies; a signed tombstone says why the
payloads are gone. Erasure (GDPR art. 17) destroys a person's key and empties their traces.
"""

import time
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import sqlalchemy as sa

from guardrails.audit import textindex, tombstones
from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.schedule import DAY_US, REST, Schedule, Schedules
from guardrails.audit.tables import holds, ledger, spans, traces
from guardrails.audit.tombstones import Tombstone
from guardrails.audit.writing import begin_writing, write_lock
from guardrails.errors import BadInput, NotPermitted
from guardrails.keys import Keys

HoldField = Literal["person", "agent", "conversation", "department", "all"]
SHORTEST_REASON = 10  # characters
_CHUNK = 250  # rows in one transaction: writers wait no longer than this takes
_PAUSE = 0.005  # seconds between two, in which those who wait get their turn
_ADVISORY_LOCK = 0x41545254


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold on everything where `field` is `value`. Times in seconds."""

    id: int
    field: HoldField
    value: str
    reason: str
    placed_by: str
    placed: float
    released: float | None = None
    released_by: str = ""


@dataclass(frozen=True, slots=True)
class Purged:
    """What one run removed."""

    traces: int
    spans: int
    payloads: int


@dataclass(frozen=True, slots=True)
class Due:
    """What the next run would remove of one data class (`payloads`: of the ledger, class "")."""

    data_class: str
    days: int
    traces: int
    held: int
    payloads: int = 0


class Retention:
    """Retention, holds and erasure of one store. People are pseudonyms.

    `schedule` fixes the days; without it they are what `schedules` says at each run.
    """

    def __init__(
        self,
        engine: sa.Engine,
        ledger: Ledger,
        keys: Keys,
        schedule: Schedule | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._signing = keys.signing()
        self.schedules = Schedules(engine, clock)
        self._fixed = schedule
        self._clock = clock
        self._lock = write_lock(engine)

    def hold(self, field: HoldField, value: str, *, by: str, reason: str) -> Hold:
        """Keep everything of a person, agent, conversation or department, or all of it.

        Raises BadInput: reason-missing, hold-value (what to keep is not said).
        """
        if len(reason.strip()) < SHORTEST_REASON:
            raise BadInput("reason-missing", shortest=SHORTEST_REASON)
        if field not in get_args(HoldField) or (field != "all") != bool(value.strip()):
            raise BadInput("hold-value")
        value = value.strip()
        payload = {"field": field, "value": value, "reason": reason}
        self._ledger.record(Act("hold.place", by, payload=payload))
        row = {"field": field, "value": value, "reason": reason, "placed_by": by}
        with self._engine.begin() as connection:
            query = sa.insert(holds).values(**row, placed=self._now()).returning(holds.c.id)
            identity = connection.execute(query).scalar_one()
        return next(hold for hold in self.holds() if hold.id == identity)

    def release(self, identity: int, *, by: str, reason: str = "") -> Hold:
        """End a hold. Raises BadInput: no-such-hold, wrong-state (released already)."""
        known = next((hold for hold in self.holds() if hold.id == identity), None)
        if known is None:
            raise BadInput("no-such-hold", hold=identity)
        if known.released is not None:
            raise BadInput("wrong-state", state="released")
        payload = {"hold": identity, "reason": reason}
        self._ledger.record(Act("hold.release", by, payload=payload))
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(holds)
                .where(holds.c.id == identity, holds.c.released.is_(None))
                .values(released=self._now(), released_by=by)
            )
        return next(hold for hold in self.holds() if hold.id == identity)

    def holds(self) -> list[Hold]:
        """All holds, released ones too, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(holds).order_by(holds.c.id)).all()
        return [
            Hold(r.id, r.field, r.value, r.reason, r.placed_by, r.placed / 1e6,
                 r.released / 1e6 if r.released else None, r.released_by or "")
            for r in rows
        ]  # fmt: skip

    def purge(self) -> Purged:
        """Remove what is past its time and not on hold. Safe to run at any moment."""
        intent = self._ledger.intent(Act("retention", "system"))
        schedule = self._schedule()
        gone_traces = gone_spans = 0
        for _, days, which in self._classes(schedule):
            found = self._purge_traces(days, which)
            gone_traces, gone_spans = gone_traces + found[0], gone_spans + found[1]
        if gone_traces:
            textindex.drop_erased(self._engine)
        gone = Purged(gone_traces, gone_spans, self._purge_payloads(schedule.default))
        counts = {"traces": gone.traces, "spans": gone.spans, "payloads": gone.payloads}
        self._ledger.outcome(intent, "allow", counts)
        return gone

    def preview(self) -> list[Due]:
        """What a run would remove now, per data class; the last row is for the rest."""
        schedule = self._schedule()
        free = self._free()
        found: list[Due] = []
        with self._engine.connect() as connection:
            for name, days, which in self._classes(schedule):
                late = (traces.c.id < self._before(days), which)
                query = sa.select(sa.func.count()).select_from(traces).where(*late)
                every = connection.scalar(query) or 0
                gone = connection.scalar(query.where(*free)) or 0
                payloads = 0
                old = self._old_payloads(schedule.default) if name == REST else None
                if old is not None:
                    counted = sa.select(sa.func.count()).select_from(old.subquery())
                    payloads = connection.scalar(counted) or 0
                found.append(Due(name, days, gone, every - gone, payloads))
        return found

    def erase(self, person: str, *, by: str) -> int:
        """Forget a person's content: the key of their ledger payloads, their requests and spans.

        Returns how many traces were emptied. Raises NotPermitted("on-hold") while a hold covers
        the person, or anything of theirs.
        """
        if self._held(person):
            self._ledger.record(Act("erasure", by, verdict="deny", rule="on-hold", subject=by))
            raise NotPermitted("on-hold")
        intent = self._ledger.intent(Act("erasure", by, payload={"person": person}))
        with self._lock, self._engine.connect() as connection:
            begin_writing(connection, _ADVISORY_LOCK)
            now = self._now()
            self._ledger.sealer.destroy(connection, person, now)
            own = sa.select(traces.c.trace_id).where(traces.c.person == person)
            connection.execute(sa.delete(spans).where(spans.c.trace_id.in_(own)))
            emptied = connection.execute(
                sa.update(traces).where(traces.c.person == person).values(request="")
            ).rowcount
            last = connection.scalar(sa.select(sa.func.max(ledger.c.seq))) or 0
            stone = Tombstone("erasure", person, 1, last, now)
            removed = connection.execute(
                sa.update(ledger)
                .where(ledger.c.subject == person, ledger.c.payload.is_not(None))
                .values(payload=None)
            ).rowcount
            if removed:
                tombstones.add(connection, self._signing, stone)
            connection.commit()
        if emptied:
            textindex.drop_erased(self._engine)
        self._ledger.outcome(intent, "allow", {"traces": emptied, "payloads": removed})
        return emptied

    def _held(self, person: str) -> bool:
        for hold in self.holds():
            if hold.released is not None:
                continue
            if hold.field == "all" or (hold.field == "person" and hold.value == person):
                return True
            if hold.field in ("agent", "conversation", "department"):
                query = sa.select(sa.literal(1)).where(
                    traces.c.person == person, traces.c[hold.field] == hold.value
                )
                with self._engine.connect() as connection:
                    if connection.scalar(query.limit(1)):
                        return True
        return False

    def _schedule(self) -> Schedule:
        return self._fixed or self.schedules.now()

    @staticmethod
    def _classes(schedule: Schedule) -> Iterator[tuple[str, int, sa.ColumnElement[bool]]]:
        """Name, days and condition of each class with days of its own, then of the rest."""
        for name, days in schedule.by_class.items():
            yield name, days, traces.c.data_class == name
        names = list(schedule.by_class)
        rest = traces.c.data_class.not_in(names) if names else sa.true()
        yield REST, schedule.default, rest

    def _before(self, days: int) -> int:
        return (self._now() - days * DAY_US) << 10

    def _free(self) -> list[sa.ColumnElement[bool]]:
        """Conditions of traces that no hold keeps."""
        return [
            ~(sa.true() if hold.field == "all" else traces.c[hold.field] == hold.value)
            for hold in self.holds()
            if hold.released is None
        ]

    def _purge_traces(self, days: int, which: sa.ColumnElement[bool]) -> tuple[int, int]:
        query = sa.select(traces.c.id, traces.c.trace_id).where(
            traces.c.id < self._before(days), which, *self._free()
        )
        gone_traces = gone_spans = 0
        while True:
            with self._lock, self._engine.connect() as connection:
                begin_writing(connection, _ADVISORY_LOCK)
                rows = connection.execute(query.order_by(traces.c.id).limit(_CHUNK)).all()
                if not rows:
                    return gone_traces, gone_spans
                names = [row.trace_id for row in rows]
                gone_spans += connection.execute(
                    sa.delete(spans).where(spans.c.trace_id.in_(names))
                ).rowcount
                connection.execute(sa.delete(traces).where(traces.c.id.in_([r.id for r in rows])))
                gone_traces += len(rows)
                connection.commit()
            time.sleep(_PAUSE)

    def _old_payloads(self, days: int) -> sa.Select[int] | None:
        """Ledger rows whose payload is past its time; None while a hold keeps all of them.

        A hold on a person, agent or conversation keeps theirs.
        """
        kept: list[sa.ColumnElement[bool]] = []
        for hold in self.holds():
            if hold.released is not None:
                continue
            if hold.field in ("all", "department"):  # rows do not know departments: keep all
                return None
            column = {"person": ledger.c.subject}.get(hold.field, ledger.c.get(hold.field))
            if column is not None:
                kept.append(column == hold.value)
        return sa.select(ledger.c.seq).where(
            ledger.c.at < self._now() - days * DAY_US,
            ledger.c.payload.is_not(None),
            *(~condition for condition in kept),
        )

    def _purge_payloads(self, days: int) -> int:
        old = self._old_payloads(days)
        if old is None:
            return 0
        now, total = self._now(), 0
        while True:
            with self._lock, self._engine.connect() as connection:
                begin_writing(connection, _ADVISORY_LOCK)
                seqs = connection.scalars(old.order_by(ledger.c.seq).limit(_CHUNK)).all()
                if not seqs:
                    return total
                for first, last in _runs(seqs, self._left(connection, seqs)):
                    stone = Tombstone("retention", "", first, last, now)
                    tombstones.add(connection, self._signing, stone)
                connection.execute(
                    sa.update(ledger).where(ledger.c.seq.in_(seqs)).values(payload=None)
                )
                connection.commit()
                total += len(seqs)
            time.sleep(_PAUSE)

    @staticmethod
    def _left(connection: sa.Connection, seqs: Sequence[int]) -> list[int]:
        """Rows among `seqs`, in order, whose payload stays: no tombstone may excuse its loss."""
        between = ledger.c.seq.between(seqs[0], seqs[-1])
        query = sa.select(ledger.c.seq).where(between, ledger.c.payload.is_not(None))
        return sorted(set(connection.scalars(query)).difference(seqs))

    def _now(self) -> int:
        return int(self._clock() * 1_000_000)


def _runs(gone: Sequence[int], left: Sequence[int]) -> list[tuple[int, int]]:
    """Ranges that hold all of `gone` and none of `left`; both are in order."""
    runs: list[tuple[int, int]] = []
    for seq in gone:
        if runs and bisect(left, runs[-1][1]) == bisect(left, seq):
            runs[-1] = (runs[-1][0], seq)
        else:
            runs.append((seq, seq))
    return runs
