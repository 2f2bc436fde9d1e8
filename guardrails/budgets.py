"""Budgets per person, department and agent: reserved before a call, settled after.

A reservation is one conditional UPDATE per budget in one transaction, so that two calls at the same
moment cannot both take the last tokens. Cedar is stateless, so this decides outside of it.
"""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import sqlalchemy as sa

from guardrails.actor import Actor
from guardrails.audit.writing import begin_writing, write_lock
from guardrails.errors import PolicyDenied
from guardrails.policy.tables import budget_reservations, budget_use, budgets
from guardrails.processes import orphaned

Scope = Literal["person", "department", "agent"]
Unit = Literal["tokens", "cost", "calls"]  # cost in millionths of the operator's currency
Period = Literal["day", "month"]

RULE: Final = "BU-01"
EVERYONE: Final = "*"  # a budget that each person (department, agent) has of their own
_ADVISORY_LOCK = 0x41544255
_ALL = sa.select(budgets).order_by(*budgets.primary_key.columns)


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `most` units in a calendar day or month (UTC) for one scope."""

    scope: Scope
    name: str
    unit: Unit
    period: Period
    most: int


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a budget is gone. `share` is in 0..1 and beyond when limits were lowered."""

    budget: Budget
    name: str
    used: int
    reserved: int

    @property
    def share(self) -> float:
        """Used and reserved over the limit."""
        return (self.used + self.reserved) / self.budget.most if self.budget.most else 1.0


class Budgets:
    """Budgets of one store. `clock` gives seconds since 1970."""

    def __init__(
        self, engine: sa.Engine, clock: Callable[[], float] = time.time, process: str = ""
    ) -> None:
        self._engine = engine
        self._process = process
        self._clock = clock
        self._lock = write_lock(engine)

    def set(self, budget: Budget) -> None:
        """Create or change a budget; `most` of 0 forbids, see `remove` for no limit."""
        with self._lock, self._engine.connect() as connection:
            begin_writing(connection, _ADVISORY_LOCK)
            self._delete(connection, budget)
            row = {"scope": budget.scope, "name": budget.name, "unit": budget.unit}
            connection.execute(
                sa.insert(budgets), row | {"period": budget.period, "most": budget.most}
            )
            connection.commit()

    def remove(self, budget: Budget) -> None:
        """Drop a budget: no limit."""
        with self._lock, self._engine.connect() as connection:
            begin_writing(connection, _ADVISORY_LOCK)
            self._delete(connection, budget)
            connection.commit()

    def all(self) -> list[Budget]:
        """Every budget, in order of scope and name."""
        with self._engine.connect() as connection:
            return self._budgets(connection)

    def reserve(
        self, actor: Actor, agent: str, amounts: dict[Unit, int], *, beyond: bool = False
    ) -> str:
        """Take `amounts` from every budget that applies, or from none; returns the reservation.

        With `beyond` (security has lifted the rule) it is counted without being refused.

        "" means that no budget applies: nothing was written and nothing is to be settled. Raises
        PolicyDenied("budget-used-up") with rule BU-01, scope, unit and period of the budget that is
        used up, and `renews`, the day (ISO, UTC) on which it is full again.
        """
        names: dict[str, str] = {"person": actor.id, "department": actor.department, "agent": agent}
        with self._engine.connect() as connection:
            # an installation without budgets pays for one read and no write
            if not any(amounts.get(b.unit, 0) > 0 for b in self._applying(connection, names)):
                return ""
        identity = uuid.uuid4().hex
        at = self._clock()
        with self._lock, self._engine.connect() as connection:
            begin_writing(connection, _ADVISORY_LOCK)
            taken: list[list[object]] = []
            for budget in self._applying(connection, names):
                amount = amounts.get(budget.unit, 0)
                if amount <= 0:
                    continue
                key = self._key(budget, names[budget.scope], at)
                self._ensure(connection, key)
                room = budget_use.c.used + budget_use.c.reserved + amount <= budget.most
                done = connection.execute(
                    sa.update(budget_use)
                    .where(*_same(key), sa.true() if beyond else room)
                    .values(reserved=budget_use.c.reserved + amount)
                )
                if not done.rowcount:
                    connection.rollback()
                    raise PolicyDenied(
                        "budget-used-up",
                        rule=RULE,
                        scope=budget.scope,
                        unit=budget.unit,
                        period=budget.period,
                        renews=renews(budget.period, at),
                    )
                taken.append([*key, amount])
            row = {"id": identity, "at": int(at * 1_000_000), "keys": json.dumps(taken)}
            row["process"] = self._process
            connection.execute(sa.insert(budget_reservations), row)
            connection.commit()
        return identity

    def settle(self, reservation: str, amounts: dict[Unit, int]) -> None:
        """Replace a reservation by what was really used. A second call changes nothing.

        No amounts release it: nothing was used.
        """
        if not reservation:
            return
        with self._lock, self._engine.connect() as connection:
            begin_writing(connection, _ADVISORY_LOCK)
            self._settle(connection, reservation, amounts)
            connection.commit()

    def recover(self, older_than_s: float = 0.0) -> int:
        """Free what calls of dead processes had reserved; returns how many reservations."""
        before = int((self._clock() - older_than_s) * 1_000_000)
        table = budget_reservations
        left = sa.select(table.c.id).where(table.c.at <= before, orphaned(table.c.process))
        with self._lock, self._engine.connect() as connection:
            begin_writing(connection, _ADVISORY_LOCK)
            stale = connection.scalars(left).all()
            for identity in stale:
                self._settle(connection, identity, {})
            connection.commit()
        return len(stale)

    def uses(self) -> list[Use]:
        """What is gone of each budget in the current day or month, fullest first."""
        at = self._clock()
        found: list[Use] = []
        with self._engine.connect() as connection:
            for budget in self._budgets(connection):
                conditions = [
                    budget_use.c.scope == budget.scope,
                    budget_use.c.unit == budget.unit,
                    budget_use.c.period == budget.period,
                    budget_use.c.day == _day(budget.period, at),
                ]
                if budget.name != EVERYONE:
                    conditions.append(budget_use.c.name == budget.name)
                for row in connection.execute(sa.select(budget_use).where(*conditions)):
                    found.append(Use(budget, row.name, row.used, row.reserved))
        return sorted(found, key=lambda use: -use.share)

    def _settle(
        self, connection: sa.Connection, reservation: str, amounts: dict[Unit, int]
    ) -> None:
        table = budget_reservations
        keys = connection.scalar(sa.select(table.c["keys"]).where(table.c.id == reservation))
        if keys is None:
            return
        for scope, name, unit, period, day, reserved in json.loads(keys):
            used = max(0, amounts.get(unit, 0))
            connection.execute(
                sa.update(budget_use)
                .where(*_same((scope, name, unit, period, day)))
                .values(reserved=budget_use.c.reserved - reserved, used=budget_use.c.used + used)
            )
        connection.execute(sa.delete(table).where(table.c.id == reservation))

    @staticmethod
    def _budgets(connection: sa.Connection) -> list[Budget]:
        return [Budget(*row) for row in connection.execute(_ALL)]

    def _applying(self, connection: sa.Connection, names: dict[str, str]) -> list[Budget]:
        """A person's own budget replaces the one for everyone of the same unit and period."""
        chosen: dict[tuple[str, str, str], Budget] = {}
        for budget in self._budgets(connection):
            key = (budget.scope, budget.unit, budget.period)
            if not names[budget.scope]:
                continue
            if budget.name == names[budget.scope] or (
                budget.name == EVERYONE and key not in chosen
            ):
                chosen[key] = budget
        return list(chosen.values())

    @staticmethod
    def _key(budget: Budget, name: str, at: float) -> tuple[str, str, str, str, str]:
        return (budget.scope, name, budget.unit, budget.period, _day(budget.period, at))

    @staticmethod
    def _ensure(connection: sa.Connection, key: tuple[str, str, str, str, str]) -> None:
        if connection.scalar(sa.select(sa.literal(1)).where(*_same(key))) is None:
            names = ("scope", "name", "unit", "period", "day")
            row = dict(zip(names, key, strict=True)) | {"used": 0, "reserved": 0}
            connection.execute(sa.insert(budget_use), row)

    @staticmethod
    def _delete(connection: sa.Connection, budget: Budget) -> None:
        connection.execute(
            sa.delete(budgets).where(
                budgets.c.scope == budget.scope,
                budgets.c.name == budget.name,
                budgets.c.unit == budget.unit,
                budgets.c.period == budget.period,
            )
        )


def _same(key: tuple[str, str, str, str, str]) -> list[sa.ColumnElement[bool]]:
    names = ("scope", "name", "unit", "period", "day")
    return [budget_use.c[name] == value for name, value in zip(names, key, strict=True)]


def renews(period: str, at: float) -> str:
    """The day, as YYYY-MM-DD in UTC, on which a budget of `period` is full again."""
    today = datetime.fromtimestamp(at, UTC).date()
    if period == "day":
        return (today + timedelta(days=1)).isoformat()
    return (today.replace(day=1) + timedelta(days=32)).replace(day=1).isoformat()


def _day(period: str, at: float) -> str:
    when = datetime.fromtimestamp(at, UTC)
    return when.strftime("%Y-%m-%d" if period == "day" else "%Y-%m")
