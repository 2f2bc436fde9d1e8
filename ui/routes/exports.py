"""Exports of the record as files, made in the background and kept for a day."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import FileResponse

from guardrails.audit.exports import Export, ExportKind
from guardrails.audit.saved import filled
from ui.identity import Person
from ui.looking import TraceQuery
from ui.routes.common import Limits, Services, allowed, limited
from ui.routes.shapes import Shape

router = APIRouter(prefix="/exports", tags=["exports"])

Exporter = Annotated[Person, allowed("audit.export")]


class ExportAsked(TraceQuery):
    """What to export and as what."""

    format: ExportKind


class ExportRow(Shape):
    """An export. `state` is running, ready, failed or gone; `digest` the file's SHA-256."""

    id: str
    name: str
    format: str
    asked_by: str
    at: datetime
    filter: dict[str, str]
    state: str
    rows: int
    bytes: int
    digest: str


@router.post("")
def start(asked: ExportAsked, app: Services, rates: Limits, person: Exporter) -> ExportRow:
    """Begin an export; it is recorded, and told to those whose turns are in it."""
    limited(rates.exports, person)
    me = app.record.pseudonym(person.id)
    return _row(app.record.exports.start(asked.format, asked.filter(), by=me))


@router.get("")
def exports(app: Services, person: Exporter) -> list[ExportRow]:
    """Exports, newest first."""
    return [_row(one) for one in app.record.exports.all()]


@router.get("/{export}")
def export(export: str, app: Services, person: Exporter) -> ExportRow:
    """One export: how far it is."""
    return _row(app.record.exports.get(export))


@router.get("/{export}/file")
def file(export: str, app: Services, person: Exporter) -> FileResponse:
    """Download the file; the download is recorded."""
    path = app.record.exports.file(export, by=app.record.pseudonym(person.id))
    name = app.record.exports.get(export).name
    headers = {"cache-control": "no-store"}
    return FileResponse(path, 200, headers, "application/octet-stream", filename=name)


def _row(one: Export) -> ExportRow:
    return ExportRow(
        id=one.id,
        name=one.name,
        format=one.kind,
        asked_by=one.asked_by,
        at=datetime.fromtimestamp(one.at, UTC),
        filter={name: str(value) for name, value in filled(one.filter).items()},
        state=one.state,
        rows=one.rows,
        bytes=one.bytes,
        digest=one.digest,
    )
