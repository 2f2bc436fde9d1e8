"""A bounded queue between spans and where they go. Slows its producers down before it drops, and
counts what it drops: nothing is lost unseen.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

log = logging.getLogger(__name__)

QUEUE_SPANS = 20_000
BATCH_SPANS = 512
BACK_PRESSURE_SECONDS = 0.05  # a producer waits at most this long when the queue is full
PAUSE_SECONDS = 0.3  # between batches when there is little to do

T = TypeVar("T")


class Outbox(Generic[T]):
    """Hands what is put in to `exporter` in batches from one thread, after `prepare` there.

    `dropped` counts what found no room, `failed` what the exporter refused. A batch that fails is
    tried `tries` times with growing pauses. At the end what is queued has `patience` seconds to go
    out; what does not make it is counted as failed.
    """

    def __init__(
        self,
        exporter: SpanExporter,
        prepare: Callable[[Sequence[T]], Sequence[ReadableSpan]],
        *,
        size: int = QUEUE_SPANS,
        tries: int = 3,
        patience: float = 30.0,
        back_pressure: float = BACK_PRESSURE_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.dropped = 0
        self.failed = 0
        self.exported = 0
        self._exporter = exporter
        self._prepare = prepare
        self._size = size
        self._tries = tries
        self._patience = patience
        self._back_pressure = back_pressure
        self._sleep = sleep
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._busy = False
        self._stop = False
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Take one; wait briefly when there is no room, then drop and count."""
        if len(self._items) >= self._size and not self._wait_for_room():
            self.dropped += 1
            return
        # no notify: the thread looks every PAUSE_SECONDS, and waking it costs more than the span
        self._items.append(item)

    def flush(self, seconds: float) -> bool:
        """Wait until everything taken so far has gone out. False when that took too long."""
        with self._changed:
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._items and not self._busy, seconds)

    def close(self) -> None:
        """Send what is queued and stop."""
        with self._changed:
            self._stop = True
            self._changed.notify_all()
        self._thread.join(self._patience)
        self._exporter.shutdown()  # ends an exporter's own retries
        self._thread.join(self._patience)
        self.failed += len(self._items)
        self._items.clear()

    def _wait_for_room(self) -> bool:
        with self._changed:
            self._changed.notify_all()
            return self._changed.wait_for(
                lambda: len(self._items) < self._size, self._back_pressure
            )

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._items and not self._stop:
                    self._changed.wait(PAUSE_SECONDS)
                batch = [self._items.popleft() for _ in range(min(BATCH_SPANS, len(self._items)))]
                if not batch and self._stop:
                    return
                self._busy = bool(batch)
            if batch:
                self._send(batch)
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _send(self, batch: list[T]) -> None:
        spans: Sequence[ReadableSpan] | None = None
        for attempt in range(self._tries):
            try:
                if spans is None:  # once: other processors have seen them after the first time
                    spans = self._prepare(batch)
                if self._exporter.export(spans) is SpanExportResult.SUCCESS:
                    self.exported += len(batch)
                    return
            # an exporter is somebody else's code; its failure is counted, never the turn's problem
            except Exception as error:
                log.warning("span export failed", extra={"error": type(error).__name__})
            if attempt + 1 < self._tries and not self._stop:
                self._sleep(0.2 * 2**attempt)
        self.failed += len(batch)


class QueueProcessor(SpanProcessor):
    """An Outbox for ended spans of an OpenTelemetry provider."""

    def __init__(
        self,
        exporter: SpanExporter,
        *,
        size: int = QUEUE_SPANS,
        tries: int = 3,
        patience: float = 30.0,
        back_pressure: float = BACK_PRESSURE_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._outbox: Outbox[ReadableSpan] = Outbox(
            exporter,
            lambda spans: spans,
            size=size,
            tries=tries,
            patience=patience,
            back_pressure=back_pressure,
            sleep=sleep,
        )

    @property
    def lost(self) -> int:
        """Spans that found no room or were refused."""
        return self._outbox.dropped + self._outbox.failed

    @property
    def exported(self) -> int:
        """Spans that the exporter took."""
        return self._outbox.exported

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing to do: only ended spans are kept."""

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span."""
        self._outbox.put(span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until everything taken so far has gone out."""
        return self._outbox.flush(timeout_millis / 1000)

    def shutdown(self) -> None:
        """Send what is queued and stop."""
        self._outbox.close()
