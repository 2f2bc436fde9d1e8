"""A draft from a description: through the product's own door, and nobody's history after it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from agents.conversation_tables import conversations
from guardrails.audit.tables import ledger
from guardrails.errors import BadInput, GuardrailError
from tests.house import House, house
from tests.upstream import Say
from ui.identity import Person
from ui.web.pages import describe
from ui.web.pages.common import Context

ANN = Person("ann", "Ann", "", frozenset({"staff"}), "en")
DRAFT = """NAME: Travel guide
PURPOSE: Answers questions on trips.
CATEGORY: hr
TOOLS: search_documents
INSTRUCTIONS:
- Write to <PERSON_1> when a rule is missing.
STARTERS:
- May I fly?"""


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "home") as opened:
        yield opened


def kept(product: House) -> list[str]:
    with product.app.engine.connect() as db:
        return list(db.scalars(sa.select(conversations.c.id)))


def kinds(product: House) -> list[str]:
    with product.app.engine.connect() as db:
        return list(db.scalars(sa.select(ledger.c.kind).order_by(ledger.c.seq)))


async def test_the_draft_comes_masked_through_the_door_and_leaves_no_conversation(
    product: House,
) -> None:
    product.script(Say(DRAFT))
    wish = "An assistant for travel rules; Claire Fontaine owns them."
    draft = await describe.propose(Context(product.app, "en"), ANN, wish)
    assert draft.title == "Travel guide"
    assert "Claire Fontaine" in draft.instructions
    assert "Claire" not in product.received
    assert kept(product) == []
    recorded = kinds(product)
    assert "model.call" in recorded
    assert recorded.index("erase") > recorded.index("model.call")


async def test_a_failing_model_is_told_and_leaves_no_conversation(product: House) -> None:
    product.script(Say(status=500))
    with pytest.raises(GuardrailError) as caught:
        await describe.propose(Context(product.app, "en"), ANN, "An assistant for travel rules.")
    assert caught.value.code.startswith("model-")
    assert kept(product) == []


async def test_too_few_words_ask_no_model(product: House) -> None:
    with pytest.raises(BadInput, match="description-too-short"):
        await describe.propose(Context(product.app, "en"), ANN, "help")
    assert product.upstream.bodies == []
