"""Evaluation runs: an agent's own cases and the safety set, in parallel, stored as they come.

Runs go through `ask`, which is the real way an agent answers. What is stored is masked. A run whose
process died is `interrupted` and can be run again. Knows neither sandbox nor pages.
"""

import asyncio
import datetime as dt
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, replace

import sqlalchemy as sa

from agents.evaluate import Check, ReplyLike, Result, joined, run_case
from agents.evaluation_runs import RunRecord, Runs, Which, utc_now
from agents.judging import judge
from agents.publishing_tables import results, runs
from agents.safety import Trial, checks, compared, safety_set
from agents.spec import AgentSpec, Case
from guardrails.actor import Actor
from guardrails.audit.ledger import Act, Ledger
from guardrails.errors import BadInput, GuardrailError
from guardrails.processes import orphaned

log = logging.getLogger(__name__)

AskAs = Callable[[AgentSpec, Case, Actor], Awaitable[ReplyLike]]
REPEATS = 5
PARALLEL = 2  # a turn is a sealed process and a model call: more would starve those who chat


class Evaluations(Runs):
    """Runs of one store, under way or over.

    `tongue` gives the language of a text, "" when it cannot tell.
    """

    def __init__(
        self,
        engine: sa.Engine,
        ledger: Ledger,
        ask: AskAs,
        *,
        side_effect: Callable[[str], str],
        tongue: Callable[[str], str],
        model: Callable[[], str],
        now: Callable[[], dt.datetime] = utc_now,
        process: str = "",
    ) -> None:
        super().__init__(engine, now)
        self._process = process
        self._ledger = ledger
        self._ask = ask
        self._side_effect = side_effect
        self._tongue = tongue
        self._model = model
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closing = False

    async def start(
        self,
        spec: AgentSpec,
        by: Actor,
        *,
        which: Which = "all",
        repeats: int = 1,
        role: str = "",
        agent: str = "",
        trial: str = "",
    ) -> RunRecord:
        """Begin a run in the background. `agent` files it under another id than the spec's;
        `trial` is the id under which the agent is asked: a request's reads what is held for it.

        Raises BadInput: no-cases; run-going-on (one of this person on this agent at a time).
        """
        trials = safety_set(spec) if which in ("safety", "all") else ()
        own = spec.cases if which in ("own", "all") else ()
        if not trials and not own:
            raise BadInput("no-cases", id=spec.id)
        agent = agent or spec.id
        latest = await asyncio.to_thread(self.of, agent, 5)
        if any(run.by == by.id and run.id in self._tasks for run in latest):
            raise BadInput("run-going-on", id=agent)
        id = f"ev-{secrets.token_hex(8)}"
        payload: dict[str, object] = {"run": id, "which": which, "cases": len(own) + len(trials)}
        await self._ledger.arecord(
            Act("evaluation.run", by.id, agent, spec.version, payload=payload)
        )
        values = {
            "id": id,
            "agent": agent,
            "content": spec.content_hash(),
            "by": by.id,
            "role": role,
            "which": which,
            "repeats": max(1, min(repeats, REPEATS)),
            "state": "running",
            "done": 0,
            "total": len(own) + len(trials),
            "model": self._model(),
            "error": "",
            "started": self._now(),
            "ended": None,
            "process": self._process,
        }
        try:
            await asyncio.to_thread(self._insert, values)
        except sa.exc.IntegrityError as error:
            raise BadInput("run-going-on", id=agent) from error  # begun at the same moment
        asking = replace(by, roles=frozenset({role})) if role else by
        run = await asyncio.to_thread(self.get, id)
        asked = spec.model_copy(update={"id": trial}) if trial else spec
        task = asyncio.create_task(self._work(run, asked, asking, own, trials))
        self._tasks[id] = task
        task.add_done_callback(lambda _done: self._tasks.pop(id, None))
        return run

    async def wait(self, id: str) -> RunRecord:
        """The run once it is over."""
        task = self._tasks.get(id)
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)
        return await asyncio.to_thread(self.get, id)

    async def cancel(self, id: str) -> RunRecord:
        """Stop a run; what is done stays. The caller has checked whose it is."""
        task = self._tasks.get(id)
        if task is not None:
            task.cancel()
        return await self.wait(id)

    async def close(self) -> None:
        """Stop every run; they are `interrupted`."""
        self._closing = True
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def recover(self) -> int:
        """Mark what a dead process was running as interrupted; returns how many."""
        with self._engine.begin() as db:
            done = db.execute(
                sa.update(runs)
                .where(runs.c.state == "running", orphaned(runs.c.process))
                .values(state="interrupted", ended=self._now())
            )
        return int(done.rowcount)

    # ── inside ───────────────────────────────────────────────────────────────────────────

    async def _work(
        self,
        run: RunRecord,
        spec: AgentSpec,
        by: Actor,
        own: Iterable[Case],
        trials: Iterable[Trial],
    ) -> None:
        gate = asyncio.Semaphore(PARALLEL)
        tried = {trial.case.id: trial for trial in trials}
        cases = [*own, *(trial.case for trial in tried.values())]
        found: dict[str, Result] = {}

        async def ask(_spec: AgentSpec, case: Case) -> ReplyLike:
            return await self._ask(spec, case, by)

        async def more(case: Case, reply: ReplyLike) -> list[Check]:
            extra: list[Check] = []
            if case.id in tried:
                tongue = self._tongue(reply.text)
                extra += checks(tried[case.id], spec, reply, self._side_effect, tongue)
            if case.expect.rubric:
                extra.append(await judge(case, reply.text, ask_judge))
            return extra

        async def ask_judge(judging: AgentSpec, case: Case) -> ReplyLike:
            return await self._ask(judging, case, by)

        async def one(number: int, case: Case) -> None:
            async with gate:
                tries = [await run_case(spec, ask, case, more) for _ in range(run.repeats)]
            found[case.id] = joined(tries)
            await asyncio.to_thread(self._keep, run.id, number, found[case.id], len(found))

        state, code = "failed", "internal"
        try:
            async with asyncio.TaskGroup() as group:
                for number, case in enumerate(cases):
                    group.create_task(one(number, case))
            await asyncio.to_thread(self._pairs, run.id, tried, found)
            state, code = "done", ""
        except asyncio.CancelledError:
            state, code = "interrupted" if self._closing else "cancelled", ""
        # nobody waits for this task, and a case may raise anything (the group wraps it): the run
        # ends here, with the kinds of error on record
        except Exception as error:
            broke = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
            kinds = sorted({type(one).__name__ for one in broke})
            log.error("evaluation broke", extra={"error": ", ".join(kinds)})
            code = next((one.code for one in broke if isinstance(one, GuardrailError)), code)
        finally:
            await asyncio.shield(asyncio.to_thread(self._end, run.id, state, code))

    def _pairs(self, run: str, tried: Mapping[str, Trial], found: dict[str, Result]) -> None:
        sides: dict[str, list[str]] = {}
        for id, trial in tried.items():
            if trial.pair and id in found:
                sides.setdefault(trial.pair, []).append(id)
        for pair in sides.values():
            if len(pair) != 2:
                continue
            check = compared(found[pair[0]], found[pair[1]])
            for id in pair:
                result = found[id]
                kept = (*(c for c in result.checks if c.key != "answered"), check)
                passed = all(one.passed for one in kept)
                found[id] = replace(
                    result, checks=kept, passed=passed, passes=result.runs if passed else 0
                )
                with self._engine.begin() as db:
                    db.execute(
                        sa.update(results)
                        .where(results.c.run == run, results.c.case == id)
                        .values(passed=passed, detail=asdict(found[id]))
                    )
