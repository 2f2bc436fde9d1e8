"""Backups on this server: upload, check, delete, and restore from one by the button."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from guardrails.audit.ledger import Act
from guardrails.errors import GuardrailError
from ui.access import may
from ui.faults import worded
from ui.held import Backups, Held
from ui.identity import Person
from ui.routes.common import Limits, Services, allowed, somebody
from ui.routes.shapes import Done, Shape

router = APIRouter(prefix="/backup", tags=["backup"])
UPLOAD = "/api/v1/backup/held"

Manager = Annotated[Person, allowed("backup.manage")]
Phrase = Annotated[str, Field(max_length=1024)]


class Contents(Shape):
    """What is in a backup that was checked."""

    made: str
    product: str
    store: str
    parts: int
    keys: bool
    own: bool
    people: int
    agents: int
    conversations: int
    rows: int


class HeldBackup(Shape):
    """A backup on this server. `contents` is null until it was checked; `locked` when its key
    needs a passphrase. `kind`: upload, or before (made before a restore)."""

    id: str
    kind: str
    at: datetime
    bytes: int
    locked: bool
    contents: Contents | None


class Unlock(BaseModel):
    """`passphrase` opens the key of a backup that another installation made."""

    model_config = ConfigDict(extra="forbid")
    passphrase: Phrase = ""


class Restore(Unlock):
    """`confirm` is the word RESTORE, typed by a person."""

    confirm: Annotated[str, Field(max_length=40)]


class State(Shape):
    """How far a restore is: empty, checking, ending, saving, swapping, failed (with the message);
    `restored` is when the last one was put in."""

    step: str
    message: str
    restored: str


@router.get("/restoring")
def restoring(request: Request, app: Services) -> State:
    """How far a restore is. Open to everybody: the one who waits may be signed out by it."""
    now = app.restoring
    if now.failed is not None:
        known = may(somebody(request), "backup.manage")
        text = worded(now.failed, app.identity.language(request)) if known else ""
        return State(step="failed", message=text, restored=now.moment)
    return State(step=now.step, message="", restored=now.moment)


@router.get("/held")
def held_backups(app: Services, person: Manager) -> list[HeldBackup]:
    """Backups on this server, newest first."""
    return [_shape(one) for one in Backups(app.settings).all()]


@router.post(
    "/held",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/x-tar": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def upload(request: Request, app: Services, rates: Limits, person: Manager) -> HeldBackup:
    """Upload a backup (the file is the body) and check the whole of it. Nothing else changes.

    A broken file is refused and not kept; one whose key needs a passphrase is kept, `locked`.
    """
    rates.restore.take(person.id)
    await run_in_threadpool(app.ledger.record, Act("backup.upload", person.id))
    backups = Backups(app.settings)
    id_ = await backups.receive(request.stream())
    try:
        await run_in_threadpool(backups.check, id_)
    except BaseException as error:
        if not (isinstance(error, GuardrailError) and error.code == "backup-no-key"):
            backups.drop(id_)
            raise
    return _shape(backups.get(id_))


@router.get("/held/{held}", response_class=Response)
def download(held: str, app: Services, rates: Limits, person: Manager) -> Response:
    """The file itself."""
    rates.restore.take(person.id)
    file = Backups(app.settings).file(held)
    app.ledger.record(Act("backup.download", person.id, payload={"backup": held}))
    headers = {"cache-control": "no-store"}
    name = f"atelier-{held}.backup.tar"
    return FileResponse(file, filename=name, media_type="application/octet-stream", headers=headers)


@router.delete("/held/{held}")
def drop(held: str, app: Services, rates: Limits, person: Manager) -> Done:
    """Delete a backup from this server."""
    backups = Backups(app.settings)
    backups.file(held)
    app.ledger.record(Act("backup.delete", person.id, payload={"backup": held}))
    backups.drop(held)
    return Done(done=True)


@router.post("/held/{held}/check")
def check(held: str, wanted: Unlock, app: Services, rates: Limits, person: Manager) -> HeldBackup:
    """Check every part, the signature, the version and the ledger, and say what is in it."""
    rates.restore.take(person.id)
    backups = Backups(app.settings)
    backups.file(held)
    app.ledger.record(Act("backup.check", person.id, payload={"backup": held}))
    backups.check(held, wanted.passphrase)
    return _shape(backups.get(held))


@router.post("/held/{held}/restore", status_code=202)
async def restore(
    held: str, wanted: Restore, app: Services, rates: Limits, person: Manager
) -> State:
    """Put the backup in the place of what is here. `GET /backup/restoring` says how far it is.

    It is checked again, running turns are ended, the home is backed up, the server starts again.
    """
    rates.restore.take(person.id)
    app.restoring.begin(held, person.id, confirm=wanted.confirm, passphrase=wanted.passphrase)
    return State(step=app.restoring.step, message="", restored=app.restoring.moment)


def _shape(one: Held) -> HeldBackup:
    found = None if one.contents is None else Contents(**asdict(one.contents))
    return HeldBackup(
        id=one.id, kind=one.kind, at=one.at, bytes=one.bytes, locked=one.locked, contents=found
    )
