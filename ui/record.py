"""The record's parts that entrances use, put together in one place. Decides nothing itself."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from guardrails.actor import pseudonym
from guardrails.audit.alerts import Alerts
from guardrails.audit.delivery import Delivery
from guardrails.audit.exports import Exports
from guardrails.audit.facets import Facets
from guardrails.audit.facets_kept import KeptFacets
from guardrails.audit.ledger import Ledger
from guardrails.audit.metrics import Metrics
from guardrails.audit.retention import Retention
from guardrails.audit.reveal import Reveals
from guardrails.audit.saved import SavedSearches
from guardrails.audit.search import Traces
from guardrails.audit.senders import Alert, LogSender, MailSender, Sender, WebhookSender
from guardrails.audit.spans import Spans
from guardrails.audit.verify import Problem, Verification, verify, verify_rows
from guardrails.audit.watch import Watch
from guardrails.budgets import Budgets
from guardrails.keys import Keys
from guardrails.store import cut_log
from guardrails.vault_store import purge
from ui.alert_words import alert_text
from ui.messages import say
from ui.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricReader


class Record:
    """Reveals, retention, alerts, exports, saved searches and the watch over them, of one store."""

    def __init__(
        self,
        settings: Settings,
        engine: sa.Engine,
        keys: Keys,
        ledger: Ledger,
        checkpoint_file: Path,
        process: str = "",
    ) -> None:
        self.reveals = Reveals(engine, ledger)
        self.retention = Retention(engine, ledger, keys)
        self.saved = SavedSearches(engine, keys)
        self.traces = Traces(engine)
        self.facets = KeptFacets(Facets(engine))
        self.alerts = Alerts(engine, senders(settings))
        self.exports = Exports(
            engine, ledger, self.reveals, settings.home / "exports", process=process
        )
        self.last: Verification | None = None
        self.checked = 0.0  # when the ledger was verified last, seconds since 1970
        self.delivery = _delivery(settings, engine, checkpoint_file)
        self._settings = settings
        self._engine = engine
        self._keys = keys
        self._ledger = ledger
        self._file = checkpoint_file
        self._watch: Watch | None = None

    def pseudonym(self, person: str) -> str:
        """How a person is named in the record."""
        return pseudonym(self._keys, person)

    def verify(self) -> Verification:
        """Sign the head and check the whole ledger now."""
        try:
            self._ledger.checkpoint()
        except OSError:
            # the check itself is as good without; the failure is counted and alerted
            self._ledger.checkpoint_failures += 1
        self.last = verify(
            self._engine,
            self._keys.signing().public_key(),
            self._file,
            mac_key=self._keys.derive("ledger-chain"),
        )
        self.checked = time.time()
        return self.last

    def sealed(self, seqs: Sequence[int]) -> Problem | None:
        """Check these ledger rows now; None when each is as it was written."""
        public = self._keys.signing().public_key()
        return verify_rows(self._engine, public, seqs, self._keys.derive("ledger-chain"))

    def start(
        self, spans: Spans, budgets: Budgets, daily: Sequence[Callable[[], object]] = ()
    ) -> None:
        """Look after the record from now on: alerts, retention, verification, delivery."""
        self._watch = Watch(
            self._engine,
            self._ledger,
            spans,
            self._keys,
            self._file,
            self.alerts,
            budgets=budgets,
            retention=self.retention,
            delivery=self.delivery,
            verifier=self.verify,
            daily=(
                lambda: purge(self._engine, time.time()),
                self.exports.purge,
                *daily,
                lambda: cut_log(self._engine),
            ),
            unsafe=self._settings.unsafe_no_sandbox,
        )
        self._watch.start()
        if self.delivery is not None:
            self.delivery.start()

    def close(self) -> None:
        """Stop looking after it. The ledger signs its last checkpoint afterwards by itself."""
        if self._watch is not None:
            self._watch.close()
        self.exports.close()

    def deliver_last(self) -> None:
        """After the ledger has closed: its last checkpoint goes out too."""
        if self.delivery is not None:
            self.delivery.close()

    def measure(self, metrics: Metrics, spans: Spans) -> None:
        """Let Prometheus read what the record knows of itself."""
        delivery = self.delivery
        metrics.watch(
            {
                "spans_dropped": lambda: spans.dropped,
                "spans_exported": lambda: spans.exported,
                "otlp_spans_lost": lambda: spans.otlp_lost,
                "ledger_refusals": lambda: self._ledger.failures,
                "checkpoint_failures": lambda: self._ledger.checkpoint_failures,
                "checkpoint_delivery_failures": lambda: delivery.failures if delivery else 0,
                "alert_send_failures": lambda: self.alerts.send_failures,
            },
            {
                "checkpoints_undelivered": lambda: delivery.waiting if delivery else None,
                "ledger_verified": self._verified,
            },
        )

    def _verified(self) -> float | None:
        return None if self.last is None else float(self.last.ok)


def readers(settings: Settings) -> "tuple[MetricReader, ...]":
    """Where OpenTelemetry metrics go: nowhere, or to the collector of the settings."""
    if not settings.otlp_metrics_endpoint:
        return ()
    # imported late: only installations with a collector pay for it
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    exporter = OTLPMetricExporter(endpoint=settings.otlp_metrics_endpoint, timeout=5)
    return (PeriodicExportingMetricReader(exporter, export_interval_millis=15_000),)


def senders(settings: Settings) -> list[Sender]:
    """How alerts leave: always to the log, and every way that the settings name."""
    words = partial(worded, settings)
    ways: list[Sender] = [LogSender()]
    if settings.alert_webhook:
        ways.append(WebhookSender(settings.alert_webhook, say=words))
    if settings.alert_mail_to and settings.mail_server:
        host, _, port = settings.mail_server.rpartition(":")
        password = settings.mail_password
        ways.append(
            MailSender(
                host or port,
                int(port) if host and port.isdecimal() else 25,
                settings.mail_from,
                tuple(each.strip() for each in settings.alert_mail_to.split(",") if each.strip()),
                words,
                settings.mail_security,
                settings.mail_user,
                password.get_secret_value() if password else "",
            )
        )
    return ways


def worded(settings: Settings, alert: Alert) -> tuple[str, str]:
    """Subject and text of an alert in the house's language."""
    language = settings.language
    text = alert_text(language, alert)
    name = say(language, f"alert-name.{alert.rule}")
    subject = say(language, "alert.subject", level=say(language, f"level.{alert.level}"), name=name)
    where = settings.public_url.rstrip("/")
    return subject, f"{text}\n\n{where}/{language}/alerts" if where else text


def _delivery(settings: Settings, engine: sa.Engine, file: Path) -> Delivery | None:
    if not settings.checkpoint_url:
        return None
    token = settings.checkpoint_token
    return Delivery(
        engine,
        file,
        settings.checkpoint_url,
        method=settings.checkpoint_method,
        token=token.get_secret_value() if token else "",
    )
