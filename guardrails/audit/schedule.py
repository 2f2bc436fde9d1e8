"""How many days records of each data class are kept, as a security officer set it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, get_args

import sqlalchemy as sa

from guardrails.audit.tables import retention_days
from guardrails.errors import BadInput
from guardrails.policy.engine import DataClass

# AI Act art. 19(1) and 26(6): logs are kept at least six months, unless other law says otherwise
DEFAULT_DAYS: Final = 184
FEWEST_DAYS: Final = 7
MOST_DAYS: Final = 3_660
SHORTEST_REASON: Final = 10  # characters, wanted for less than DEFAULT_DAYS
DAY_US: Final = 86_400_000_000
REST: Final = ""  # the class of whatever has no days of its own, and of ledger payloads
CLASSES: Final[tuple[str, ...]] = (*get_args(DataClass), REST)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Days to keep, per data class; `default` for the rest and for ledger payloads."""

    default: int = DEFAULT_DAYS
    by_class: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """How long one class is kept, since when and why. `changed` in seconds, 0 for the default."""

    data_class: str
    days: int
    reason: str = ""
    changed_by: str = ""
    changed: float = 0.0


class Schedules:
    """The days of one store. A class that nobody set has those of the rest."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def all(self) -> list[Kept]:
        """Every data class in order of secrecy, the rest last."""
        with self._engine.connect() as connection:
            rows = {row.data_class: row for row in connection.execute(sa.select(retention_days))}
        rest = rows[REST].days if REST in rows else DEFAULT_DAYS
        return [
            Kept(name, r.days, r.reason, r.changed_by, r.changed / 1e6)
            if (r := rows.get(name)) is not None
            else Kept(name, rest)
            for name in CLASSES
        ]

    def now(self) -> Schedule:
        """What a run goes by."""
        kept = self.all()
        own = {one.data_class: one.days for one in kept if one.changed and one.data_class != REST}
        return Schedule(kept[-1].days, own)

    def check(self, data_class: str, days: int, reason: str) -> None:
        """Raises BadInput: no-such-data-class, retention-days, retention-reason."""
        if data_class not in CLASSES:
            raise BadInput("no-such-data-class", data_class=data_class)
        if not FEWEST_DAYS <= days <= MOST_DAYS:
            raise BadInput("retention-days", least=FEWEST_DAYS, most=MOST_DAYS)
        if days < DEFAULT_DAYS and len(reason.strip()) < SHORTEST_REASON:
            raise BadInput("retention-reason", days=DEFAULT_DAYS, shortest=SHORTEST_REASON)

    def set(self, data_class: str, days: int, *, by: str, reason: str = "") -> Kept:
        """Keep a class for `days`; for less than 184 there has to be a reason. See `check`."""
        self.check(data_class, days, reason)
        values = {
            "days": days,
            "reason": reason.strip(),
            "changed_by": by,
            "changed": int(self._clock() * 1_000_000),
        }
        with self._engine.begin() as connection:
            done = connection.execute(
                sa.update(retention_days)
                .where(retention_days.c.data_class == data_class)
                .values(values)
            )
            if not done.rowcount:
                row = values | {"data_class": data_class}
                connection.execute(sa.insert(retention_days), row)
        return next(one for one in self.all() if one.data_class == data_class)
