"""A conversation's memory: branch, edit and resend, answer again, in short when long."""

import json
from pathlib import Path

import pytest

from guardrails.actor import Actor
from guardrails.errors import BadInput
from sandbox.events import Event, Reply
from sandbox.prompt import HISTORY_CHARACTERS
from tests.house import House
from tests.upstream import Say

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEXT = "Write to Claire Fontaine: we meet on Monday."


async def again(home: House, actor: Actor, conversation: str) -> Reply:
    agent = home.app.catalog.get("email-drafter", actor.id).spec
    turn = home.app.sessions.regenerate(actor=actor, agent=agent, conversation=conversation)
    events: list[Event] = [event async for event in turn]
    last = events[-1]
    assert isinstance(last, Reply)
    return last


def told(home: House) -> list[dict[str, str]]:
    messages: list[dict[str, str]] = json.loads(home.upstream.bodies[-1])["messages"]
    return messages


async def test_a_branch_goes_its_own_way_with_the_same_names(home: House, marie: Actor) -> None:
    home.script(Say("Dear <PERSON_1>, Monday."), Say("Dear <PERSON_1>, at noon."), Say("Yes."))
    first = await home.send(marie, TEXT)
    await home.send(marie, "Add: at noon", conversation=first.conversation)
    branch = home.app.conversations.branch(first.conversation, marie.id, 2)
    assert (branch.parent, branch.parent_message) == (first.conversation, 2)
    reply = await home.send(marie, "Is it Claire Fontaine?", conversation=branch.id)
    assert [m["role"] for m in told(home)] == ["system", "user", "assistant", "user"]
    assert "noon" not in json.dumps(told(home))
    assert "<PERSON_1>" in told(home)[-1]["content"]
    assert reply.status == "done"
    old = home.app.conversations.messages(first.conversation, marie.id)
    new = home.app.conversations.messages(branch.id, marie.id)
    assert (len(old), len(new)) == (4, 4)
    assert home.app.sessions.restore(branch.id, "<PERSON_1>") == "Claire Fontaine"


async def test_an_edited_message_is_sent_to_a_branch_that_ends_before_it(
    home: House, marie: Actor
) -> None:
    home.script(Say("Monday it is."), Say("Tuesday it is."))
    first = await home.send(marie, TEXT)
    branch = home.app.conversations.branch(first.conversation, marie.id, 0)
    reply = await home.send(
        marie, "Write to Claire Fontaine: we meet on Tuesday.", conversation=branch.id
    )
    assert reply.text == "Tuesday it is."
    assert [m["role"] for m in told(home)] == ["system", "user"]
    kept = home.app.conversations.messages(first.conversation, marie.id)
    assert kept[1].text == "Monday it is."


async def test_a_message_that_is_sent_again_keeps_its_files(
    home: House, marie: Actor, tmp_path: Path
) -> None:
    home.script(Say("Read."), Say("Read again."))
    notes = tmp_path / "notes.txt"
    notes.write_text("The workshop is on Monday.")
    first = await home.send(marie, "Sum this up", files={"notes.txt": notes})
    app = home.app
    branch = app.conversations.branch(first.conversation, marie.id, 0)
    spec = app.catalog.get("email-drafter", marie.id).spec
    turn = app.sessions.begin(
        marie,
        spec,
        "Sum this up in French",
        branch.id,
        branch.root,
        kept=("notes.txt", "never-there.txt"),
    )
    await turn.ended()
    asked = app.conversations.messages(branch.id, marie.id)[0]
    assert asked.extra["files"] == ["notes.txt"]
    assert "The workshop is on Monday." in json.dumps(told(home)), "the branch reads it still"


async def test_names_live_until_the_last_branch_is_deleted(home: House, marie: Actor) -> None:
    home.script(Say("Dear <PERSON_1>."))
    first = await home.send(marie, TEXT)
    branch = home.app.conversations.branch(first.conversation, marie.id, 2)
    for conversation, name in ((first.conversation, "Claire Fontaine"), (branch.id, "<PERSON_1>")):
        home.app.sessions.forget(conversation)
        home.app.conversations.delete(conversation, marie.id)
        assert home.app.sessions.restore(branch.id, "<PERSON_1>") in (name, "<PERSON_1>")
    assert home.app.sessions.restore(first.conversation, "<PERSON_1>") == "<PERSON_1>"


@pytest.mark.parametrize("after", [-1, 3, 99])
async def test_a_branch_needs_a_message_that_is_there(
    home: House, marie: Actor, after: int
) -> None:
    home.script(Say("Hello."))
    first = await home.send(marie, "Hello")
    with pytest.raises(BadInput, match="no-such-message"):
        home.app.conversations.branch(first.conversation, marie.id, after)
    with pytest.raises(BadInput, match="conversation-not-found"):
        home.app.conversations.branch(first.conversation, "u_other", 1)


async def test_an_answer_is_written_again_and_the_old_one_is_kept_beside(
    home: House, marie: Actor
) -> None:
    home.script(Say("First, <PERSON_1>."), Say("Second, <PERSON_1>."))
    first = await home.send(marie, TEXT)
    reply = await again(home, marie, first.conversation)
    assert reply.text == "Second, Claire Fontaine."
    assert [m["role"] for m in told(home)] == ["system", "user"]
    assert "Fontaine" not in home.received
    kept = home.app.conversations.messages(first.conversation, marie.id)
    assert [m.text for m in kept][1:] == ["Second, <PERSON_1>."]
    (earlier,) = kept[1].extra["earlier"]
    assert (earlier["text"], earlier["trace_id"]) == ("First, <PERSON_1>.", first.trace_id)


async def test_a_new_answer_that_fails_leaves_the_old_one(home: House, marie: Actor) -> None:
    home.script(Say("First."), Say(status=500))
    first = await home.send(marie, "Hello")
    assert (await again(home, marie, first.conversation)).status == "failed"
    kept = home.app.conversations.messages(first.conversation, marie.id)
    assert [m.text for m in kept][1:] == ["First."]


async def test_what_no_longer_fits_is_summarised_once_and_shown(home: House, marie: Actor) -> None:
    home.script(Say("word " * 400))
    first = await home.send(marie, TEXT)
    conversation = first.conversation
    while True:
        kept = home.app.conversations.messages(conversation, marie.id)
        if sum(len(one.text) for one in kept) > HISTORY_CHARACTERS:
            break
        await home.send(marie, "Go on, and on", conversation=conversation)
    home.script(Say("They write to <PERSON_1> about Monday."), Say("On Monday, <PERSON_1>."))
    reply = await home.send(marie, "When was it?", conversation=conversation)
    assert reply.text == "On Monday, Claire Fontaine."
    assert "They write" not in home.streamed
    assert "notice.summarised" in home.notices
    assert "summary" in [step.name for step in reply.steps]
    asked, answered = (json.loads(body)["messages"] for body in home.upstream.bodies)
    assert "minutes" in asked[0]["content"]
    assert "They write to <PERSON_1>" in answered[1]["content"]
    assert sum(len(m["content"]) for m in answered) < HISTORY_CHARACTERS * 1.5
    assert "Fontaine" not in home.received
    calls = [a for a in home.acts(reply.trace_id) if a[:2] == ("intent", "model.call")]
    assert len(calls) == 2  # the summary is an act like any other
    home.script(Say("Still Monday."))
    await home.send(marie, "Sure?", conversation=conversation)
    assert len(home.upstream.bodies) == 1
    assert "They write to <PERSON_1>" in told(home)[1]["content"]


async def test_a_summary_that_fails_leaves_the_beginning_out(home: House, marie: Actor) -> None:
    home.script(Say(" ".join(f"word{n}" for n in range(600))))
    first = await home.send(marie, "Begin")
    for _ in range(2):
        await home.send(marie, "Go on", conversation=first.conversation)
    home.script(Say(status=500), Say("Here."))
    reply = await home.send(marie, "And now?", conversation=first.conversation)
    assert (reply.status, reply.text) == ("done", "Here.")
    assert "notice.history-cut" in home.notices


async def test_words_are_found_in_ones_own_conversations_only(home: House, marie: Actor) -> None:
    home.script(Say("The canteen closes when it is 100 % full."))
    first = await home.send(marie, "Tell me")
    assert "canteen" in first.text
    found = [one.id for one in home.app.conversations.search(marie.id, "CANTEEN")]
    assert found == [first.conversation]
    assert home.app.conversations.search(marie.id, "100 %")[0].id == first.conversation
    assert home.app.conversations.search(marie.id, "1_0") == []
    assert home.app.conversations.search("u_other", "canteen") == []
