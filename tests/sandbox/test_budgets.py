"""Budgets in the running product: reserved before each model call, settled after it."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from guardrails.actor import Actor, pseudonym
from guardrails.budgets import Budget, Budgets, Use, renews
from sandbox.events import Delta
from tests.house import House, house
from tests.upstream import Say
from ui.faults import worded
from ui.routes.chat import notice, whole

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def someone(request: pytest.FixtureRequest) -> Actor:
    """A person nobody has used a budget of."""
    return Actor(f"u_{abs(hash(request.node.name)) % 10**8}", "sales", frozenset({"staff"}))


def limit(home: House, actor: Actor, most: int, unit: str = "tokens") -> Budget:
    person = pseudonym(home.app.keys, actor.id)
    budget = Budget("person", person, unit, "day", most)  # type: ignore[arg-type]
    home.app.budgets.set(budget)
    return budget


def use(home: House, budget: Budget) -> Use:
    (found,) = [one for one in home.app.budgets.uses() if one.budget == budget]
    return found


async def test_a_call_is_settled_with_what_it_really_used(home: House, someone: Actor) -> None:
    budget = limit(home, someone, 5_000)
    home.script(Say("Hello there", usage=(40, 2)))
    assert (await home.send(someone, "Hello")).status == "done"
    assert (use(home, budget).used, use(home, budget).reserved) == (42, 0)


@pytest.mark.parametrize("count", [-40, 10**30])
async def test_a_count_that_cannot_be_is_not_believed(
    home: House, someone: Actor, count: int
) -> None:
    budget = limit(home, someone, 5_000)
    home.script(Say("Hello there", usage=(count, 2)))
    assert (await home.send(someone, "Hello")).status == "done"
    assert 0 < use(home, budget).used < 5_000
    assert use(home, budget).reserved == 0


async def test_a_used_up_budget_is_a_refusal_before_anything_leaves(
    home: House, someone: Actor
) -> None:
    limit(home, someone, 10)
    home.script(Say("must not be asked"))
    reply = await home.send(someone, "Hello")
    assert (reply.status, reply.error) == ("blocked", "budget-used-up")
    assert home.upstream.bodies == []
    assert ("event", "model.call", "deny", "BU-01") in home.acts(reply.trace_id)
    (told,) = [one for one in reply.notices if one.key == "notice.budget-used-up"]
    english, french = (str(notice(told, language)["text"]) for language in ("en", "fr"))
    assert "your own budget (tokens)" in english and "administrator" in english
    assert "votre budget (jetons)" in french
    assert str(told.data["renews"]) in english
    assert "your own budget" in str(whole(reply, "en")["message"])


async def test_two_calls_at_once_cannot_both_take_the_last_tokens(
    home: House, someone: Actor
) -> None:
    budget = limit(home, someone, 1, "calls")
    home.script(Say("slow " * 5, delay=0.1))

    async def send() -> str:
        agent = home.app.catalog.get("email-drafter", someone.id).spec
        last = None
        async for event in home.app.sessions.send(actor=someone, agent=agent, text="Hello"):
            last = event
        return str(last.status)  # type: ignore[union-attr]

    assert sorted(await asyncio.gather(send(), send(), send())) == ["blocked", "blocked", "done"]
    assert (use(home, budget).used, use(home, budget).reserved) == (1, 0)


@pytest.mark.parametrize("say", [Say(status=429), Say(status=500), Say(fault="not-json")])
async def test_a_call_that_failed_costs_nothing(home: House, someone: Actor, say: Say) -> None:
    budget = limit(home, someone, 5_000)
    home.script(say)
    assert (await home.send(someone, "Hello")).status == "failed"
    assert (use(home, budget).used, use(home, budget).reserved) == (0, 0)


async def test_an_answer_that_was_stopped_costs_about_what_arrived(
    home: House, someone: Actor
) -> None:
    budget = limit(home, someone, 50_000)
    home.script(Say("word " * 200, delay=0.05))
    agent = home.app.catalog.get("email-drafter", someone.id).spec
    async for event in home.app.sessions.send(actor=someone, agent=agent, text="Tell me"):
        if isinstance(event, Delta):
            await home.app.sessions.stop(next(iter(home.app.sessions.running)))
    now = use(home, budget)
    assert now.reserved == 0
    assert 0 < now.used < 5_000


async def test_a_call_that_was_stopped_before_a_word_came_costs_what_was_sent(
    home: House, someone: Actor
) -> None:
    budget, calls = limit(home, someone, 50_000), limit(home, someone, 9, "calls")
    home.script(Say("late", first_delay=60.0))
    sending = asyncio.create_task(home.send(someone, "Tell me"))
    while not home.upstream.bodies:
        await asyncio.sleep(0.02)
    await home.app.sessions.stop(next(iter(home.app.sessions.running)))
    assert (await sending).status == "stopped"
    assert (use(home, calls).used, use(home, calls).reserved) == (1, 0)
    assert 0 < use(home, budget).used < 5_000


async def test_what_is_being_reserved_when_a_turn_is_stopped_is_given_back(
    home: House, someone: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    class Slow(Budgets):
        def reserve(self, *given: Any, **more: Any) -> str:
            asked.set()
            go_on.wait(60)
            return super().reserve(*given, **more)

    budget = limit(home, someone, 50_000)
    monkeypatch.setattr(home.app.sessions.broker, "budgets", Slow(home.app.engine))
    home.script(Say("must not be asked"))
    sending = asyncio.create_task(home.send(someone, "Tell me"))
    assert await asyncio.to_thread(asked.wait, 60)
    await home.app.sessions.stop(next(iter(home.app.sessions.running)))
    await asyncio.sleep(0)  # the turn hears of it
    go_on.set()
    assert (await sending).status == "stopped"
    assert home.upstream.bodies == []
    assert (use(home, budget).used, use(home, budget).reserved) == (0, 0)


async def test_a_failed_guard_keeps_nothing_reserved(
    home: House, someone: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_request: object) -> object:
        raise RuntimeError("engine is gone")

    budget = limit(home, someone, 50_000)
    monkeypatch.setattr(home.app.policy, "decide", broken)
    home.script(Say("must not be asked"))
    with pytest.raises(RuntimeError):
        await home.send(someone, "Hello")
    assert home.upstream.bodies == []
    assert use(home, budget).reserved == 0


async def test_what_a_crash_left_reserved_is_free_at_the_next_start(tmp_path: Path) -> None:
    alice = Actor("u_alice", "sales")
    async with house(tmp_path) as first:
        first.app.budgets.set(Budget("department", "sales", "calls", "day", 1))
        first.app.budgets.reserve(alice, "email-drafter", {"calls": 1})  # and then it died
    async with house(tmp_path) as second:
        second.script(Say("Hello."))
        assert (await second.send(alice, "Hello")).status == "done"


async def test_a_budget_is_full_again_on_the_next_day_or_month() -> None:
    at = 1_798_675_200.0  # 2026-12-31
    assert (renews("day", at), renews("month", at)) == ("2027-01-01", "2027-01-01")
    assert renews("month", at - 40 * 86_400) == "2026-12-01"


async def test_a_budget_has_words_for_the_error_too() -> None:
    from guardrails.errors import PolicyDenied

    error = PolicyDenied(
        "budget-used-up", scope="budget.scope.agent", unit="budget.unit.cost", renews="2026-12-01"
    )
    assert "le budget de cet agent (coût)" in worded(error, "fr")
