"""A person's own drafts."""

from typing import Annotated

from fastapi import APIRouter

from ui.drafts import discard
from ui.identity import Person
from ui.routes.common import Services, actor, allowed
from ui.routes.shapes import Done

router = APIRouter(tags=["agents"])


@router.delete("/agents/{agent}")
async def delete(
    agent: str, app: Services, person: Annotated[Person, allowed("agents.build")]
) -> Done:
    """Delete the caller's own draft with its documents, for good. A published agent must be
    withdrawn first; its releases and the record of its turns stay."""
    await discard(app, agent, actor(person))
    return Done()
