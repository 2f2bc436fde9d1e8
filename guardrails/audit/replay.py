"""Turn noted spans into spans of the OpenTelemetry SDK, on another thread than the turn's.

A note is what a span costs while somebody waits: a few microseconds, where the SDK takes ten times
as much, and a hundred times as much when it was not in the processor's cache (FACTS, Records).
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from guardrails.audit import conventions
from guardrails.audit.conventions import SpanKind, Value

_EMPTY = Context()
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


@dataclass(slots=True)
class Note:
    """A span as its producer leaves it. Times in nanoseconds since 1970; `words` see `NAMES`."""

    kind: SpanKind
    name: str
    trace_id: int
    span_id: int
    parent_id: int
    start: int
    end: int = 0
    error: str = ""
    words: list[Mapping[str, object]] = field(default_factory=list)
    events: list[tuple[int, str, Mapping[str, Value]]] = field(default_factory=list)


class Replay:
    """Gives notes to an SDK provider with `processors`, and back what it made of them.

    Used by one thread at a time.
    """

    def __init__(self, service: str, processors: Sequence[SpanProcessor]) -> None:
        resource = Resource({"service.name": service, "openinference.project.name": service})
        self._ids = _Given()
        self._ended = _Ended()
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,  # whatever the environment says: what is noted is kept
            resource=resource,
            shutdown_on_exit=False,
            id_generator=self._ids,
        )
        for processor in (self._ended, *processors):
            self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("atelier", schema_url=None)

    def spans(self, notes: Sequence[Note]) -> list[ReadableSpan]:
        """The spans of `notes`, in their order; every processor has seen them."""
        self._ended.spans = []
        for note in notes:
            self._replay(note)
        return self._ended.spans

    def close(self) -> None:
        """Shut the processors down."""
        self._provider.shutdown()

    def _replay(self, note: Note) -> None:
        self._ids.trace_id, self._ids.span_id = note.trace_id, note.span_id
        named = conventions.attributes(note.kind, {})
        for words in note.words:
            named.update(conventions.translate(words))
        context = _EMPTY  # of its own: a foreign current span must not become the parent
        if note.parent_id:
            parent = SpanContext(note.trace_id, note.parent_id, False, _SAMPLED)
            context = set_span_in_context(NonRecordingSpan(parent), _EMPTY)
        span = self._tracer.start_span(
            note.name, context=context, attributes=named, start_time=note.start
        )
        for at, name, attributes in note.events:
            span.add_event(name, dict(attributes), at)
        if note.error:
            span.set_status(Status(StatusCode.ERROR, note.error))
        span.end(note.end)


def new_id(bits: int) -> int:
    """A random id that is not 0 (which OpenTelemetry takes for none)."""
    return random.getrandbits(bits) or 1


class _Given(IdGenerator):
    """The ids that the notes have already."""

    trace_id = span_id = 1

    def generate_span_id(self) -> int:
        return self.span_id

    def generate_trace_id(self) -> int:
        return self.trace_id


class _Ended(SpanProcessor):
    """Keeps what has ended."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing to do: only ended spans are kept."""

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)
