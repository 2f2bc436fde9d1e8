"""A tool that needs a person: pause, ask, restart, yes, no, too late. All real but the model.

Python on restricted data asks by rule TL-03; a rule of the test's own names other approvers.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa

from agents.catalog import templates
from agents.spec import AgentSpec
from guardrails.actor import Actor, pseudonym
from guardrails.errors import BadInput, LedgerUnavailable, NotPermitted
from guardrails.policy.approvals import Approval as Asked
from guardrails.policy.approvals import approver_of
from guardrails.policy.engine import Engine, parse
from sandbox.events import Approval, Delta, Event, Reply
from sandbox.paused import paused_turns
from tests.house import House, house
from tests.upstream import Say

pytestmark = pytest.mark.asyncio(loop_scope="module")

CODE = "print(6 * 7)"
CALL: tuple[str, dict[str, object]] = ("python", {"code": CODE})
ASK = "What is 6 times 7? Tell Claire Fontaine."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A house that takes nothing up by itself: the tests say when."""
    async with house(tmp_path_factory.mktemp("home"), recover=False) as one:
        yield one


@pytest.fixture(autouse=True)
def local(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Restricted data may go to a local model only."""
    monkeypatch.setattr(home.app.models, "_location", "local")


def restricted(*tools: str) -> AgentSpec:
    change = {"tools": tools or ("python", "calculator"), "data_class": "restricted"}
    return templates()["email-drafter"].model_copy(update=change)


def person(home: House, actor: Actor) -> str:
    return pseudonym(home.app.keys, actor.id)


def waiting(home: House, reply: Reply) -> list[Asked]:
    return home.app.approvals.waiting(conversation=reply.conversation)


@contextlib.contextmanager
def rules(home: House, change: Callable[[str], str]) -> Iterator[None]:
    """Other rules in force for a while."""
    engine = home.app.policy
    source, product = engine._source, engine.policies
    other = parse(change(product.text), product.schema_text)
    engine.follow(lambda: other)
    engine.activate(other)
    try:
        yield
    finally:
        engine._source = source
        engine.activate(product)


def decide(home: House, asked: str, yes: bool, by: Actor) -> None:
    home.app.approvals.decide(
        asked, yes, by=person(home, by), roles=by.roles, department=by.department
    )


async def gone_on(home: House, reply: Reply) -> Reply:
    """The rest of a turn after its approval was decided."""
    events: list[Event] = []
    for turn, conversation, _ in home.app.sessions.paused.all(reply.conversation):
        await home.app.sessions.go_on(turn, conversation)
    events = [event async for event in home.app.sessions.follow(reply.conversation)]
    last = events[-1]
    assert isinstance(last, Reply)
    return last


async def test_a_tool_that_needs_a_yes_pauses_the_turn_and_shows_what_it_will_do(
    home: House, marie: Actor
) -> None:
    home.script(Say("Let me compute.", tools=[CALL]), Say("It is 42, <PERSON_1>."))
    reply = await home.send(marie, ASK, restricted())
    assert reply.status == "waiting"
    (asked,) = [event for event in home.events if isinstance(event, Approval)]
    assert (asked.tool, asked.payload, asked.approver) == ("python", {"code": CODE}, "self")
    assert reply.approvals == (asked,)
    assert ("outcome", "turn", "ask", "") in home.acts(reply.trace_id)
    assert not any(kind == "tool.call" for _, kind, _, _ in home.acts(reply.trace_id))
    (kept,) = waiting(home, reply)
    assert (kept.id, kept.rule, kept.state) == (asked.id, "TL-03", "pending")

    decide(home, asked.id, True, marie)
    end = await gone_on(home, reply)
    assert (end.status, end.text) == ("done", "It is 42, Claire Fontaine.")
    assert ("outcome", "tool.call", "allow") in {act[:3] for act in home.acts(end.trace_id)}
    names = [step.name for step in end.steps]
    assert names.index("approval") < names.index("python")
    messages = home.app.conversations.messages(reply.conversation, marie.id)
    assert [m.role for m in messages] == ["user", "assistant"]
    assert messages[1].text == "It is 42, <PERSON_1>."
    assert messages[1].extra["status"] == "done"
    assert home.app.sessions.paused.all(reply.conversation) == []
    told = json.loads(home.upstream.bodies[-1])["messages"]
    assert [m["role"] for m in told] == ["system", "user", "assistant", "tool"]
    assert "42" in told[-1]["content"]
    assert len(home.upstream.bodies) == 2


@pytest.mark.parametrize("late", [False, True], ids=["rejected", "expired"])
async def test_a_no_is_told_to_the_agent_which_finishes_without(
    home: House, marie: Actor, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    home.script(Say(tools=[CALL]), Say("I did not compute it."))
    reply = await home.send(marie, ASK, restricted())
    (asked,) = waiting(home, reply)
    if late:
        monkeypatch.setattr(home.app.approvals, "_clock", lambda: asked.expires + 1)
    else:
        decide(home, asked.id, False, marie)
    end = await gone_on(home, reply)
    assert (end.status, end.text) == ("done", "I did not compute it.")
    rule = "approval-expired" if late else "approval-rejected"
    assert ("event", "tool.call", "deny", rule) in home.acts(end.trace_id)
    assert f"notice.{rule}" in [notice.key for notice in end.notices]
    assert "was not done" in json.loads(home.upstream.bodies[-1])["messages"][-1]["content"]


async def test_what_was_approved_is_done_and_nothing_else(home: House, marie: Actor) -> None:
    other: tuple[str, dict[str, object]] = ("python", {"code": "print('something else')"})
    home.script(Say(tools=[CALL]), Say(tools=[other]), Say("Done."))
    reply = await home.send(marie, ASK, restricted())
    (asked,) = waiting(home, reply)
    decide(home, asked.id, True, marie)
    again = await gone_on(home, reply)
    assert again.status == "waiting"  # other code is another question
    (second,) = waiting(home, reply)
    assert second.payload == {"code": "print('something else')"}
    assert not home.app.approvals.use(asked.id)  # a yes counts once
    decide(home, second.id, True, marie)
    assert (await gone_on(home, reply)).text == "Done."
    messages = home.app.conversations.messages(reply.conversation, marie.id)
    assert len(messages) == 2


async def test_two_approvals_of_one_step_are_decided_one_by_one(home: House, marie: Actor) -> None:
    second: tuple[str, dict[str, object]] = ("python", {"code": "print('two')"})
    done: tuple[str, dict[str, object]] = ("calculator", {"expression": "1+1"})
    home.script(Say(tools=[CALL, done, second]), Say("All done."))
    reply = await home.send(marie, ASK, restricted())
    first, other = waiting(home, reply)
    decide(home, first.id, True, marie)
    ((turn, conversation, _),) = home.app.sessions.paused.all(reply.conversation)
    assert not await home.app.sessions.go_on(turn, conversation)  # the other one still waits
    decide(home, other.id, False, marie)
    end = await gone_on(home, reply)
    assert end.text == "All done."
    told = json.loads(home.upstream.bodies[-1])["messages"]
    results = [m["content"] for m in told if m["role"] == "tool"]
    assert len(results) == 3
    assert "42" in results[0] and results[1] == "1+1 = 2" and "was not done" in results[2]
    # what was done before the pause was not done again
    acts = [*home.acts(reply.trace_id), *home.acts(end.trace_id)]
    assert [a for a in acts if a[:3] == ("outcome", "tool.call", "allow")].__len__() == 2


async def test_decisions_at_the_same_moment_run_the_act_once(home: House, marie: Actor) -> None:
    home.script(Say(tools=[CALL]), Say("Once."))
    reply = await home.send(marie, ASK, restricted())
    (asked,) = waiting(home, reply)

    async def yes() -> bool:
        try:
            await asyncio.to_thread(decide, home, asked.id, True, marie)
        except BadInput as error:
            assert error.code == "approval-over"
            return False
        return True

    assert sorted(await asyncio.gather(yes(), yes(), yes())) == [False, False, True]
    ((turn, conversation, _),) = home.app.sessions.paused.all(reply.conversation)
    went = await asyncio.gather(*(home.app.sessions.go_on(turn, conversation) for _ in range(3)))
    assert sorted(went) == [False, False, True]
    end = await gone_on(home, reply)
    assert end.text == "Once."
    done = [a for a in home.acts(end.trace_id) if a[:2] == ("intent", "tool.call")]
    assert len(done) == 1


@pytest.mark.parametrize("approver", ["colleague", "security"])
async def test_where_another_person_must_approve_nobody_approves_their_own(
    home: House, marie: Actor, approver: str
) -> None:
    named = f'@id("TL-03")\n@approver("{approver}")'
    with rules(home, lambda text: text.replace('@id("TL-03")', named)):
        home.script(Say(tools=[CALL]), Say("It is 42."))
        reply = await home.send(marie, ASK, restricted())
    (asked,) = waiting(home, reply)
    assert reply.approvals[0].approver == approver
    stranger = Actor("u_stranger", "legal", frozenset({"staff"}))
    right = {
        "colleague": Actor("u_colleague", "sales", frozenset({"staff"})),
        "security": Actor("u_officer", "security", frozenset({"security"})),
    }
    both = Actor(marie.id, marie.department, marie.roles | {"security"})
    for wrong, code in ((marie, "self-approval"), (both, "self-approval"), (stranger, "not-app")):
        with pytest.raises(NotPermitted, match=code):
            decide(home, asked.id, True, wrong)
    assert waiting(home, reply)
    decide(home, asked.id, True, right[approver])
    assert (await gone_on(home, reply)).text == "It is 42."


async def test_a_turn_that_waits_outlives_the_server(tmp_path: Path) -> None:
    marie = Actor("u_marie", "sales", frozenset({"staff"}))
    async with house(tmp_path, model_location="local") as first:
        first.script(Say(tools=[CALL]), Say("must not be asked here"))
        reply = await first.send(marie, ASK, restricted())
        assert reply.status == "waiting"
        with first.app.engine.connect() as db:
            sealed = db.execute(sa.select(paused_turns.c.sealed)).scalar_one()
        assert b"print" not in sealed and b"Fontaine" not in sealed
    async with house(tmp_path, recover=False, model_location="local") as second:
        second.script(Say("It is 42, <PERSON_1>."))
        (asked,) = waiting(second, reply)
        decide(second, asked.id, True, marie)
        end = await gone_on(second, reply)
        assert (end.status, end.text) == ("done", "It is 42, Claire Fontaine.")
        assert len(second.upstream.bodies) == 1


async def test_a_decision_that_the_server_did_not_live_to_carry_out_is_carried_out_later(
    tmp_path: Path,
) -> None:
    marie = Actor("u_marie", "sales", frozenset({"staff"}))
    async with house(tmp_path, model_location="local") as first:
        first.script(Say(tools=[CALL]))
        reply = await first.send(marie, ASK, restricted())
        (asked,) = waiting(first, reply)
        decide(first, asked.id, True, marie)  # and then it died
    async with house(tmp_path, model_location="local") as second:
        second.script(Say("It is 42."))
        for _ in range(200):
            kept = second.app.conversations.messages(reply.conversation, marie.id)[-1]
            if kept.extra["status"] == "done":
                break
            await asyncio.sleep(0.1)
        assert kept.text == "It is 42."


async def test_a_server_that_stops_in_the_middle_goes_on_at_the_next_start(
    tmp_path: Path,
) -> None:
    marie = Actor("u_marie", "sales", frozenset({"staff"}))
    async with house(tmp_path, model_location="local") as first:
        first.script(Say(tools=[CALL]), Say("word " * 200, delay=0.1))
        reply = await first.send(marie, ASK, restricted())
        (asked,) = waiting(first, reply)
        decide(first, asked.id, True, marie)
        ((turn, conversation, _),) = first.app.sessions.paused.all()
        await first.app.sessions.go_on(turn, conversation)
        async for event in first.app.sessions.follow(conversation):
            if isinstance(event, Delta):
                break  # the approved tool has run, the answer is under way
    async with house(tmp_path, model_location="local") as second:
        second.script(Say("It is 42."))
        for _ in range(200):
            kept = second.app.conversations.messages(reply.conversation, marie.id)[-1]
            if kept.extra["status"] != "waiting":
                break
            await asyncio.sleep(0.1)
        assert (kept.text, kept.extra["status"]) == ("It is 42.", "done")
        # the tool ran once: its result was kept
        assert not any(kind == "tool.call" for _, kind, _, _ in second.acts(kept.trace_id))
        assert "42" in json.loads(second.upstream.bodies[-1])["messages"][-1]["content"]


async def test_a_question_that_cannot_be_recorded_is_not_asked(
    home: House, marie: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_act: object) -> int:
        raise LedgerUnavailable(why="disk")

    home.script(Say(tools=[CALL]))
    monkeypatch.setattr(home.app.ledger, "record", refuse)
    reply = await home.send(marie, ASK, restricted())
    assert (reply.status, reply.error) == ("blocked", "ledger-unavailable")
    assert waiting(home, reply) == []


async def test_a_rule_that_came_meanwhile_holds_for_what_was_approved_before(
    home: House, marie: Actor
) -> None:
    home.script(Say(tools=[CALL]), Say("I may not."))
    reply = await home.send(marie, ASK, restricted())
    (asked,) = waiting(home, reply)
    decide(home, asked.id, True, marie)
    no = '@id("MY-01")\nforbid (principal, action == Action::"tool.call", resource);'
    with rules(home, lambda text: f"{text}\n{no}"):
        end = await gone_on(home, reply)
    assert ("event", "tool.call", "deny", "MY-01") in home.acts(end.trace_id)
    assert end.text == "I may not."


async def test_a_waiting_turn_that_was_changed_from_outside_does_not_run(
    home: House, marie: Actor
) -> None:
    home.script(Say(tools=[CALL]), Say("must not be asked"))
    reply = await home.send(marie, ASK, restricted())
    (asked,) = waiting(home, reply)
    decide(home, asked.id, True, marie)
    ((turn, conversation, _),) = home.app.sessions.paused.all(reply.conversation)
    with home.app.engine.begin() as db:
        db.execute(
            sa.update(paused_turns).where(paused_turns.c.id == turn).values(sealed=b"x" * 64)
        )
    home.upstream.bodies.clear()
    await home.app.sessions.go_on(turn, conversation)
    async for _event in home.app.sessions.follow(conversation):
        pass
    assert home.upstream.bodies == []
    kept = home.app.conversations.messages(conversation, marie.id)[-1]
    assert (kept.extra["status"], kept.extra["error"]) == ("failed", "run-ended")
    assert home.app.sessions.paused.all(conversation) == []


async def test_deleting_a_conversation_withdraws_what_waits_in_it(
    home: House, marie: Actor
) -> None:
    home.script(Say(tools=[CALL]))
    reply = await home.send(marie, ASK, restricted())
    (asked,) = waiting(home, reply)
    home.app.sessions.forget(reply.conversation)
    home.app.conversations.delete(reply.conversation, marie.id)
    assert home.app.approvals.get(asked.id).state == "withdrawn"
    assert home.app.sessions.paused.all(reply.conversation) == []


async def test_the_strictest_approver_that_a_rule_names_counts() -> None:
    product = Engine().policies
    text = product.text.replace('@id("TL-02")', '@id("TL-02") @approver("colleague")')
    named = parse(text.replace('@id("TL-03")', '@id("TL-03")\n@approver("security")'),
                  product.schema_text)  # fmt: skip
    assert approver_of(named, ["TL-02"]) == "colleague"
    assert approver_of(named, ["TL-02", "TL-03"]) == "security"
    assert approver_of(product, ["TL-02", "TL-03", "TL-01"]) == "person"


class Liar:
    """A sealed process that says it waits, though nobody was asked."""

    async def send(self, _frame: object) -> None: ...

    async def receive(self, _timeout: float | None = None) -> dict[str, object]:
        return {"t": "paused"}

    def discard(self) -> None: ...


async def test_a_sealed_process_that_only_says_that_it_waits_is_ended(
    home: House, marie: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def take(*_given: object) -> Liar:
        return Liar()

    home.script(Say("must not be asked"))
    monkeypatch.setattr(home.app.pool, "take", take)
    reply = await home.send(marie, "Hello", restricted())
    assert (reply.status, reply.error) == ("failed", "frame-refused")
    assert home.app.sessions.paused.all(reply.conversation) == []


async def test_a_look_up_before_the_model_does_not_wait_for_a_person(
    home: House, marie: Actor
) -> None:
    ask = '@id("MY-02")\npermit (principal, action == Action::"duty.ask", resource) '
    ask += 'when { context.tool == "search_documents" && !context.approved };'
    home.script(Say("must not be asked"))
    with rules(home, lambda text: f"{text}\n{ask}"):
        reply = await home.send(marie, "How many days can I carry over?", "hr-policy-helper")
    assert (reply.status, reply.error_data["rule"]) == ("blocked", "MY-02")
    assert waiting(home, reply) == []
