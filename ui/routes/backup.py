"""A backup by one button: the file comes as a download. Restoring is done on the machine."""

import asyncio
import secrets
import shutil
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from guardrails.audit.ledger import Act
from guardrails.errors import GuardrailError
from ui.backup import WORK, make
from ui.identity import Person
from ui.routes.common import Limits, Services, allowed

router = APIRouter(prefix="/backup", tags=["backup"])

Manager = Annotated[Person, allowed("backup.manage")]


class Wanted(BaseModel):
    """`passphrase` puts the master key into the backup, under it; empty leaves the key out."""

    model_config = ConfigDict(extra="forbid")
    passphrase: Annotated[str, Field(max_length=1024)] = ""


@router.post("", response_class=Response)
async def backup(wanted: Wanted, app: Services, rates: Limits, person: Manager) -> Response:
    """Everything of this installation in one file, consistent, while it goes on working."""
    # counted in workshop mode too: two at once would fill the disk for nothing
    rates.backup.take(person.id)
    payload = {"keys": bool(wanted.passphrase)}
    intent = await run_in_threadpool(
        app.ledger.intent, Act("backup.make", person.id, payload=payload)
    )
    folder = app.settings.home / f"{WORK}{secrets.token_hex(8)}"
    file = folder / "backup.tar"

    def forget() -> None:
        shutil.rmtree(folder, ignore_errors=True)

    try:
        folder.mkdir(mode=0o700)
        made = await run_in_threadpool(
            make, app.settings, app.keys, file, passphrase=wanted.passphrase
        )
    except BaseException as error:  # a request that was cancelled leaves nothing behind either
        forget()
        code = error.code if isinstance(error, GuardrailError) else type(error).__name__
        # shielded: what was begun must get its outcome even when nobody waits for the answer
        outcome = run_in_threadpool(app.ledger.outcome, intent, "failed", {"code": code})
        await asyncio.shield(outcome)
        if isinstance(error, OSError):
            raise GuardrailError("backup-not-written", file=app.settings.home.name) from error
        raise
    await run_in_threadpool(app.ledger.outcome, intent, "allow", {"parts": made.parts})
    name = f"atelier-{datetime.now(UTC):%Y%m%d-%H%M}.backup.tar"
    return FileResponse(
        file,
        filename=name,
        media_type="application/octet-stream",
        headers={"cache-control": "no-store"},
        background=BackgroundTask(forget),
    )
