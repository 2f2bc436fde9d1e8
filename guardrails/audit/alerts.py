"""What a security officer must hear about at once. Names and numbers, never content."""

import json
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http.client import HTTPException
from typing import Final, Literal

import sqlalchemy as sa

from guardrails.audit.alert_rules import AlertRule, AlertRules
from guardrails.audit.senders import Alert, Level, LogSender, MailSender, Sender, WebhookSender
from guardrails.audit.tables import alerts, ledger, traces
from guardrails.budgets import Use

__all__ = [
    "Alert", "Alerts", "Health", "Level", "LogSender", "MailSender", "Sender", "WebhookSender",
]  # fmt: skip

log = logging.getLogger(__name__)

BURST_SECONDS = 300.0  # in which denials of one person are a burst
RECENT_ROWS = 20_000  # of the ledger are looked at each time
RESTORED_SECONDS = 7 * 86_400.0  # a server that starts this long after a restore still tells of it
AGAIN_SECONDS = 3_600.0  # the same alert about the same thing is not repeated sooner
TRIES = 10  # at sending one alert one way, a check apart
UNSENT = 200  # alerts that wait for another attempt
# what a turn was blocked by when a guard itself failed
GUARD_FAILURES: Final = (
    "policy-error", "screen-failed", "screen-timeout", "screen-detector", "ledger-unavailable",
    "vault-failed", "vault-unreadable",
)  # fmt: skip

Sent = Literal["sent", "failed"]


@dataclass(frozen=True, slots=True)
class Health:
    """What the running parts report, for `Alerts.check`."""

    dropped_spans: int = 0
    otlp_lost: int = 0
    ledger_failures: int = 0
    checkpoint_failures: int = 0
    undelivered: int = 0  # failed attempts to deliver checkpoints elsewhere
    chain_problem: str = ""  # "<what> at <seq>" of a failed verification
    undone: int = 0  # daily checks and deletions that failed
    unsafe: bool = False
    budgets: Sequence[Use] = ()


class Alerts:
    """Checks the rules, keeps what fired, sends it. Call `check` every minute or so."""

    def __init__(
        self,
        engine: sa.Engine,
        senders: Sequence[Sender] = (LogSender(),),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.rules = AlertRules(engine, clock)
        self.send_failures = 0
        self._engine = engine
        self._senders = senders
        self._clock = clock
        self._unsent: deque[tuple[Sender, Alert, int]] = deque(maxlen=UNSENT)

    @property
    def ways(self) -> tuple[str, ...]:
        """How alerts are sent: log, webhook, mail."""
        return tuple(sender.name for sender in self._senders)

    def check(self, health: Health | None = None) -> list[Alert]:
        """Evaluate every rule that is on; returns (and sends) what is new."""
        self._send_again()
        rules = self.rules.all()
        found = [*_from_health(health or Health(), rules), *self._from_store(rules)]
        return [alert for alert in found if rules[alert.rule].active and self.fire(alert)]

    def fire(self, alert: Alert) -> bool:
        """Keep and send an alert, unless the same one fired within the hour. True when new."""
        now = int(self._clock() * 1_000_000)
        recent = sa.select(alerts.c.id).where(
            alerts.c.rule == alert.rule,
            alerts.c.about == alert.about,
            alerts.c.at > now - int(AGAIN_SECONDS * 1e6),
        )
        with self._engine.begin() as connection:
            if connection.scalar(recent.limit(1)) is not None:
                return False
            kept = self._keep(connection, alert, now)
        for sender in self._senders:
            self._send(sender, kept, 1)
        return True

    def test(self, *, by: str) -> dict[str, Sent]:
        """Really send an alert every way there is; says what became of each."""
        now = int(self._clock() * 1_000_000)
        with self._engine.begin() as connection:
            alert = self._keep(connection, Alert("test", "info", by, {"person": by}), now)
        return {
            sender.name: "sent" if self._send(sender, alert, TRIES) else "failed"
            for sender in self._senders
        }

    def latest(
        self, limit: int = 100, *, unseen: bool = False, before: int | None = None
    ) -> list[Alert]:
        """Alerts, newest first; `before` is the id of the last one of the page before."""
        query = sa.select(alerts).order_by(alerts.c.id.desc()).limit(limit)
        if unseen:
            query = query.where(alerts.c.seen.is_(None))
        if before is not None:
            query = query.where(alerts.c.id < before)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            Alert(r.rule, r.level, r.about, json.loads(r.data), r.at / 1e6, r.id, r.seen_by or "")
            for r in rows
        ]

    def unseen(self) -> dict[str, int]:
        """How many alerts of each level nobody has marked as seen."""
        query = sa.select(alerts.c.level, sa.func.count()).where(alerts.c.seen.is_(None))
        with self._engine.connect() as connection:
            return {level: n for level, n in connection.execute(query.group_by(alerts.c.level))}

    def seen(self, identity: int | None, *, by: str) -> int:
        """Mark one alert as read, or (None) all of them; returns how many changed."""
        query = sa.update(alerts).where(alerts.c.seen.is_(None))
        if identity is not None:
            query = query.where(alerts.c.id == identity)
        with self._engine.begin() as connection:
            values = {"seen": int(self._clock() * 1e6), "seen_by": by}
            return connection.execute(query.values(values)).rowcount

    def _keep(self, connection: sa.Connection, alert: Alert, now: int) -> Alert:
        row = {
            "at": now,
            "rule": alert.rule,
            "level": alert.level,
            "about": alert.about,
            "data": json.dumps(dict(alert.data), default=str),
        }
        query = sa.insert(alerts).values(row).returning(alerts.c.id)
        return replace(alert, at=now / 1e6, id=connection.execute(query).scalar_one())

    def _send(self, sender: Sender, alert: Alert, attempt: int) -> bool:
        try:
            sender.send(alert)
        # whoever answers may answer nonsense: the other ways must get theirs all the same
        except (OSError, HTTPException, ValueError) as error:
            self.send_failures += 1
            log.error("alert not sent", extra={"error": type(error).__name__})
            if attempt < TRIES:
                self._unsent.append((sender, alert, attempt + 1))
            return False
        return True

    def _send_again(self) -> None:
        for _ in range(len(self._unsent)):
            self._send(*self._unsent.popleft())

    def _from_store(self, rules: Mapping[str, AlertRule]) -> list[Alert]:
        now = int(self._clock() * 1_000_000)
        found: list[Alert] = []
        window = (now - int(BURST_SECONDS * 1e6)) << 10
        count = sa.func.count()
        burst = (
            sa.select(traces.c.person, count.label("n"))
            .where(
                traces.c.id >= window,
                traces.c.verdict == "blocked",
                # a test run attacks its own agent on purpose; that it ran is on record
                traces.c.purpose != "evaluation",
            )
            .group_by(traces.c.person)
            .having(count >= _threshold(rules, "denial-burst"))
        )
        since = now - int(AGAIN_SECONDS * 1e6)
        newest = sa.select(sa.func.max(ledger.c.seq)).scalar_subquery()
        tried = sa.select(ledger.c.actor).where(
            # by number, which is indexed; times are not
            ledger.c.seq > newest - RECENT_ROWS,
            ledger.c.at >= since,
            ledger.c.rule.in_(["self-approval", "PB-06"]),
        )
        hour = since << 10
        earlier = traces.alias()
        outside = (
            sa.select(traces.c.model)
            .where(
                traces.c.id >= hour,
                traces.c.model_kind == "provider",
                traces.c.location != "local",
                ~sa.exists().where(earlier.c.model == traces.c.model, earlier.c.id < hour),
            )
            .distinct()
        )
        failed = (
            sa.select(traces.c.rule, count.label("n"))
            .where(traces.c.id >= window, traces.c.rule.in_(GUARD_FAILURES))
            .group_by(traces.c.rule)
            .having(count >= _threshold(rules, "guard-error"))
        )
        told = sa.select(alerts.c.about).where(alerts.c.rule == "backup-restored")
        restored = sa.select(ledger.c.seq, ledger.c.actor).where(
            ledger.c.kind == "backup.restore",
            ledger.c.step == "event",  # in the record that was put in; an intent is in the old one
            ledger.c.at >= now - int(RESTORED_SECONDS * 1e6),
            sa.cast(ledger.c.seq, sa.Text).not_in(told),
        )
        with self._engine.connect() as connection:
            for seq, person in connection.execute(restored):
                data = {"person": person, "seq": seq}
                found.append(Alert("backup-restored", "critical", str(seq), data))
            for person, n in connection.execute(burst):
                found.append(Alert("denial-burst", "warning", person, {"person": person, "n": n}))
            for person in connection.scalars(tried.distinct()):
                found.append(Alert("self-approval", "warning", person, {"person": person}))
            for model in connection.scalars(outside):
                found.append(Alert("new-external-model", "warning", model, {"model": model}))
            for rule, n in connection.execute(failed):
                found.append(Alert("guard-error", "critical", rule, {"n": n, "rule": rule}))
        return found


def _from_health(health: Health, rules: Mapping[str, AlertRule]) -> list[Alert]:
    counted: list[tuple[str, Level, int]] = [
        ("spans-dropped", "warning", health.dropped_spans),
        ("otlp-lost", "warning", health.otlp_lost),
        ("ledger-failed", "critical", health.ledger_failures),
        ("checkpoint-failed", "critical", health.checkpoint_failures),
        ("checkpoint-undelivered", "critical", health.undelivered),
        ("duty-failed", "critical", health.undone),
    ]
    found = [
        Alert(rule, level, "", {"n": n})
        for rule, level, n in counted
        if n and n >= _threshold(rules, rule)
    ]
    if health.chain_problem:
        what = {"what": health.chain_problem}
        found.append(Alert("chain-broken", "critical", health.chain_problem, what))
    if health.unsafe:
        found.append(Alert("unsafe-mode", "critical"))
    for use in health.budgets:
        about = f"{use.budget.scope}:{use.name}:{use.budget.unit}:{use.budget.period}"
        data = {"scope": use.budget.scope, "share": round(use.share * 100)}
        if use.share >= 1:
            found.append(Alert("budget-100", "warning", about, data))
        elif use.share * 100 >= _threshold(rules, "budget-80"):
            found.append(Alert("budget-80", "info", about, data))
    return found


def _threshold(rules: Mapping[str, AlertRule], rule: str) -> float:
    given = rules[rule].threshold
    return 1 if given is None else given
