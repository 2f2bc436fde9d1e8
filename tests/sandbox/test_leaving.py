"""What leaves the house through a tool, and what stays behind when a conversation goes."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import sqlalchemy as sa

from agents.catalog import templates
from agents.spec import AgentSpec, Text
from guardrails.actor import Actor
from guardrails.vault_store import vault_entries
from tests.house import House, house
from tests.sandbox.broker.test_sources import API, service
from tests.ui.api_client import client, served
from tests.upstream import Say

pytestmark = pytest.mark.asyncio(loop_scope="module")
ADDRESS = "jean.petit@example.net"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def heads() -> list[str]:
    """What the service outside was sent."""
    return []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory, heads: list[str]) -> AsyncIterator[House]:
    """A house with a tool that an administrator added."""
    async with service(heads) as port:
        allowed = f"private:127.0.0.1:{port}"
        async with house(tmp_path_factory.mktemp("home"), web_allow=allowed) as one:
            base = f"http://127.0.0.1:{port}"
            data = json.dumps(API).encode()
            one.app.tools.add_openapi("stock", data, "admin", base=base)
            yield one


async def test_an_added_tool_gets_masked_values_also_when_the_model_writes_real_ones(
    home: House, heads: list[str], marie: Actor
) -> None:
    agent = templates()["email-drafter"].model_copy(update={"tools": ("stock-get-item",)})
    home.script(Say(tools=[("stock-get-item", {"id": ADDRESS})]), Say("Done."))
    reply = await home.send(marie, "How many are left?", agent)
    assert reply.status == "done"
    assert len(heads) == 1
    assert "jean.petit" not in heads[0]
    assert "EMAIL_ADDRESS" in heads[0]


async def test_a_conversation_that_is_deleted_during_a_turn_leaves_no_real_value_behind(
    home: House,
) -> None:
    said = f"I wrote to {ADDRESS} for you. " + "And more words follow. " * 20
    home.script(Say(said, delay=0.05))
    async with client(served(home.app)) as web:
        owner = Actor("local-owner", "", frozenset({"staff"}))
        conversation = home.app.conversations.start("email-drafter", owner.id, "1.0.0")
        turn = asyncio.create_task(
            home.send(owner, "Write to Claire Fontaine.", conversation=conversation)
        )
        while not home.upstream.calls:
            await asyncio.sleep(0.02)
        answer = await web.delete(f"/conversations/{conversation}")
        assert answer.is_success, answer.text
        await asyncio.wait([turn], timeout=30)
    assert conversation not in home.app.sessions.running
    query = sa.select(vault_entries.c.kind).where(
        vault_entries.c.conversation == conversation, vault_entries.c.value.is_not(None)
    )
    with home.app.engine.connect() as db:
        assert list(db.scalars(query)) == []


async def test_nothing_is_done_for_somebody_who_may_no_longer_sign_in_whoever_says_yes(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home.app.models, "_location", "local")
    account = home.app.people.add("claire", None)
    claire = Actor(account.id, "sales", account.roles)
    change = {"tools": ("python",), "data_class": "restricted"}
    agent = templates()["email-drafter"].model_copy(update=change)
    home.script(Say(tools=[("python", {"code": "print(6 * 7)"})]), Say("It is 42."))
    reply = await home.send(claire, "What is 6 times 7?", agent)
    assert reply.status == "waiting"
    home.app.people.change(account.id, disabled=True)
    (asked,) = home.app.approvals.waiting(conversation=reply.conversation)
    home.app.approvals.decide(asked.id, True, by=home.app.sessions.pseudonym(account.id))
    await home.app.sessions.go_on(asked.turn, reply.conversation)
    while home.app.sessions.paused.all(reply.conversation):
        await asyncio.sleep(0.05)
    (*_, last) = home.app.conversations.messages(reply.conversation, account.id)
    assert (last.role, last.extra["status"]) == ("assistant", "failed")
    assert len(home.upstream.calls) == 1


async def test_a_turn_goes_on_with_the_rights_of_now(home: House) -> None:
    account = home.app.people.add("lea", None, department="Sales", roles=("staff", "champion"))
    lea = Actor(account.id, "Sales", frozenset({"staff", "champion"}))
    home.app.people.change(account.id, roles=["staff", "security"], department="HR")
    now = home.app.sessions.here(lea)
    # what was taken is gone, what was given since is not added
    assert now == Actor(account.id, "HR", frozenset({"staff"}))
    nobody = Actor("local", roles=frozenset({"staff"}))
    assert home.app.sessions.here(nobody) == nobody


@pytest.mark.parametrize("paragraphs", [0, 200], ids=["whole in the prompt", "looked up"])
async def test_the_name_of_an_agents_document_is_kept_masked_and_shown_whole(
    home: House, marie: Actor, paragraphs: int
) -> None:
    knowledge, name = home.app.knowledge, "Claire Fontaine.md"
    words = b"# Leave\n\nSix days of leave can be carried over."
    words += b"\n\nThe canteen opens at noon and the garage closes at eight." * paragraphs
    await knowledge.add("leave", "internal", marie, name, words)
    await knowledge.settled()
    said = Text(en="Answers questions.")
    agent = AgentSpec(
        id="leave",
        title=said,
        purpose=said,
        instructions=said,
        # without the second one short documents are looked up too
        tools=("search_documents", "read_document"),
    )
    home.script(Say("Six days [1]."))
    reply = await home.send(marie, "How many days of leave can be carried over?", agent)
    assert {one.document for one in reply.sources} == ({name} if paragraphs else set())
    assert "Fontaine" not in home.received
    kept = home.app.conversations.messages(reply.conversation, marie.id)
    assert "Fontaine" not in json.dumps([dict(one.extra) for one in kept], default=str)


async def test_an_error_that_repeats_a_documents_words_stays_out_of_the_log(
    home: House, marie: Actor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(*_given: object, **_more: object) -> None:
        raise RuntimeError("Claire Fontaine earns 3,200")

    knowledge = home.app.knowledge
    monkeypatch.setattr(knowledge.attachments.knowledge, "add", breaks)
    await knowledge.add("pay", "internal", marie, "pay.txt", b"Claire Fontaine earns 3,200")
    await knowledge.settled()
    assert [one.error for one in knowledge.rows("pay")] == ["internal"]
    assert "Fontaine" not in caplog.text
    assert caplog.text
