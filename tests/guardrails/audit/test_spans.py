"""Spans reach the store, are counted when they cannot, and cost the producer little."""

import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
import sqlalchemy as sa
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from guardrails.audit.exporting import QueueProcessor
from guardrails.audit.keeping import insert
from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.search import Traces
from guardrails.audit.spans import Spans, current
from guardrails.audit.tables import spans as table
from guardrails.keys import Keys


@pytest.fixture
def spans(store: sa.Engine) -> Iterator[Spans]:
    opened = Spans(store, "test")
    yield opened
    opened.close()


def test_a_turn_becomes_one_trace_with_its_spans(
    spans: Spans, store: sa.Engine, keys: Keys
) -> None:
    ledger = Ledger(store, keys)
    with spans.root("invoke_agent hr", {"agent": "hr", "person": "p_1"}) as root:
        with spans.span("GUARDRAIL", "screen", {"rule": "DP-01", "kinds": {"PERSON"}}) as guard:
            guard.set(verdict="masked")
        with root.span("LLM", "chat practice", {"model": "practice"}) as call:
            call.set(input_tokens=7, output_tokens=5)
            ledger.record(Act("model.call", "p_0000000001", trace_id=root.trace_id))
        root.set(verdict="masked", rule="DP-01", request="Hello <PERSON_1>", tokens=12, cost=0.25)
        root.set(kinds=["PERSON"], tools=("calculator",), model="practice")
    ledger.close()
    assert spans.flush()
    trace = Traces(store).get(root.trace_id)
    assert trace is not None
    assert (trace.row.verdict, trace.row.request, trace.row.tokens) == (
        "masked", "Hello <PERSON_1>", 12,
    )  # fmt: skip
    assert (trace.row.kinds, trace.row.tools, trace.row.cost) == (
        ("PERSON",), ("calculator",), 0.25,
    )  # fmt: skip
    assert [(s.name, s.kind) for s in trace.spans] == [
        ("invoke_agent hr", "AGENT"), ("screen", "GUARDRAIL"), ("chat practice", "LLM"),
    ]  # fmt: skip
    assert {s.parent_id for s in trace.spans[1:]} == {trace.spans[0].span_id}
    assert trace.spans[2].attributes["gen_ai.usage.input_tokens"] == 7
    assert [act.kind for act in trace.ledger] == ["model.call"]


def test_a_failed_span_keeps_the_kind_of_error_and_no_content(
    spans: Spans, store: sa.Engine
) -> None:
    with pytest.raises(ValueError, match="very private"), spans.root("turn"):
        raise ValueError("very private")
    spans.flush()
    with store.connect() as connection:
        row = connection.execute(sa.select(table)).one()
    assert row.status == "error"
    assert "private" not in json.dumps(list(row._mapping.values()), default=str)


async def test_a_root_survives_an_async_generator_that_is_closed_early(
    spans: Spans, store: sa.Engine
) -> None:
    async def turn() -> AsyncIterator[int]:
        with spans.root("turn"):
            yield 1
            yield 2

    generator = turn()
    assert await anext(generator) == 1
    await generator.aclose()  # type: ignore[attr-defined]
    assert spans.flush()
    assert len(Traces(store).page().rows) == 1


def test_the_current_span_is_the_parent(spans: Spans) -> None:
    assert current() is None
    with spans.root("turn") as root:
        assert current() is root
        with spans.span("TOOL", "x") as child:
            assert child.trace_id == root.trace_id
    assert current() is None


def test_an_unknown_word_is_refused(spans: Spans) -> None:
    with spans.root("turn") as root, pytest.raises(KeyError):
        root.set(persn="p_1")


def test_hostile_text_is_kept(spans: Spans, store: sa.Engine) -> None:
    with spans.root("a\0b") as root:
        root.set(request="a\0b\ud800", agent="x")
    assert spans.flush()
    assert spans.dropped == 0
    assert Traces(store).page().rows[0].request == "a\ufffdb\ufffd"


def test_two_spans_of_one_microsecond_are_both_kept(store: sa.Engine) -> None:
    spans = Spans(store, "test")
    with spans.root("turn") as root:
        pass
    spans.flush()
    with store.begin() as connection:
        row = connection.execute(sa.select(table)).one()._asdict()
        connection.execute(sa.delete(table))
        connection.execute(sa.insert(table), row | {"span_id": "0" * 16, "trace_id": "f" * 32})
    with store.begin() as connection:
        insert(connection, table, [row])
        insert(connection, table, [row])  # a batch that was committed but reported as failed
    with store.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 2
    assert root.trace_id
    spans.close()


class Stuck(SpanExporter):
    """An exporter that takes nothing until told."""

    def __init__(self) -> None:
        self.open = False
        self.taken = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        while not self.open:
            time.sleep(0.005)
        self.taken += len(spans)
        return SpanExportResult.SUCCESS


def test_what_finds_no_room_is_counted_and_the_rest_arrives() -> None:
    exporter = Stuck()
    queue = QueueProcessor(exporter, size=600)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(queue)
    tracer = provider.get_tracer("t")
    for _ in range(600):
        tracer.start_span("x").end()
    time.sleep(0.3)  # the first batch is with the exporter now
    for _ in range(520):
        tracer.start_span("x").end()
    exporter.open = True
    provider.shutdown()
    assert queue.lost > 0
    assert queue.lost + exporter.taken == 1_120


class Failing(SpanExporter):
    """An exporter that always fails."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        raise ConnectionError


def test_what_an_exporter_refuses_is_counted() -> None:
    queue = QueueProcessor(Failing(), sleep=lambda _s: None)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(queue)
    provider.get_tracer("t").start_span("x").end()
    provider.shutdown()
    assert (queue.lost, queue.exported) == (1, 0)


def test_a_thousand_spans_a_second_lose_nothing(engine: sa.Engine) -> None:
    spans = Spans(engine, "test")
    with spans.root("turn"):
        for _ in range(3_000):
            with spans.span("TOOL", "x", {"tool": "y", "rule": "TL-01"}):
                pass
    assert spans.flush(30)
    assert (spans.dropped, spans.exported) == (0, 3_001)
    spans.close()
