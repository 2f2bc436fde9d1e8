"""Spans of a turn over the OpenTelemetry SDK, kept in our store and, if asked, sent to a collector.

What is put into a span is masked already: this module knows nothing of detectors. The root span of
a trace becomes a row of `traces`, which lists and searches read. The turn only takes notes; the
SDK's part is done by another thread (see `replay`).
"""

import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar, Token
from types import TracebackType

import sqlalchemy as sa
from opentelemetry.sdk.trace import SpanProcessor

from guardrails.audit import conventions
from guardrails.audit.conventions import NAMES, SpanKind
from guardrails.audit.exporting import Outbox, QueueProcessor
from guardrails.audit.keeping import StoreExporter
from guardrails.audit.replay import Note, Replay, new_id


class Span:
    """One span, open while its `with` block runs. `trace_id` is 32 hex digits, `span_id` 16."""

    __slots__ = ("_begun", "_note", "_parent", "_spans", "_token")
    _note: Note

    def __init__(
        self,
        spans: "Spans",
        kind: SpanKind,
        name: str,
        given: Mapping[str, object] | None,
        parent: "Span | None",
    ) -> None:
        trace_id = parent._note.trace_id if parent else new_id(128)
        parent_id = parent._note.span_id if parent else 0
        self._spans = spans
        self._parent = parent
        self._token: Token[Span | None] | None = None
        self._note = Note(kind, name, trace_id, new_id(64), parent_id, time.time_ns())
        # lengths by a clock that nobody sets
        self._begun = time.perf_counter_ns()
        if given:
            self._add(given)

    @property
    def trace_id(self) -> str:
        """The trace it belongs to."""
        return f"{self._note.trace_id:032x}"

    @property
    def span_id(self) -> str:
        """Its own id."""
        return f"{self._note.span_id:016x}"

    def set(self, **words: object) -> None:
        """Set attributes by our words (`verdict="masked"`); see `conventions.NAMES`.

        Raises KeyError for an unknown word.
        """
        self._add(words)

    def set_attribute(self, name: str, value: str | int | float | bool) -> None:
        """Set one attribute by its OpenTelemetry name, which has a dot."""
        self._add({name: value})

    def event(self, name: str, attributes: Mapping[str, str | int | float | bool]) -> None:
        """Add an event, e.g. `gen_ai.evaluation.result`."""
        self._note.events.append((self._now(), name, dict(attributes)))

    def fail(self, code: str) -> None:
        """Mark the span as an error; `code` is an error code, never content."""
        self._note.error = code

    def span(
        self, kind: SpanKind, name: str, attributes: Mapping[str, object] | None = None
    ) -> "Span":
        """A child of this span, whatever the current context is."""
        return Span(self._spans, kind, name, attributes, self)

    def __enter__(self) -> "Span":
        self._token = _current.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and not self._note.error:
            # the type only: an error's text may quote content
            self._note.error = kind.__name__
        try:
            if self._token is not None:
                _current.reset(self._token)
        except ValueError:
            # an async generator may be closed from another context than it was started in
            _current.set(self._parent)
        self._note.end = self._now()
        self._spans.keep(self._note)

    def _now(self) -> int:
        return self._note.start + time.perf_counter_ns() - self._begun

    def _add(self, words: Mapping[str, object]) -> None:
        kept: dict[str, object] = {}
        for word, value in words.items():
            if word not in NAMES and "." not in word:
                raise KeyError(word)
            # the note is read later: what its owner may change is copied
            kept[word] = tuple(value) if isinstance(value, list) else value
        self._note.words.append(kept)


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
        self._collector: QueueProcessor | None = None
        if otlp_endpoint:
            # imported late: only installations with a collector pay for it
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter(endpoint=otlp_endpoint, timeout=5)  # it retries by itself
            # no back-pressure: a collector that is slow must not keep spans from our own store
            self._collector = QueueProcessor(
                exporter, size=queue, tries=1, patience=3, back_pressure=0
            )
            processors = (*processors, self._collector)
        self._replay = Replay(service, processors)
        self._outbox: Outbox[Note] = Outbox(StoreExporter(engine), self._replay.spans, size=queue)

    @property
    def dropped(self) -> int:
        """Spans that did not reach our store."""
        return self._outbox.dropped + self._outbox.failed

    @property
    def exported(self) -> int:
        """Spans that reached our store."""
        return self._outbox.exported

    @property
    def otlp_lost(self) -> int:
        """Spans that did not reach the collector."""
        return self._collector.lost if self._collector else 0

    def root(self, name: str, attributes: Mapping[str, object] | None = None) -> Span:
        """The span of one turn; when it ends, its row of `traces` is written.

        Words the row is made of: person (pseudonym), department, agent, version, conversation,
        verdict, rule, request (masked), model, location, data_class, kinds, tools, tokens, cost.
        """
        return Span(self, "AGENT", name, {conventions.ROOT: True, **(attributes or {})}, None)

    def span(
        self,
        kind: SpanKind,
        name: str,
        attributes: Mapping[str, object] | None = None,
        *,
        parent: Span | None = None,
    ) -> Span:
        """A span inside `parent`, or inside the current one of this task."""
        return Span(self, kind, name, attributes, parent or _current.get())

    def keep(self, note: Note) -> None:
        """Take an ended span."""
        self._outbox.put(note)

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until ended spans are in the store (not the collector). False on timeout."""
        return self._outbox.flush(timeout)

    def close(self) -> None:
        """Send what is queued and stop."""
        self._outbox.close()
        self._replay.close()


def current() -> Span | None:
    """The span this task is in."""
    return _current.get()
