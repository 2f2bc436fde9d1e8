"""A file that an agent makes may be called after a person: its owner alone reads the name."""

import json

import pytest
import sqlalchemy as sa

from agents.catalog import templates
from agents.conversation_tables import messages
from guardrails.actor import Actor
from tests.house import House
from tests.upstream import Say
from ui.identity import Person
from ui.routes.conversations import conversation

pytestmark = pytest.mark.asyncio(loop_scope="module")
CODE = "open('for <PERSON_1>.txt', 'w').write('hello')"


async def test_a_files_name_is_kept_masked_and_shown_in_the_clear(
    home: House, marie: Actor
) -> None:
    home.script(Say(tools=[("python", {"code": CODE})]), Say("Done."))
    agent = templates()["csv-questions"].model_copy(update={"tools": ("python",), "sample": None})
    reply = await home.send(marie, "Write to Claire Fontaine, please", agent)
    assert reply.status == "done", reply
    (file,) = reply.artefacts
    assert file.name == "for Claire Fontaine.txt"
    assert home.app.sessions.artefact(file.id, marie.id).name == file.name
    with home.app.engine.connect() as db:
        extra = db.scalars(sa.select(messages.c.extra)).all()
    assert "Fontaine" not in json.dumps(extra)
    row = conversation(
        reply.conversation, home.app, Person(marie.id, "Marie", "sales", frozenset({"staff"}), "en")
    )
    assert [one["name"] for one in row.messages[-1].extra["artefacts"]] == [file.name]
