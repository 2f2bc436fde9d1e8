"""The caller's own data: how much is kept, take it away, have it erased."""

from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool

from guardrails.errors import BadInput
from ui import privacy
from ui.identity import Person
from ui.routes.common import Limits, Services, allowed, limited
from ui.routes.conversations import ended
from ui.routes.shapes import Erased, Erasure, OwnData

router = APIRouter(tags=["privacy"])

Own = Annotated[Person, allowed("privacy.own")]


@router.get("/me/kept")
def kept(app: Services, person: Own) -> OwnData:
    """How much is kept about the caller."""
    return OwnData(**asdict(privacy.kept(app, person)))


@router.post("/me/export", response_class=Response)
def export(app: Services, rates: Limits, person: Own) -> Response:
    """Everything that is the caller's, as a ZIP of JSON and Markdown, real values put back."""
    limited(rates.own_data, person)
    headers: dict[str, Any] = {
        "content-disposition": 'attachment; filename="atelier-my-data.zip"',
        "cache-control": "private, no-store",
    }
    return Response(privacy.export(app, person), headers=headers, media_type="application/zip")


@router.post("/me/erase")
async def erase(asked: Erasure, app: Services, rates: Limits, person: Own) -> Erased:
    """Erase the caller's content for good. `confirm` must be true; a legal hold refuses."""
    limited(rates.own_data, person)
    if not asked.confirm:
        raise BadInput("erase-not-confirmed")
    for conversation in list(app.sessions.running):
        with suppress(BadInput):  # somebody else's
            await run_in_threadpool(app.conversations.get, conversation, person.id)
            await ended(app, conversation)
    sign_in = app.tools.sign_in
    signed_in = await run_in_threadpool(lambda: sign_in.of(person.id, app.tools.all()))
    gone = await run_in_threadpool(privacy.erase, app, person)
    await sign_in.revoke(signed_in)  # also where the services keep them
    return Erased(conversations=gone)
