"""Look after the record while the product runs: alerts every minute, the chain every night."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from guardrails.audit.alerts import Alert, Alerts, Health
from guardrails.audit.delivery import Delivery
from guardrails.audit.ledger import Ledger
from guardrails.audit.retention import Retention
from guardrails.audit.spans import Spans
from guardrails.audit.verify import Verification, verify
from guardrails.budgets import Budgets
from guardrails.keys import Keys

log = logging.getLogger(__name__)

ALERT_SECONDS = 60.0
VERIFY_SECONDS = 24 * 3_600.0
RETRY_SECONDS = 3_600.0  # until daily work that failed is tried again


class Watch:
    """One background thread. `tick` does what is due and can be called by hand.

    `retention` and `delivery` are optional; `verifier` checks the ledger; `daily` is other work
    that is due once a day. What of it fails is alerted and tried again within the hour.
    """

    def __init__(
        self,
        engine: sa.Engine,
        ledger: Ledger,
        spans: Spans,
        keys: Keys,
        checkpoint_file: Path,
        alerts: Alerts,
        *,
        budgets: Budgets | None = None,
        retention: Retention | None = None,
        delivery: Delivery | None = None,
        verifier: Callable[[], Verification] | None = None,
        daily: Sequence[Callable[[], object]] = (),
        unsafe: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.last: Verification | None = None
        self._engine = engine
        self._ledger = ledger
        self._spans = spans
        self._keys = keys
        self._file = checkpoint_file
        self._alerts = alerts
        self._budgets = budgets
        self._retention = retention
        self._delivery = delivery
        self._verifier = verifier or self._check
        self._daily = daily
        self._unsafe = unsafe
        self._clock = clock
        self._due: float | None = None  # when the daily work is
        self._problem = ""
        self._before = Health()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)

    def tick(self) -> list[Alert]:
        """Alerts that are new since the last tick; once a day also retention and verification."""
        self._problem, undone = "", 0
        now = self._clock()
        if self._due is None or now >= self._due:
            deletions = (self._retention.purge,) if self._retention else ()
            # the check first: what is deleted afterwards must not hide what was wrong before
            works = (self._verify, *deletions, *self._daily)
            undone = sum(not self._do(work) for work in works)
            self._due = now + (RETRY_SECONDS if undone else VERIFY_SECONDS)
        total = Health(
            dropped_spans=self._spans.dropped,
            otlp_lost=self._spans.otlp_lost,
            ledger_failures=self._ledger.failures,
            checkpoint_failures=self._ledger.checkpoint_failures,
            undelivered=self._delivery.failing if self._delivery else 0,
        )
        before = self._before
        # what was reported once is not reported again: alerts speak of what is new
        fresh = replace(
            total,
            dropped_spans=total.dropped_spans - before.dropped_spans,
            otlp_lost=total.otlp_lost - before.otlp_lost,
            ledger_failures=total.ledger_failures - before.ledger_failures,
            checkpoint_failures=total.checkpoint_failures - before.checkpoint_failures,
            undone=undone,
            chain_problem=self._problem,
            unsafe=self._unsafe,
            budgets=self._budgets.uses() if self._budgets else (),
        )
        alerts = self._alerts.check(fresh)
        # only now: when the store is away nothing can be alerted, and the next look tells the same
        self._before = total
        return alerts

    def _verify(self) -> None:
        self.last = self._verifier()
        if bad := self.last.first_bad:
            self._problem = f"{bad.what}, {bad.seq}"

    def _check(self) -> Verification:
        return verify(
            self._engine,
            self._keys.signing().public_key(),
            self._file,
            mac_key=self._keys.derive("ledger-chain"),
        )

    @staticmethod
    def _do(work: Callable[[], object]) -> bool:
        try:
            work()
        # one duty that fails must not keep the others, and the alerts, from happening
        except Exception as error:
            log.error("daily work failed", extra={"error": type(error).__name__})
            return False
        return True

    def _run(self) -> None:
        while not self._stop.wait(ALERT_SECONDS):
            # the store may be away for a moment (the ledger refuses acts meanwhile); a watch that
            # ended would be missed by nobody
            self._do(self.tick)
