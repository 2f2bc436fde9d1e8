"""The templates' own cases with the real model, through the whole house: screen, seal, door.

Each case is printed as it ends and, where a file is named, kept in it at once: a run that is
stopped has lost nothing. `docs/templates.md` is made from the kept file.
"""

import asyncio
import datetime as dt
import json
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import chain, groupby, zip_longest
from pathlib import Path
from typing import Any

from agents.catalog import sample_path, templates
from agents.evaluate import Ask, Result, joined, run_case
from agents.spec import AgentSpec, Case
from guardrails.actor import Actor
from sandbox.events import Reply

RESULTS = Path(__file__).with_name("agent_results.json")
WALL_SECONDS = 1800.0  # a busy machine must not look like a bad answer
# of the machine, not of the answer: shown, not kept
TIMED_OUT = frozenset({"model-timeout", "limit-time", "screen-timeout"})


@asynccontextmanager
async def house(model: str) -> AsyncGenerator[tuple[Ask, str], None]:
    """The product with its model loaded: how to ask it one case, and the model's label."""
    from ui.running import running
    from ui.settings import Settings
    from ui.wiring import build

    with tempfile.TemporaryDirectory() as home:
        settings = {"home": home, "model": model, "model_timeout": WALL_SECONDS}
        app = build(Settings.model_validate(settings))
        actor = Actor("bench", "bench", frozenset({"administrator"}))

        async def ask(spec: AgentSpec, case: Case) -> Reply:
            files = {Path(name).name: sample_path(name) for name in case.files}
            last: Reply | None = None
            limits = spec.limits.model_copy(update={"wall_s": WALL_SECONDS})
            patient = spec.model_copy(update={"limits": limits})
            async for event in app.sessions.send(
                actor=actor, agent=patient, text=case.input, files=files, language=case.language
            ):
                last = event if isinstance(event, Reply) else last
            assert last is not None
            return last

        app.sessions.limits = replace(app.sessions.limits, wall_s=WALL_SECONDS)
        async with running(app):
            while app.warming and not app.problems:
                await asyncio.sleep(0.2)
            yield ask, app.models.info().label


def chosen(names: Sequence[str]) -> list[tuple[AgentSpec, Case]]:
    """The cases of `template` or `template/case`; without names, all. The first of every template
    comes first, then the second, with the languages in turn: a run cut short has seen them all.
    """
    wanted, every = set(names), templates()
    order = dict.fromkeys(name.partition("/")[0] for name in names) or every
    rows = [
        [
            (every[one], case)
            for case in _in_turn(every[one].cases)
            if not wanted or wanted & {one, f"{one}/{case.id}"}
        ]
        for one in order
    ]
    if wanted:  # one template at a time: the prompt that its cases share is read once
        return list(chain.from_iterable(rows))
    return [one for turn in zip_longest(*rows) for one in turn if one is not None]


def _in_turn(cases: Iterable[Case]) -> list[Case]:
    kept = list(cases)
    tongues = [
        [one for one in kept if (one.language == "fr") is french] for french in (False, True)
    ]
    return [one for pair in zip_longest(*tongues) for one in pair if one is not None]


async def cases(
    names: Sequence[str],
    model: str,
    *,
    minutes: float = 0,
    keep: Path | None = None,
    at_once: int = 1,
) -> None:
    """Ask the chosen cases; after `minutes` (0: none) no new one. Ends with a table by template.

    `at_once` templates are asked side by side: more cases an hour, but no seconds to rely on.
    """
    begun = time.monotonic()
    todo = chosen(names)
    results: dict[str, list[Result]] = {}
    lines = [list(rows) for _, rows in groupby(todo, key=lambda one: one[0].id)]

    async with house(model) as (ask, label):
        print(f"model: {label}", flush=True)

        async def work() -> None:
            while lines:
                for spec, case in lines.pop(0):
                    if minutes and time.monotonic() - begun > minutes * 60:
                        return
                    result = joined([await run_case(spec, ask, case)])
                    results.setdefault(spec.id, []).append(result)
                    show(spec.id, result)
                    if keep and result.error not in TIMED_OUT:
                        remember(keep, spec, result, label)

        await asyncio.gather(*(work() for _ in range(at_once)))
    for name, rows in results.items():
        passed, seconds = sum(one.passed for one in rows), [one.seconds for one in rows]
        print(_line(name, passed, len(rows)) + f"  {statistics.median(seconds):5.1f} s")
    every = list(chain.from_iterable(results.values()))
    print(_line("all", sum(one.passed for one in every), len(every)) + "  (reach 80 %)")
    if len(every) < len(todo):
        print(f"not asked, for want of time: {len(todo) - len(every)} of {len(todo)} (use --all)")


def show(agent: str, result: Result) -> None:
    """One line for a case that passed; what was wanted and said for one that failed."""
    word = "pass" if result.passed else "FAIL"
    print(f"{word} {agent}/{result.case} {result.seconds:.0f} s {result.error}", flush=True)
    for check in result.failures:
        print(f"    {check.key} {check.wanted!r}")
    if result.failures:
        print("      " + result.answer[:800].replace("\n", "\n      "), flush=True)
        print("      steps: " + ", ".join(result.steps), flush=True)


def remember(file: Path, spec: AgentSpec, result: Result, label: str) -> None:
    """Put one result into the kept file, beside those of earlier runs."""
    kept: dict[str, dict[str, Any]] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    kept.setdefault(spec.id, {})[result.case] = {
        "passed": result.passed,
        "missing": [f"{check.key} {check.wanted}" for check in result.failures],
        "seconds": round(result.seconds, 1),
        "day": dt.datetime.now(dt.UTC).date().isoformat(),
        "model": label,
        "content": spec.content_hash(),
    }
    text = json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True)
    part = file.with_suffix(".part")
    part.write_text(text + "\n", "utf-8")
    part.replace(file)


def _line(name: str, passed: int, count: int) -> str:
    return f"{name:24} {passed:3} of {count:3}  {passed / max(1, count):4.0%}"
