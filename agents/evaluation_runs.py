"""Evaluation runs as kept: records, results in the order of their cases, figures over them."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import sqlalchemy as sa

from agents.evaluate import Check, Result
from agents.publishing_tables import results, runs
from guardrails.audit.tables import traces
from guardrails.errors import BadInput
from guardrails.store import aware

Which = Literal["own", "safety", "all"]
RunState = Literal["running", "done", "cancelled", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. `content` is the hash of the agent as it was; `model` is who answered."""

    id: str
    agent: str
    content: str
    by: str
    role: str
    which: Which
    repeats: int
    state: RunState
    done: int
    total: int
    model: str
    error: str
    started: dt.datetime
    ended: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in figures. `cost` in the operator's currency, `seconds` the median of the cases."""

    passed: int
    total: int
    flaky: int
    tokens: int
    cost: float
    seconds: float

    @property
    def rate(self) -> float:
        """Share passed, 0..1."""
        return self.passed / self.total if self.total else 0.0


def utc_now() -> dt.datetime:
    """The present moment."""
    return dt.datetime.now(dt.UTC)


class Runs:
    """Runs of one store, for whoever the caller has checked."""

    def __init__(self, engine: sa.Engine, now: Callable[[], dt.datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now

    def get(self, id: str) -> RunRecord:
        """One run. Raises BadInput("no-such-run")."""
        with self._engine.connect() as db:
            row = db.execute(sa.select(runs).where(runs.c.id == id)).one_or_none()
        if row is None:
            raise BadInput("no-such-run", id=id[:40])
        return _run(row)

    def of(self, agent: str, limit: int = 20) -> list[RunRecord]:
        """Runs of an agent, newest first."""
        query = sa.select(runs).where(runs.c.agent == agent)
        query = query.order_by(runs.c.started.desc(), runs.c.id).limit(limit)
        with self._engine.connect() as db:
            return [_run(row) for row in db.execute(query)]

    def results(self, id: str) -> list[Result]:
        """What a run has found so far, in the order of its cases."""
        query = sa.select(results).where(results.c.run == id).order_by(results.c.number)
        with self._engine.connect() as db:
            return [result_of(row.detail) for row in db.execute(query)]

    def before(self, run: RunRecord) -> RunRecord | None:
        """The finished run of the same agent and kind before this one."""
        query = (
            sa.select(runs)
            .where(
                runs.c.agent == run.agent,
                runs.c.which == run.which,
                runs.c.state == "done",
                runs.c.started < run.started,
            )
            .order_by(runs.c.started.desc())
            .limit(1)
        )
        with self._engine.connect() as db:
            row = db.execute(query).one_or_none()
        return _run(row) if row else None

    def summary(self, found: Iterable[Result]) -> Summary:
        """Figures over some results; costs are read from their traces."""
        found = list(found)
        ids = [trace for result in found for trace in result.traces]
        with self._engine.connect() as db:
            cost = db.scalar(
                sa.select(sa.func.coalesce(sa.func.sum(traces.c.cost), 0)).where(
                    traces.c.trace_id.in_(ids[:500])
                )
            )
        times = sorted(result.seconds for result in found)
        return Summary(
            sum(result.passed for result in found),
            len(found),
            sum(result.flaky for result in found),
            sum(result.tokens for result in found),
            float(cost or 0) / 1_000_000,
            times[len(times) // 2] if times else 0.0,
        )

    def _insert(self, values: Mapping[str, Any]) -> None:
        with self._engine.begin() as db:
            db.execute(sa.insert(runs), dict(values))

    def _keep(self, run: str, number: int, result: Result, done: int) -> None:
        values = {
            "run": run,
            "case": result.case,
            "number": number,
            "passed": result.passed,
            "detail": asdict(result),
        }
        with self._engine.begin() as db:
            db.execute(sa.insert(results), values)
            most = sa.func.max(runs.c.done, done) if db.dialect.name == "sqlite" else done
            db.execute(sa.update(runs).where(runs.c.id == run).values(done=most))

    def _end(self, run: str, state: str, code: str) -> None:
        with self._engine.begin() as db:
            db.execute(
                sa.update(runs)
                .where(runs.c.id == run)
                .values(state=state, error=code, ended=self._now())
            )


def result_of(detail: Mapping[str, Any]) -> Result:
    """A stored result."""
    values = dict(detail)
    values["checks"] = tuple(Check(**check) for check in values["checks"])
    for name in ("steps", "traces"):
        values[name] = tuple(values.get(name, ()))
    return Result(**values)


def _run(row: Any) -> RunRecord:
    return RunRecord(
        row.id, row.agent, row.content, row.by, row.role, row.which, row.repeats, row.state,
        row.done, row.total, row.model, row.error, aware(row.started),
        aware(row.ended) if row.ended else None,
    )  # fmt: skip
