"""What a security officer must hear about at once. Names and numbers, never content."""

import json
import logging
import smtplib
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from email.message import EmailMessage
from typing import Literal, Protocol

import sqlalchemy as sa

from guardrails.audit.tables import alerts, ledger, traces
from guardrails.budgets import Use

log = logging.getLogger(__name__)

Level = Literal["info", "warning", "critical"]
BURST = 5  # denials of one person within BURST_SECONDS
BURST_SECONDS = 300.0
RECENT_ROWS = 20_000  # of the ledger are looked at each time
AGAIN_SECONDS = 3_600.0  # the same alert about the same thing is not repeated sooner


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. Its words are `alert.<rule>` in the locales, filled with `data`."""

    rule: str
    level: Level
    about: str = ""
    data: Mapping[str, object] = field(default_factory=dict)
    at: float = 0.0
    id: int = 0
    seen_by: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """What the running parts report, for `Alerts.check`."""

    dropped_spans: int = 0
    otlp_lost: int = 0
    ledger_failures: int = 0
    checkpoint_failures: int = 0
    chain_problem: str = ""  # "<what> at <seq>" of a failed verification
    guard_errors: int = 0
    unsafe: bool = False
    budgets: Sequence[Use] = ()


class Sender(Protocol):
    """Where alerts go."""

    def send(self, alert: Alert) -> None:
        """Deliver one alert. May raise OSError; it is logged and the others still get theirs."""


class LogSender:
    """To the log."""

    def send(self, alert: Alert) -> None:
        """One line at the alert's level."""
        level = {"info": logging.INFO, "warning": logging.WARNING}.get(alert.level, logging.ERROR)
        log.log(level, "alert", extra={"rule": alert.rule, "about": alert.about})


@dataclass(frozen=True)
class WebhookSender:
    """As JSON by HTTP POST to an address that an operator configured."""

    url: str
    timeout: float = 5.0

    def send(self, alert: Alert) -> None:
        """Raises OSError (URLError is one)."""
        if not self.url.startswith(("https://", "http://")):
            raise OSError("a webhook needs an http(s) address")
        request = urllib.request.Request(  # noqa: S310 -- the scheme is checked above
            self.url,
            json.dumps(asdict(alert), default=str).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=self.timeout).close()  # noqa: S310


@dataclass(frozen=True)
class MailSender:
    """By e-mail through an SMTP server; `say` gives subject and text in the reader's language."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    say: Callable[[Alert], tuple[str, str]]
    timeout: float = 10.0

    def send(self, alert: Alert) -> None:
        """Raises OSError (SMTPException is one)."""
        message = EmailMessage()
        message["From"], message["To"] = self.sender, ", ".join(self.to)
        message["Subject"], text = self.say(alert)
        message.set_content(text)
        with smtplib.SMTP(self.host, self.port, timeout=self.timeout) as server:
            server.send_message(message)


class Alerts:
    """Checks the rules, keeps what fired, sends it. Call `check` every minute or so."""

    def __init__(
        self,
        engine: sa.Engine,
        senders: Sequence[Sender] = (LogSender(),),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._senders = senders
        self._clock = clock

    def check(self, health: Health | None = None) -> list[Alert]:
        """Evaluate every rule; returns (and sends) what is new."""
        found = [*self._from_health(health or Health()), *self._from_store()]
        return [alert for alert in found if self.fire(alert)]

    def fire(self, alert: Alert) -> bool:
        """Keep and send an alert, unless the same one fired within the hour. True when new."""
        now = int(self._clock() * 1_000_000)
        recent = sa.select(alerts.c.id).where(
            alerts.c.rule == alert.rule,
            alerts.c.about == alert.about,
            alerts.c.at > now - int(AGAIN_SECONDS * 1e6),
        )
        row = {
            "at": now,
            "rule": alert.rule,
            "level": alert.level,
            "about": alert.about,
            "data": json.dumps(dict(alert.data), default=str),
        }
        with self._engine.begin() as connection:
            if connection.scalar(recent.limit(1)) is not None:
                return False
            connection.execute(sa.insert(alerts), row)
        for sender in self._senders:
            try:
                sender.send(alert)
            except OSError as error:
                log.error("alert not sent", extra={"error": type(error).__name__})
        return True

    def latest(self, limit: int = 100, *, unseen: bool = False) -> list[Alert]:
        """Alerts, newest first."""
        query = sa.select(alerts).order_by(alerts.c.id.desc()).limit(limit)
        if unseen:
            query = query.where(alerts.c.seen.is_(None))
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            Alert(r.rule, r.level, r.about, json.loads(r.data), r.at / 1e6, r.id, r.seen_by or "")
            for r in rows
        ]

    def seen(self, identity: int, *, by: str) -> None:
        """Mark an alert as read."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(alerts)
                .where(alerts.c.id == identity)
                .values(seen=int(self._clock() * 1e6), seen_by=by)
            )

    @staticmethod
    def _from_health(health: Health) -> list[Alert]:
        counted: list[tuple[str, Level, int]] = [
            ("spans-dropped", "warning", health.dropped_spans),
            ("otlp-lost", "warning", health.otlp_lost),
            ("ledger-failed", "critical", health.ledger_failures),
            ("checkpoint-failed", "critical", health.checkpoint_failures),
            ("guard-error", "critical", health.guard_errors),
        ]
        found = [Alert(rule, level, "", {"n": n}) for rule, level, n in counted if n]
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
            elif use.share >= 0.8:
                found.append(Alert("budget-80", "info", about, data))
        return found

    def _from_store(self) -> list[Alert]:
        now = int(self._clock() * 1_000_000)
        found: list[Alert] = []
        window = (now - int(BURST_SECONDS * 1e6)) << 10
        count = sa.func.count()
        burst = (
            sa.select(traces.c.person, count.label("n"))
            .where(traces.c.id >= window, traces.c.verdict == "blocked")
            .group_by(traces.c.person)
            .having(count >= BURST)
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
        with self._engine.connect() as connection:
            for person, n in connection.execute(burst):
                found.append(Alert("denial-burst", "warning", person, {"person": person, "n": n}))
            for person in connection.scalars(tried.distinct()):
                found.append(Alert("self-approval", "warning", person, {"person": person}))
            for model in connection.scalars(outside):
                found.append(Alert("new-external-model", "warning", model, {"model": model}))
        return found
