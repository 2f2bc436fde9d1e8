"""An agent is asked about again at every call, and at most once a second."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from agents.publishing_records import Live
from guardrails.errors import BadInput
from sandbox.broker.standing import Standing


def live(state: Any) -> Live:
    return Live("plan", "ana", "", "1.0.0", "everyone", state, "", dt.datetime.now(dt.UTC))


def run(agent: str = "plan", person: str = "dan") -> Any:
    return SimpleNamespace(
        agent=SimpleNamespace(id=agent),
        actor=SimpleNamespace(id=person),
        judge=lambda verdict, rule: None,
    )


async def test_a_withdrawn_agent_is_refused_to_all_but_its_author() -> None:
    standing = Standing(lambda agent: live("withdrawn"))
    with pytest.raises(BadInput, match="agent-withdrawn"):
        await standing.check(run())
    await standing.check(run(person="ana"))


async def test_the_store_is_asked_once_a_second() -> None:
    asked, now = [], [0.0]

    def current(agent: str) -> Live:
        asked.append(agent)
        return live("live" if now[0] < 5 else "withdrawn")

    standing = Standing(current, lambda: now[0])
    for _ in range(3):
        await standing.check(run())
    assert asked == ["plan"]
    now[0] = 6.0
    with pytest.raises(BadInput, match="agent-withdrawn"):
        await standing.check(run())
    assert asked == ["plan", "plan"]


async def test_templates_and_drafts_stand_without_a_look_at_what_is_live() -> None:
    asked: list[str] = []

    def current(agent: str) -> None:
        asked.append(agent)

    standing = Standing(current)
    await standing.check(run("email-drafter"))
    await standing.check(run("my-draft"))
    assert asked == ["my-draft"]
