"""An agent's documents, whole house: taken in, shown, kept from who may not read them."""

import dataclasses
from pathlib import Path

import pytest

from agents.catalog import SAMPLES
from agents.knowledge.frozen import documents_of
from agents.spec import AgentSpec, Text
from guardrails.actor import Actor
from guardrails.errors import BadInput, GuardrailError
from sandbox.agent_knowledge import _place
from tests.house import House
from tests.upstream import Say
from ui.faults import worded

pytestmark = pytest.mark.asyncio(loop_scope="module")
HANDBOOK = SAMPLES / "en/staff-handbook.docx"
SECRET = b"# Plan\n\nThe code word of the autumn project is marigold. Ask Ada Lovelace."


def agent(id: str) -> AgentSpec:
    words = Text(en="Answers questions.")
    return AgentSpec(
        id=id, title=words, purpose=words, instructions=words, tools=("search_documents",)
    )


async def test_a_document_is_read_in_the_background_and_answers(home: House, marie: Actor) -> None:
    knowledge = home.app.knowledge
    await knowledge.add("leave", "internal", marie, "handbook.docx", HANDBOOK.read_bytes())
    assert knowledge.rows("leave") or knowledge.waiting("leave")
    await knowledge.settled()
    (row,) = knowledge.rows("leave")
    assert row.complete and row.passages > 5 and row.owner == marie.id
    assert not home.app.sessions.uploads.uploads(_place("leave", "handbook.docx"))
    home.script(Say("Six days [1]."))
    reply = await home.send(marie, "How many days of leave can I carry over?", agent("leave"))
    assert reply.status == "done" and "handbook.docx" in {one.document for one in reply.sources}


async def test_a_document_answers_only_who_may_read_it(home: House, marie: Actor) -> None:
    knowledge = home.app.knowledge
    mine = (f"person:{marie.id}", "department:sales")
    await knowledge.add("plan", "internal", marie, "plan.md", SECRET, mine)
    await knowledge.settled()
    ask = "What is the code word of the autumn project?"
    home.script(Say("marigold"))
    await home.send(marie, ask, agent("plan"))
    assert "marigold" in home.received
    colleague = dataclasses.replace(marie, id="u_bob", department="sales")
    home.script(Say("marigold"))
    await home.send(colleague, ask, agent("plan"))
    assert "marigold" in home.received
    home.script(Say("I do not know."))
    reply = await home.send(Actor("u_eve", "legal", frozenset({"staff"})), ask, agent("plan"))
    assert "marigold" not in home.received and "plan.md" not in home.received
    assert reply.sources == () and "notice.documents-withheld" in home.notices


async def test_names_in_an_agents_document_are_masked(home: House, marie: Actor) -> None:
    home.script(Say("Ask her."))
    await home.send(marie, "Who knows the code word of the autumn project?", agent("plan"))
    assert "Lovelace" not in home.received


async def test_the_same_name_replaces_and_removing_forgets(home: House, marie: Actor) -> None:
    knowledge = home.app.knowledge
    for words in (b"The bell rings at nine.", b"The bell rings at ten."):
        await knowledge.add("bell", "internal", marie, "bell.txt", words)
        await knowledge.settled()
    (row,) = knowledge.rows("bell")
    library = knowledge.attachments.knowledge.open(documents_of("bell"))
    assert library.text("bell.txt") == "The bell rings at ten."
    await knowledge.remove("bell", marie, row.id)
    assert knowledge.rows("bell") == [] and library.search("bell") == []
    with pytest.raises(BadInput, match="document-not-found"):
        await knowledge.remove("bell", marie, row.id)


async def test_a_file_that_cannot_be_read_says_so_and_leaves_nothing(
    home: House, marie: Actor
) -> None:
    knowledge = home.app.knowledge
    await knowledge.add("bad", "internal", marie, "x.pdf", b"%PDF-1.4 broken")
    await knowledge.settled()
    (row,) = knowledge.rows("bad")
    assert row.error.startswith("file-") and not row.complete and row.passages == 0
    assert not home.app.sessions.uploads.uploads(_place("bad", "x.pdf"))
    with pytest.raises(BadInput, match="file-executable"):
        await knowledge.add("bad", "internal", marie, "x.txt", b"\x7fELF\x02\x01\x01" + bytes(60))
    with pytest.raises(GuardrailError, match="file-refused") as refused:
        await knowledge.add("bad", "internal", marie, "x.bin", bytes(range(256)))
    # no rule permits it: the person is told the kinds there are, not the name of no rule
    assert "no-match" not in worded(refused.value, "en") + worded(refused.value, "fr")


async def test_a_broken_off_reading_goes_on_after_a_restart(
    home: House, marie: Actor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    knowledge = home.app.knowledge
    words = "\n\n".join(f"# Part {n}\n\nThe room number {n} is painted blue." for n in range(80))
    store = knowledge.attachments.knowledge
    keep, left = store._keep, [1]

    def dies(*given: object) -> None:
        if not left[0]:
            raise KeyboardInterrupt  # the server is killed: no clean-up of any kind
        left[0] -= 1
        keep(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "_keep", dies)
    monkeypatch.setattr(store, "_process", "of the killed")
    vault = home.app.sessions.vaults.open("agent:rooms")
    with pytest.raises(KeyboardInterrupt):
        store._store(
            documents_of("rooms"), marie.id, "rooms.md", "d", [{"text": words, "page": None}],
            lambda texts: knowledge.attachments.mask(texts, vault), None, ("*",),
        )  # fmt: skip
    monkeypatch.setattr(store, "_keep", keep)
    home.app.sessions.uploads.keep_upload(
        _place("rooms", "rooms.md"), marie.id, "rooms.md", words.encode()
    )
    assert not knowledge.rows("rooms")[0].complete
    assert knowledge.resume() == 1
    await knowledge.settled()
    (row,) = knowledge.rows("rooms")
    assert row.complete and row.passages == row.total == 80
