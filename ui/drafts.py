"""Removing a draft with all that hangs on it: versions, documents, what was read from them."""

import asyncio
from typing import TYPE_CHECKING

import sqlalchemy as sa

from agents.publishing_records import OPEN
from agents.publishing_tables import imports
from guardrails.actor import Actor
from guardrails.audit.ledger import Act
from guardrails.errors import BadInput
from sandbox.broker.recorded import recorded

if TYPE_CHECKING:
    from ui.wiring import App


async def discard(app: "App", agent: str, by: Actor) -> None:
    """Delete one's own draft; requests for it that are open are taken back. Recorded.

    Raises BadInput: agent-not-found, not-your-draft, agent-is-live while colleagues use it.
    """
    record = await asyncio.to_thread(app.catalog.get, agent, by.id)
    if record.status != "draft" or record.owner != by.id:
        raise BadInput("not-your-draft", id=agent[:64])
    if await asyncio.to_thread(is_live, app, agent):
        raise BadInput("agent-is-live", id=agent)
    for request in await asyncio.to_thread(app.desk.publishing.of, by.id, agent):
        if request.state in OPEN:
            await asyncio.to_thread(app.desk.publishing.cancel, request.id, by)
    async with recorded(app.ledger, Act("agent.delete", by.id, agent, record.spec.version)):
        await app.knowledge.stop(agent)
        await asyncio.to_thread(forget, app, agent, by.id)


def forget(app: "App", agent: str, owner: str) -> None:
    """The deletion itself. Raises BadInput as `Catalog.delete` before anything is touched."""
    app.catalog.delete(agent, owner)
    app.desk.files.forget(agent)
    app.knowledge.forget(agent)
    with app.engine.begin() as db:
        db.execute(sa.delete(imports).where(imports.c.agent == agent))


def is_live(app: "App", agent: str) -> bool:
    """True while colleagues use the agent."""
    current = app.desk.publishing.current(agent)
    return current is not None and current.state == "live"
