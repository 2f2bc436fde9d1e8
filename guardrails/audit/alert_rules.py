"""What alerts there are, their levels and thresholds, and what a security officer changed."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import sqlalchemy as sa

from guardrails.audit.senders import Level
from guardrails.audit.tables import alert_rules
from guardrails.errors import BadInput


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One rule. It fires from `threshold` on, which may be set in `least`..`most` (None: it has
    none). `locked` ones cannot be switched off: without them tampering would go unheard."""

    id: str
    level: Level
    threshold: float | None = None
    least: float = 1
    most: float = 1_000_000
    locked: bool = False
    active: bool = True
    changed_by: str = ""


RULES: Final = MappingProxyType(
    {
        rule.id: rule
        for rule in (
            AlertRule("chain-broken", "critical", locked=True),
            AlertRule("ledger-failed", "critical", locked=True),
            AlertRule("checkpoint-failed", "critical", locked=True),
            AlertRule("backup-restored", "critical", locked=True),
            AlertRule("checkpoint-undelivered", "critical", 3),
            AlertRule("duty-failed", "critical"),
            AlertRule("guard-error", "critical", 1),
            AlertRule("unsafe-mode", "critical"),
            AlertRule("denial-burst", "warning", 5, 2, 1_000),
            AlertRule("self-approval", "warning"),
            AlertRule("new-external-model", "warning"),
            AlertRule("budget-100", "warning"),
            AlertRule("budget-80", "info", 80, 1, 99),
            AlertRule("spans-dropped", "warning", 1),
            AlertRule("otlp-lost", "warning", 1),
        )
    }
)


class AlertRules:
    """The rules of one store, as they are now."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def all(self) -> dict[str, AlertRule]:
        """Every rule by id, in a fixed order."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(alert_rules)).all()
        found = dict(RULES)
        for row in rows:
            if row.rule in found:
                found[row.rule] = self._changed(
                    found[row.rule], row.active, row.threshold, row.changed_by
                )
        return found

    def set(self, rule: str, *, active: bool, threshold: float | None, by: str) -> AlertRule:
        """Switch a rule on or off, and set its threshold (None: its default).

        Raises BadInput: no-such-alert-rule, alert-locked, alert-threshold (least, most).
        """
        known = RULES.get(rule)
        if known is None:
            raise BadInput("no-such-alert-rule", rule=rule)
        if known.locked and not active:
            raise BadInput("alert-locked", rule=rule)
        if threshold is not None and (
            known.threshold is None or not known.least <= threshold <= known.most
        ):
            raise BadInput("alert-threshold", least=known.least, most=known.most)
        values = {
            "active": active,
            "threshold": threshold,
            "changed_by": by,
            "changed": int(self._clock() * 1_000_000),
        }
        with self._engine.begin() as connection:
            done = connection.execute(
                sa.update(alert_rules).where(alert_rules.c.rule == rule).values(values)
            )
            if not done.rowcount:
                connection.execute(sa.insert(alert_rules), {**values, "rule": rule})
        return self._changed(known, active, threshold, by)

    @staticmethod
    def _changed(rule: AlertRule, active: bool, threshold: float | None, by: str) -> AlertRule:
        return replace(
            rule,
            active=active or rule.locked,
            threshold=rule.threshold if threshold is None else threshold,
            changed_by=by,
        )
