"""Agents that need natural text: the model sees invented people, everything else placeholders."""

import asyncio
import json

import pytest

from agents.catalog import templates
from agents.spec import AgentSpec
from guardrails.actor import Actor
from tests.house import House
from tests.upstream import Say

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = "Write to Claire Fontaine (claire.fontaine@example.com, 06 12 34 56 78): we meet on Monday."
PRIVATE = ("Claire", "Fontaine", "claire.fontaine@example.com", "06 12 34 56 78", "0612345678")


def natural_agent(*tools: str) -> AgentSpec:
    update = {"pseudonyms": "surrogates", "tools": tools}
    return templates()["email-drafter"].model_copy(update=update)


def seen(house: House) -> str:
    """The person's message as the model got it."""
    return str(json.loads(house.upstream.bodies[-1])["messages"][-1]["content"])


async def test_the_model_sees_a_name_and_the_person_gets_the_right_one_back(
    home: House, marie: Actor
) -> None:
    home.script(Say("Noted."))
    first = await home.send(marie, TEXT, natural_agent())
    asked = seen(home)
    assert "PERSON_1" not in asked
    assert not any(value in home.received for value in PRIVATE)
    name = asked.removeprefix("Write to ").partition(" (")[0]
    assert len(name.split()) == 2
    home.script(Say(f"Dear {name}, dear {name.split()[0]}: see you on Monday."))
    reply = await home.send(
        marie, "And now the draft", natural_agent(), conversation=first.conversation
    )
    # the same stand-in in the history, and the real name for the person
    assert name in home.received
    assert not any(value in home.received for value in PRIVATE)
    assert reply.text == "Dear Claire Fontaine, dear Claire Fontaine: see you on Monday."
    assert home.streamed == reply.text


async def test_what_is_kept_holds_placeholders_and_no_invented_name(
    home: House, marie: Actor
) -> None:
    home.script(Say("Noted."))
    await home.send(marie, TEXT, natural_agent())
    name = seen(home).removeprefix("Write to ").partition(" (")[0]
    home.script(Say(f"Dear {name}, see you."))
    reply = await home.send(marie, TEXT, natural_agent())
    assert "<PERSON_1>" in reply.masked_request
    assert await asyncio.to_thread(home.app.spans.flush)
    for file in home.app.settings.home.rglob("*.db*"):
        content = file.read_bytes()
        assert b"Fontaine" not in content, file.name
        assert name.encode() not in content, file.name


async def test_arguments_of_a_tool_come_back_as_the_person_meant_them(
    home: House, marie: Actor
) -> None:
    home.script(Say("", tools=[("calculator", {"expression": "1+1"})]), Say("Two."))
    reply = await home.send(marie, TEXT, natural_agent("calculator"))
    assert reply.text == "Two."
    assert not any(value in home.received for value in PRIVATE)


async def test_agents_see_placeholders_unless_they_ask_for_names(home: House, marie: Actor) -> None:
    home.script(Say("Noted."))
    await home.send(marie, TEXT)
    assert "<PERSON_1>" in seen(home)
