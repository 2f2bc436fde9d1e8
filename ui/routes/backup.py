"""A backup by one button: the file comes as a download. Restoring is done on the machine."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from guardrails.audit.ledger import Act
from guardrails.errors import GuardrailError
from ui.backup import make
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
    folder = Path(tempfile.mkdtemp(dir=app.settings.home, prefix="backups-"))
    file = folder / "backup.tar"

    def forget() -> None:
        file.unlink(missing_ok=True)
        folder.rmdir()

    try:
        made = await run_in_threadpool(
            make, app.settings, app.keys, file, passphrase=wanted.passphrase
        )
    except GuardrailError as error:
        forget()
        await run_in_threadpool(app.ledger.outcome, intent, "failed", {"code": error.code})
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
