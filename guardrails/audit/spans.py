"""Spans of a turn over the OpenTelemetry SDK, kept in our store and, if asked, sent to a collector.

What is put into a span is masked already: this module knows nothing of detectors. The root span of
a trace becomes a row of `traces`, which lists and searches read.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import sqlalchemy as sa
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import Status, StatusCode, set_span_in_context

from guardrails.audit import conventions
from guardrails.audit.conventions import SpanKind
from guardrails.audit.exporting import QueueProcessor
from guardrails.audit.keeping import StoreExporter


class Span:
    """One open span. `trace_id` is 32 hex digits."""

    def __init__(self, spans: "Spans", span: OtelSpan) -> None:
        self._spans = spans
        self.otel = span
        self.trace_id = f"{span.get_span_context().trace_id:032x}"
        self.span_id = f"{span.get_span_context().span_id:016x}"

    def set(self, **words: object) -> None:
        """Set attributes by our words (`verdict="masked"`); see `conventions.NAMES`.

        Raises KeyError for an unknown word.
        """
        self.otel.set_attributes(conventions.translate(words))

    def set_attribute(self, name: str, value: str | int | float | bool) -> None:
        """Set one attribute by its OpenTelemetry name."""
        self.otel.set_attribute(name, value)

    def event(self, name: str, attributes: Mapping[str, str | int | float | bool]) -> None:
        """Add an event, e.g. `gen_ai.evaluation.result`."""
        self.otel.add_event(name, dict(attributes))

    def fail(self, code: str) -> None:
        """Mark the span as an error; `code` is an error code, never content."""
        self.otel.set_status(Status(StatusCode.ERROR, code))

    @contextmanager
    def span(
        self, kind: SpanKind, name: str, attributes: Mapping[str, object] | None = None
    ) -> Iterator["Span"]:
        """A child of this span, whatever the current context is."""
        with self._spans.span(kind, name, attributes, parent=self) as child:
            yield child


_EMPTY = Context()
_current: ContextVar[Span | None] = ContextVar("atelier_span", default=None)


class Spans:
    """Opens spans. `dropped` counts what was lost at our own store, `otlp_lost` at the collector.

    `service` names this process in exports; `otlp_endpoint` is the full address of an OTLP/HTTP
    traces endpoint; `processors` see every ended span too (see `metrics.Metrics`).
    """

    def __init__(
        self,
        engine: sa.Engine,
        service: str,
        *,
        otlp_endpoint: str = "",
        queue: int = 20_000,
        processors: Sequence[SpanProcessor] = (),
    ) -> None:
        resource = Resource({"service.name": service, "openinference.project.name": service})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._store = QueueProcessor(StoreExporter(engine), size=queue)
        self._provider.add_span_processor(self._store)
        for processor in processors:
            self._provider.add_span_processor(processor)
        self._collector: QueueProcessor | None = None
        if otlp_endpoint:
            # imported late: only installations with a collector pay for it
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter(endpoint=otlp_endpoint, timeout=5)  # it retries by itself
            self._collector = QueueProcessor(exporter, size=queue, tries=1, patience=3)
            self._provider.add_span_processor(self._collector)
        self._tracer = self._provider.get_tracer("atelier", schema_url=None)

    @property
    def dropped(self) -> int:
        """Spans that did not reach our store."""
        return self._store.dropped + self._store.failed

    @property
    def exported(self) -> int:
        """Spans that reached our store."""
        return self._store.exported

    @property
    def otlp_lost(self) -> int:
        """Spans that did not reach the collector."""
        return self._collector.dropped + self._collector.failed if self._collector else 0

    @contextmanager
    def root(self, name: str, attributes: Mapping[str, object] | None = None) -> Iterator[Span]:
        """The span of one turn; when it ends, its row of `traces` is written.

        Words the row is made of: person (pseudonym), department, agent, version, conversation,
        verdict, rule, request (masked), model, location, data_class, kinds, tools, tokens, cost.
        """
        given = {conventions.ROOT: True, **(attributes or {})}
        with self._open("AGENT", name, given, None) as span:
            yield span

    @contextmanager
    def span(
        self,
        kind: SpanKind,
        name: str,
        attributes: Mapping[str, object] | None = None,
        *,
        parent: Span | None = None,
    ) -> Iterator[Span]:
        """A span inside `parent`, or inside the current one of this task."""
        with self._open(kind, name, attributes or {}, parent or _current.get()) as span:
            yield span

    @contextmanager
    def _open(
        self, kind: SpanKind, name: str, given: Mapping[str, object], parent: Span | None
    ) -> Iterator[Span]:
        otel = self._tracer.start_span(
            name,
            # an empty context for roots: a foreign current span must not become the parent
            context=set_span_in_context(parent.otel, _EMPTY) if parent else _EMPTY,
            attributes=conventions.attributes(kind, given),
        )
        span = Span(self, otel)
        token = _current.set(span)
        try:
            yield span
        except BaseException as error:
            # the type only: an error's text may quote content
            otel.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
        finally:
            try:
                _current.reset(token)
            except ValueError:
                # an async generator may be closed from another context than it was started in
                _current.set(parent)
            otel.end()

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until ended spans are in the store (not the collector). False on timeout."""
        return self._store.force_flush(int(timeout * 1000))

    def close(self) -> None:
        """Send what is queued and stop."""
        self._provider.shutdown()


def current() -> Span | None:
    """The span this task is in."""
    return _current.get()
