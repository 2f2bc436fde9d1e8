"""The record and the rules at size: ledger, spans, search, verification, decisions.

    python -m bench.records [--full | --rows N] [--postgres]

Without arguments 100,000 rows of each kind (about a minute); `--full` a million. Rows of `spans`
make a fifth as many traces. Waits, timings and sizes are real: FULL durability, a writer running
beside the searches.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from bench.table import Row, show
from guardrails.actor import Actor
from guardrails.audit import checkpoints
from guardrails.audit.chain import GENESIS, Body, link, mac
from guardrails.audit.facets import Facets
from guardrails.audit.facets_kept import KeptFacets
from guardrails.audit.keeping import ordered_id
from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.search import Traces
from guardrails.audit.spans import Spans
from guardrails.audit.tables import ledger, spans, traces
from guardrails.audit.trace_rows import TraceFilter
from guardrails.audit.verify import verify
from guardrails.keys import Keys
from guardrails.migrate import upgrade
from guardrails.policy.engine import DEFAULT, Engine, ModelFacts, Request, parse
from guardrails.store import open_engine
from tests.guardrails.audit import stores

QUICK, FULL = 100_000, 1_000_000
SPANS_A_TRACE = 5
KEYS = Keys(stores.KEY)
START = 1_780_000_000_000_000  # microseconds
WORDS = (
    "invoice", "supplier", "meeting", "budget", "contract", "holiday", "report", "summary",
    "customer", "delivery", "draft", "answer", "question", "policy", "laptop", "travel",
    "training", "quarter", "plan", "review", "facture", "fournisseur", "réunion", "contrat",
)  # fmt: skip


def main() -> None:
    """Print the table."""
    rows, postgres = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'bench.db'}")
        upgrade(engine)
        show("records and rules", [*_append(engine), *_span_cost(engine), *_decisions()])
        engine.dispose()
        show(
            f"records at {rows:,} rows, SQLite",
            [*_at_size(f"sqlite:///{Path(folder) / 'size.db'}", rows, Path(folder))],
        )
    if postgres:
        with stores.cluster() as server:
            url = stores.new_database(server, "bench")
            show(f"records at {rows:,} rows, PostgreSQL", [*_searches(url, rows, 150, 150)])


def _arguments() -> tuple[int, bool]:
    parser = argparse.ArgumentParser(prog="bench.records")
    parser.add_argument("--rows", type=int, default=QUICK)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--postgres", action="store_true")
    # `python -m bench` passes names of benches, which are not ours
    given = sys.argv[1:] if sys.argv[0].endswith("records.py") else []
    chosen = parser.parse_args(given)
    rows = FULL if chosen.full else chosen.rows
    return rows, chosen.postgres or chosen.full


def _append(engine: sa.Engine) -> Iterator[Row]:
    book = Ledger(engine, KEYS)
    payload = {"text": "x" * 300, "tokens": 12}
    times: list[float] = []

    async def caller(number: int, acts: int) -> None:
        for _ in range(acts):
            begun = time.perf_counter()
            await book.aintent(Act("model.call", f"u{number}", "hr", payload=payload))
            times.append(time.perf_counter() - begun)

    async def together(callers: int, acts: int) -> float:
        begun = time.perf_counter()
        await asyncio.gather(*(caller(number, acts) for number in range(callers)))
        return callers * acts / (time.perf_counter() - begun)

    asyncio.run(together(16, 5))
    times.clear()
    asyncio.run(together(16, 60))
    yield Row("ledger append, FULL, 16 callers, p95", _p95(times) * 1e3, "ms", 40)
    best = max(asyncio.run(together(64, 40)) for _ in range(3))
    yield Row("ledger append, FULL, 64 callers", best, "/s", 2_000, least=True)
    book.close()


def _span_cost(engine: sa.Engine) -> Iterator[Row]:
    recorder = Spans(engine, "bench")
    times: list[float] = []
    with recorder.root("turn"):
        for number in range(3_000):
            begun = time.perf_counter()
            with recorder.span("LLM", "chat x", {"model": "x", "rule": "MD-01"}) as span:
                span.set(input_tokens=7, output_tokens=3)
            times.append(time.perf_counter() - begun)
            if number % 20 == 0:  # turns come in bursts: about a thousand a second
                time.sleep(0.02)
    recorder.close()
    yield Row("span cost at the producer, p95", _p95(times) * 1e6, "µs", 60)
    yield Row("span cost at the producer, p50", _p50(times) * 1e6, "µs", 60)
    lost = 3_001 - recorder.exported
    yield Row("spans lost of 3,001 at 1,000/s", lost, "", 0)


def _decisions() -> Iterator[Row]:
    filler = "\n".join(
        f'@id("X-{n}") forbid (principal, action == Action::"tool.call", resource) '
        f'when {{ context.tool == "tool{n}" && context.department == "d{n % 20}" }};'
        for n in range(475)
    )
    text = "\n".join(f.read_text("utf-8") for f in sorted(DEFAULT.glob("*.cedar")))
    schema = (DEFAULT / "schema.cedarschema").read_text("utf-8")
    engine = Engine(policies=parse(text + filler, schema))
    model = ModelFacts("openai/x", "provider", "eu", "openai")
    kinds = frozenset({"PERSON", "EMAIL_ADDRESS"})
    times: list[float] = []
    for number in range(600):  # each a person of their own, so that none is remembered
        actor = Actor(f"u{number}", f"dept{number}", frozenset({"staff"}))
        begun = time.perf_counter()
        engine.decide(Request("model.call", actor, "hr", "internal", model, kinds=kinds))
        times.append(time.perf_counter() - begun)
    rules = len(engine.policies.ids)
    yield Row(f"decision, {rules} rules, two kinds, p95", _p95(times) * 1e3, "ms", 1)
    yield Row(f"decision, {rules} rules, two kinds, p50", _p50(times) * 1e3, "ms", 1)
    again: list[float] = []
    for _ in range(2_000):
        begun = time.perf_counter()
        engine.decide(Request("model.call", actor, "hr", "internal", model, kinds=kinds))
        again.append(time.perf_counter() - begun)
    yield Row("the same question again, p95", _p95(again) * 1e3, "ms", 1)


def _at_size(url: str, rows: int, folder: Path) -> Iterator[Row]:
    yield from _searches(url, rows, 10, 50)
    size = sum(f.stat().st_size for f in folder.glob("size.db*")) / 1e6
    yield Row(f"store of {rows:,} spans", size, "MB", 900 * rows / FULL)
    engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
    upgrade(engine)
    head = _fill_ledger(engine, rows)
    mark = checkpoints.sign(KEYS.signing(), 1, rows, head, START)
    begun, cpu = time.perf_counter(), time.process_time()
    result = verify(engine, KEYS.signing().public_key(), [mark])
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    assert result.ok, result
    assert result.proven_to == rows
    yield Row(f"chain verification of {rows:,} rows", seconds, "s", 6 * rows / FULL)
    yield Row("the same, processor time", cpu, "s", 6 * rows / FULL)
    engine.dispose()


def _searches(url: str, rows: int, list_ms: int, text_ms: int) -> Iterator[Row]:
    """Searches with a writer running; targets in milliseconds."""
    engine = open_engine(url)
    upgrade(engine)
    _fill_spans(engine, rows)
    turns = rows // SPANS_A_TRACE
    found, kept = Traces(engine), KeptFacets(Facets(engine))
    kept.facets()
    middle = _when(turns // 2)
    now = _when(turns)
    questions: dict[str, tuple[Callable[[], object], int | None]] = {
        "newest 50": (found.page, list_ms),
        "by person": (lambda: found.page(TraceFilter(person=f"p_{7:010x}")), list_ms),
        "by verdict": (lambda: found.page(TraceFilter(verdict="blocked")), list_ms),
        "by rule": (lambda: found.page(TraceFilter(rule="R-11")), list_ms),
        "time range": (lambda: found.page(TraceFilter(until=middle)), list_ms),
        "page 1,000": (lambda: found.page(after=str(_row(turns // 2)["id"])), list_ms),
        "rare word": (lambda: found.page(TraceFilter(text=f"ref{turns // 3}")), text_ms),
        "common word": (lambda: found.page(TraceFilter(text="invoice")), text_ms),
        # about as many as the two plans for PostgreSQL part at: the dearest of all
        "word in 1 % of turns": (lambda: found.page(TraceFilter(text="group7")), text_ms),
        "all filters with counts, counted": (lambda: Facets(engine).facets(), None),
        "all filters with counts, as the page asks": (kept.facets, 50),
        "trend of verdicts": (lambda: Facets(engine).trend(TraceFilter(), now), None),
    }
    with _writer(engine, turns):
        for label, (ask, target) in questions.items():
            times: list[float] = []
            for _ in range(40):
                begun = time.perf_counter()
                ask()
                times.append(time.perf_counter() - begun)
            yield Row(f"{label}, p95", _p95(times) * 1e3, "ms", target)
            yield Row(f"{label}, p50", _p50(times) * 1e3, "ms")
        begun = time.perf_counter()
        found.counts()
        seconds = time.perf_counter() - begun
        yield Row("counts by verdict over everything", seconds * 1e3, "ms")
    engine.dispose()


def _fill_spans(engine: sa.Engine, rows: int) -> None:
    turns = rows // SPANS_A_TRACE
    attributes = json.dumps(
        {"gen_ai.request.model": "practice", "app.guardrail.verdict": "masked",
         "app.guardrail.rule": "DP-01", "gen_ai.usage.input_tokens": 312,
         "input.value": " ".join(WORDS[:12])}
    )  # fmt: skip
    for first in range(0, turns, 4_000):
        last = min(first + 4_000, turns)
        with engine.begin() as connection:
            connection.execute(sa.insert(traces), [_row(n) for n in range(first, last)])
            connection.execute(
                sa.insert(spans),
                [
                    {
                        "id": ordered_id(_at(n) + k, f"{n * 7 + k:016x}"),
                        "trace_id": _trace_id(n),
                        "span_id": f"{n * 8 + k:016x}",
                        "parent_id": f"{n * 8:016x}" if k else None,
                        "name": ("invoke_agent hr", "screen", "chat practice", "screen", "x")[k],
                        "kind": ("AGENT", "GUARDRAIL", "LLM", "GUARDRAIL", "TOOL")[k],
                        "start": _at(n) + k,
                        "duration": 1_000,
                        "status": "unset",
                        "attributes": attributes,
                    }
                    for n in range(first, last)
                    for k in range(SPANS_A_TRACE)
                ],
            )
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")


def _row(number: int) -> dict[str, object]:
    chance = random.Random(number)
    words = " ".join(chance.choices(WORDS, k=14))
    return {
        "id": ordered_id(_at(number), _trace_id(number)),
        "trace_id": _trace_id(number),
        "person": f"p_{number % 400:010x}",
        "department": f"d{number % 12}",
        "agent": f"agent-{number % 40}",
        "version": "1.0.0",
        "conversation": f"c{number // 6}",
        "verdict": ("allowed", "masked", "masked", "blocked", "flagged")[number % 5],
        "rule": f"R-{number % 37}",
        "request": f"{words} for <PERSON_1> ref{number} group{number % 97}",
        "model": "practice",
        "model_kind": "practice",
        "location": "local",
        "data_class": "internal",
        "kinds": " PERSON ",
        "tools": "",
        "tokens": 312,
        "cost": 0,
        "duration": 812_000,
    }


def _fill_ledger(engine: sa.Engine, rows: int) -> str:
    previous, key = GENESIS, KEYS.derive("ledger-chain")
    for first in range(1, rows + 1, 10_000):
        batch = []
        for seq in range(first, min(first + 10_000, rows + 1)):
            body = Body(
                seq, START + seq, "event", None, "model.call", f"p_{seq % 400:010x}",
                f"p_{seq % 400:010x}", "agent", "1.0.0", f"c{seq // 9}", _trace_id(seq), "allow",
                "MD-01", "", "",
            )  # fmt: skip
            previous = link(previous, body)
            batch.append(
                body._asdict() | {"hash": previous, "mac": mac(key, previous), "payload": None}
            )
        with engine.begin() as connection:
            connection.execute(sa.insert(ledger), batch)
    return previous


@contextmanager
def _writer(engine: sa.Engine, turns: int) -> Iterator[None]:
    """Spans and ledger rows at some hundred a second, beside what is measured."""
    stop = threading.Event()
    recorder, book = Spans(engine, "bench"), Ledger(engine, KEYS)

    def write() -> None:
        while not stop.is_set():
            with recorder.root("turn", {"agent": "agent-1", "person": "p_1"}) as root:
                book.record(Act("turn", "system", trace_id=root.trace_id))
                root.set(request="written meanwhile")
            stop.wait(0.005)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        recorder.close()
        book.close()


def _at(number: int) -> int:
    return START + number * 1_000_000


def _when(number: int) -> datetime:

    return datetime.fromtimestamp(_at(number) / 1e6, UTC)


def _trace_id(number: int) -> str:
    return f"{number * 2_654_435_761 % 2**32:08x}{number:024x}"


def _p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]


def _p50(times: list[float]) -> float:
    return sorted(times)[len(times) // 2]


if __name__ == "__main__":
    main()
