"""What would these rules have done? On past traces and on what-ifs. Changes nothing."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from guardrails.actor import Actor
from guardrails.audit.search import Traces
from guardrails.audit.trace_rows import TraceFilter, TraceRow
from guardrails.findings import Outcome
from guardrails.policy.engine import Engine, ModelFacts, PolicySet, Request, ToolFacts
from guardrails.policy.known import CLASSES, LOCATIONS, ROLES

MOST = 5_000  # past traces looked at
_CHANGED_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Change:
    """One past turn that would have ended otherwise."""

    trace_id: str
    person: str
    agent: str
    before: Outcome
    after: Outcome
    rule: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The result: "would have blocked `blocked` turns of `people` people; `agents` would stop
    working" (every turn of theirs is denied). `allowed` turns would no longer be denied."""

    looked_at: int
    blocked: int
    asked: int
    allowed: int
    people: int
    agents: tuple[str, ...]
    rules: Mapping[str, int]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One what-if: a data class with a model or a tool."""

    data_class: str
    what: str
    outcome: Outcome
    rule: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One what-if by both sets: may this role use a model in this place with this data class?

    `rule` is the proposed set's.
    """

    role: str
    data_class: str
    place: str
    before: Outcome
    after: Outcome
    rule: str


def rehearse(
    traces: Traces,
    current: Engine,
    proposed: PolicySet,
    *,
    filter: TraceFilter | None = None,
    most: int = MOST,
    seen: Callable[[int], None] = lambda _: None,
) -> Rehearsal:
    """Decide up to `most` past traces (newest first) by both sets and compare.

    `seen` is told how many have been looked at, now and then.

    A trace keeps the model, data class, findings and tools of a turn, not the person's roles: a
    staff member of the same department is assumed.
    """
    trial = Engine(policies=proposed)
    changes: list[Change] = []
    after_by_agent: dict[str, list[Outcome]] = {}
    before_by_agent: dict[str, list[Outcome]] = {}
    looked_at = 0
    for row in _recent(traces, filter or TraceFilter(), most):
        looked_at += 1
        if looked_at % 100 == 0:
            seen(looked_at)
        requests = as_requests(row)
        before = _strictest(current, requests)
        after = _strictest(trial, requests)
        before_by_agent.setdefault(row.agent, []).append(before[0])
        after_by_agent.setdefault(row.agent, []).append(after[0])
        if before[0] != after[0]:
            changes.append(
                Change(row.trace_id, row.person, row.agent, before[0], after[0], after[1])
            )
    stopped = tuple(
        sorted(
            agent
            for agent, outcomes in after_by_agent.items()
            if all(o == "deny" for o in outcomes)
            and any(o != "deny" for o in before_by_agent[agent])
        )
    )
    blocked = [c for c in changes if c.after == "deny"]
    return Rehearsal(
        looked_at,
        len(blocked),
        sum(c.after == "ask" for c in changes),
        sum(c.before == "deny" for c in changes),
        len({c.person for c in blocked}),
        stopped,
        dict(Counter(c.rule for c in changes)),
        tuple(changes[:_CHANGED_SHOWN]),
    )


def matrix(
    policies: PolicySet,
    models: Iterable[ModelFacts],
    tools: Iterable[ToolFacts],
    *,
    actor: Actor,
    kinds: frozenset[str] = frozenset(),
) -> tuple[Cell, ...]:
    """Every data class with every model and tool."""
    engine = Engine(policies=policies)
    cells: list[Cell] = []
    for data_class, model in itertools.product(CLASSES, models):
        request = Request("model.call", actor, data_class=data_class, model=model, kinds=kinds)
        decision = engine.decide(request)
        cells.append(Cell(data_class, model.name, decision.outcome, decision.rule))
    for data_class, tool in itertools.product(CLASSES, tools):
        request = Request("tool.call", actor, data_class=data_class, tool=tool, kinds=kinds)
        decision = engine.decide(request)
        cells.append(Cell(data_class, tool.name, decision.outcome, decision.rule))
    return tuple(cells)


def what_ifs(current: PolicySet, proposed: PolicySet, region: str = "eu") -> tuple[WhatIf, ...]:
    """Every role with every data class and place of a model, before and after.

    `practice` as a place is the practice model; the others are models of a provider.
    """
    before, after = Engine(policies=current), Engine(policies=proposed)
    found: list[WhatIf] = []
    for role, data_class, place in itertools.product(ROLES, CLASSES, ("practice", *LOCATIONS)):
        kind, location = ("practice", "local") if place == "practice" else ("provider", place)
        request = Request(
            "model.call",
            Actor("what-if", "", frozenset({role}), region),
            data_class=data_class,
            model=ModelFacts("what-if/model", kind, location, "what-if"),
        )
        then, now = before.decide(request), after.decide(request)
        found.append(WhatIf(role, data_class, place, then.outcome, now.outcome, now.rule))
    return tuple(found)


def as_requests(row: TraceRow) -> list[Request]:
    """The questions that a past turn asked, as far as its trace tells."""
    actor = Actor(row.person, row.department, frozenset({"staff"}))
    model = ModelFacts(row.model, row.model_kind or "provider", row.location)
    kinds = frozenset(row.kinds)
    data_class = row.data_class or "internal"
    return [
        Request("model.call", actor, row.agent, data_class, model, kinds=kinds),
        *(
            Request(
                "tool.call", actor, row.agent, data_class, model,
                ToolFacts(tool, "reads", frozenset(row.tools)),
            )
            for tool in row.tools
        ),
    ]  # fmt: skip


def _strictest(engine: Engine, requests: list[Request]) -> tuple[Outcome, str]:
    order: dict[Outcome, int] = {"deny": 0, "ask": 1, "allow": 2}
    decisions = [engine.decide(request) for request in requests]
    worst = min(decisions, key=lambda decision: order[decision.outcome])
    return worst.outcome, worst.rule


def _recent(traces: Traces, filter: TraceFilter, most: int) -> Iterable[TraceRow]:
    cursor: str | None = None
    left = most
    while left > 0:
        page = traces.page(filter, after=cursor, limit=min(200, left))
        yield from page.rows
        left -= len(page.rows)
        cursor = page.next
        if cursor is None:
            return
