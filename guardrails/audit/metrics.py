"""Numbers about the record for Prometheus, and GenAI metrics for OpenTelemetry. No content.

Instrument names and buckets: OpenTelemetry GenAI semantic conventions v0.1.0
(`gen_ai.client.token.usage`, `gen_ai.client.operation.duration`).
"""

from collections.abc import Callable, Iterator, Mapping

from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from guardrails.audit import conventions

TOKEN_BUCKETS = tuple(4.0**power for power in range(14))
SECOND_BUCKETS = tuple(0.01 * 2**power for power in range(14))


class Metrics(SpanProcessor):
    """Watches ended spans; add it to `Spans(processors=…)`.

    `counters` gives a running total per name when Prometheus asks (`atelier_<name>_total`), and
    `gauges` what is so now (`atelier_<name>`, None: not known); more are added with `watch`.
    `readers` are OpenTelemetry metric readers, such as a periodic OTLP exporter's.
    """

    def __init__(
        self,
        counters: Mapping[str, Callable[[], int]] | None = None,
        readers: tuple[MetricReader, ...] = (),
    ) -> None:
        self._registry = CollectorRegistry()
        self._counters = dict(counters or {})
        self._gauges: dict[str, Callable[[], float | None]] = {}
        self._registry.register(_Read(self._counters, self._gauges))
        self._turns = Histogram(
            "atelier_turn_seconds", "Duration of turns", ["verdict"],
            buckets=SECOND_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._tokens = Histogram(
            "gen_ai_client_token_usage", "Tokens of model calls", ["model", "type"],
            buckets=TOKEN_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._calls = Histogram(
            "gen_ai_client_operation_duration_seconds", "Duration of operations",
            ["operation", "model"], buckets=SECOND_BUCKETS, registry=self._registry,
        )  # fmt: skip
        views = [
            _view("gen_ai.client.token.usage", TOKEN_BUCKETS),
            _view("gen_ai.client.operation.duration", SECOND_BUCKETS),
        ]
        resource = Resource.create({"service.name": "atelier"})
        self._provider = MeterProvider(readers, resource, views=views, shutdown_on_exit=False)
        meter = self._provider.get_meter("atelier")
        self._otel_tokens = meter.create_histogram("gen_ai.client.token.usage", "{token}")
        self._otel_calls = meter.create_histogram("gen_ai.client.operation.duration", "s")

    def watch(
        self,
        counters: Mapping[str, Callable[[], int]],
        gauges: Mapping[str, Callable[[], float | None]],
    ) -> None:
        """Also read these, for parts that are put together after the spans."""
        self._counters |= counters
        self._gauges |= gauges

    def text(self) -> bytes:
        """The page that Prometheus reads (text exposition format 0.0.4)."""
        return generate_latest(self._registry)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing to do: only ended spans have numbers."""

    def on_end(self, span: ReadableSpan) -> None:
        """Count one span."""
        attributes = span.attributes or {}
        seconds = ((span.end_time or 0) - (span.start_time or 0)) / 1e9
        kind = attributes.get(conventions.OPENINFERENCE_KIND)
        if attributes.get(conventions.ROOT):
            verdict = str(conventions.read(attributes, "verdict", "allowed"))
            self._turns.labels(verdict).observe(seconds)
        if kind not in ("LLM", "TOOL"):
            return
        operation = str(conventions.read(attributes, "operation"))
        model = str(conventions.read(attributes, "model"))
        self._calls.labels(operation, model).observe(seconds)
        names = {
            "gen_ai.operation.name": operation,
            "gen_ai.request.model": model,
            "gen_ai.provider.name": str(conventions.read(attributes, "provider")),
        }
        self._otel_calls.record(seconds, names)
        for word, type_ in (("input_tokens", "input"), ("output_tokens", "output")):
            tokens = conventions.read(attributes, word, None)
            if isinstance(tokens, int):
                self._tokens.labels(model, type_).observe(tokens)
                self._otel_tokens.record(tokens, {**names, "gen_ai.token.type": type_})

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Let the readers export now."""
        return self._provider.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """Stop the readers."""
        self._provider.shutdown()


class _Read(Collector):
    """Numbers that other parts keep, read when asked."""

    def __init__(
        self,
        counters: Mapping[str, Callable[[], int]],
        gauges: Mapping[str, Callable[[], float | None]],
    ) -> None:
        self._counters = counters
        self._gauges = gauges

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        for name, read in self._counters.items():
            counter = CounterMetricFamily(f"atelier_{name}", name.replace("_", " "))
            counter.add_metric([], read())
            yield counter
        for name, now in self._gauges.items():
            value = now()
            if value is not None:
                gauge = GaugeMetricFamily(f"atelier_{name}", name.replace("_", " "))
                gauge.add_metric([], value)
                yield gauge


def _view(name: str, buckets: tuple[float, ...]) -> View:
    return View(instrument_name=name, aggregation=ExplicitBucketHistogramAggregation(buckets))
