"""A draft can be deleted with its documents, by its owner, while no colleague uses it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from agents.knowledge.frozen import documents_of
from agents.publishing_tables import files
from guardrails.actor import Actor
from guardrails.audit.tables import ledger
from guardrails.errors import BadInput
from tests.house import House, house
from ui.drafts import discard

STAFF, CHAMPION = frozenset({"staff"}), frozenset({"champion"})
ANN, BOB, CHI = Actor("ann", "", STAFF), Actor("bob", "", STAFF), Actor("chi", "", CHAMPION)


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "home") as opened:
        yield opened


def draft(product: House) -> str:
    return product.app.catalog.from_template("email-drafter", ANN.id).id


async def test_a_draft_goes_with_its_documents_and_the_deletion_is_on_record(
    product: House,
) -> None:
    app, agent = product.app, draft(product)
    app.desk.files.keep(agent, {"en/a.md": b"text"})
    await app.knowledge.add(agent, "internal", ANN, "b.md", b"# Room\n\nRoom 12 is for Claire Roy.")
    await app.knowledge.settled()
    assert app.knowledge.rows(agent)
    await discard(app, agent, ANN)
    assert not app.catalog.mine(ANN.id)
    assert not app.knowledge.attachments.knowledge.listing(documents_of(agent))
    with app.engine.connect() as db:
        assert not db.execute(sa.select(files).where(files.c.agent == agent)).all()
        kinds = set(db.scalars(sa.select(ledger.c.kind).where(ledger.c.agent == agent)))
    assert "agent.delete" in kinds


async def test_what_is_still_being_read_is_stopped_first(product: House) -> None:
    app, agent = product.app, draft(product)
    await app.knowledge.add(agent, "internal", ANN, "c.md", b"# One\n\n" + b"word " * 20_000)
    await discard(app, agent, ANN)
    await app.knowledge.settled()
    assert not app.knowledge.rows(agent)
    assert not app.knowledge.waiting(agent)


async def test_a_draft_of_somebody_else_does_not_exist_and_a_template_stays(
    product: House,
) -> None:
    agent = draft(product)
    with pytest.raises(BadInput, match="agent-not-found"):
        await discard(product.app, agent, BOB)
    with pytest.raises(BadInput, match="not-your-draft"):
        await discard(product.app, "email-drafter", ANN)
    assert product.app.catalog.get(agent, ANN.id)


async def test_a_published_agent_is_withdrawn_before_it_is_deleted(product: House) -> None:
    app, agent = product.app, draft(product)
    desk = app.desk.publishing
    request = desk.request(agent, ANN, audience="everyone")
    desk.collected(request.id, {"model": "x"})
    desk.approve(request.id, CHI, "")
    with pytest.raises(BadInput, match="agent-is-live"):
        await discard(app, agent, ANN)
    await app.desk.withdraw(agent, ANN, "no longer needed")
    await discard(app, agent, ANN)
    assert not app.catalog.mine(ANN.id)


async def test_an_open_request_is_taken_back_with_its_draft(product: House) -> None:
    app, agent = product.app, draft(product)
    request = app.desk.publishing.request(agent, ANN, audience="everyone")
    app.desk.publishing.collected(request.id, {"model": "x"})
    await discard(app, agent, ANN)
    assert app.desk.publishing.queue() == []
