"""The state of a turn that waits, as JSON and back. Masked texts only; nothing of the vault."""

import json
import time
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict

from agents.spec import AgentSpec
from agents.tools.base import Cited
from guardrails.actor import Actor
from guardrails.screen import Screen
from sandbox.broker.arguments import cleaned
from sandbox.broker.run import Done, Purpose, Run, StepVerdict
from sandbox.events import Artefact, Notice, Step


class State(BaseModel):
    """What a turn needs to go on elsewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    actor: dict[str, Any]
    agent: dict[str, Any]
    language: str
    messages: list[dict[str, Any]]
    results: list[dict[str, Any]]
    masked: str
    notices: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    artefacts: list[dict[str, Any]]
    called: list[str]
    kinds: list[str]
    model_calls: int
    tool_calls: int
    tokens: int
    cost: float
    model: str
    model_kind: str
    verdict: StepVerdict
    rule: str
    elapsed_ms: float
    trace_id: str
    earlier: list[dict[str, Any]] = []
    use: Purpose = "chat"

    @property
    def person(self) -> Actor:
        """For whom the turn runs."""
        given = dict(self.actor)
        return Actor(**{**given, "roles": frozenset(given["roles"])})

    @property
    def spec(self) -> AgentSpec:
        """The agent as it was when the turn began."""
        return AgentSpec.model_validate(self.agent)


def state_of(run: Run, screen: Screen) -> State:
    """What `run` has come to. CPU work: call it in a thread. Raises ScreenFailed."""
    said = cleaned(screen, run, run.said["content"])
    calls = [
        {**call, "arguments": cleaned(screen, run, call["arguments"])}
        for call in run.said["tool_calls"]
    ]
    return State(
        actor={**asdict(run.actor), "roles": sorted(run.actor.roles)},
        agent=run.agent.model_dump(mode="json"),
        language=run.language,
        # the instructions are given anew: they hold this run's canary
        messages=[
            *(_flat(message) for message in run.told if message["role"] != "system"),
            {"role": "assistant", "content": said, "tool_calls": calls},
        ],
        results=[asdict(done) for done in (*run.results, *run.again)],
        masked=run.masked,
        notices=[asdict(one) for one in run.notices if one.kind != "approval"],
        steps=[asdict(one) for one in run.steps],
        sources=[asdict(one) for one in run.sources],
        artefacts=[asdict(one) for one in run.artefacts],
        called=list(run.called),
        kinds=sorted(run.kinds),
        model_calls=run.model_calls,
        tool_calls=run.tool_calls,
        tokens=run.tokens,
        cost=run.cost,
        model=run.model,
        model_kind=run.model_kind,
        verdict=run.verdict,
        rule=run.rule,
        elapsed_ms=run.elapsed_ms(),
        trace_id=run.trace_id,
        earlier=run.earlier,
        use=run.use,
    )


def take_up(run: Run, state: State) -> None:
    """Put `state` into a fresh run of the same turn."""
    run.masked = state.masked
    run.again = [Done(**one) for one in state.results]
    run.notices = [Notice(**one) for one in state.notices]
    run.steps = [Step(**one) for one in state.steps]
    run.sources = [Cited(**one) for one in state.sources]
    run.artefacts = [Artefact(**one) for one in state.artefacts]
    run.called = list(state.called)
    run.kinds = set(state.kinds)
    run.model_calls, run.tool_calls = state.model_calls, state.tool_calls
    run.tokens, run.cost = state.tokens, state.cost
    run.model, run.model_kind = state.model, state.model_kind
    run.verdict, run.rule = state.verdict, state.rule
    run.earlier = list(state.earlier)
    # the pause itself is not counted: its hours would hide how long the work took
    run.started = time.monotonic() - state.elapsed_ms / 1000
    run.told = list(state.messages[:-1])
    run.said = dict(state.messages[-1])


def _flat(message: dict[str, Any]) -> dict[str, Any]:
    """A screened message in the shape of frames: arguments are objects again."""
    flat = dict(message)
    if "tool_calls" in flat:
        flat["tool_calls"] = [
            {
                "id": call["id"],
                "name": call["function"]["name"],
                "arguments": json.loads(call["function"]["arguments"]),
            }
            if "function" in call
            else call
            for call in flat["tool_calls"]
        ]
    return flat
