"""An agent as one file: export, and import of somebody else's as a private draft."""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from agents.cases import free
from agents.package import MAX_PACKAGE, export_agent, import_agent
from agents.publishing_checks import attacks
from agents.publishing_tables import imports
from guardrails.audit.ledger import Act
from guardrails.errors import BadInput
from ui.identity import Person
from ui.routes.chat import _agent
from ui.routes.common import Limits, Services, allowed, limited
from ui.routes.conversations import disposition
from ui.routes.publishing_shapes import Imported

router = APIRouter(tags=["agents"])
Author = Annotated[Person, allowed("agents.build")]
MEDIA_TYPE = "application/zip"

_IMPORT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.post("/agents/import", openapi_extra=_IMPORT)
async def import_package(
    request: Request, app: Services, rates: Limits, person: Author
) -> Imported:
    """Read a package (`.agent.zip`) and keep it as the caller's private draft.

    Nothing in it runs. It is refused as a whole for anything that is not as it should be; what it
    says of its origin is shown, and not believed.
    """
    limited(rates.evaluate, person)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise BadInput("bad-request")
    async with request.form(max_files=1, max_fields=4, max_part_size=64 * 1024) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise BadInput("bad-request")
        data = await file.read(MAX_PACKAGE + 1)
    return await run_in_threadpool(bring_in, app, person, data)


@router.get("/agents/{agent}/export", response_class=Response)
def export(agent: str, app: Services, person: Author) -> Response:
    """The package of an agent that the caller may see, with its documents and test cases."""
    record = app.catalog.get(agent, person.id)
    name = f"{record.id}-{record.spec.version}.agent.zip"
    data = packed(app, person, agent)
    return Response(
        data,
        media_type=MEDIA_TYPE,
        headers={"content-disposition": disposition(name, inline=False)},
    )


def packed(app: Any, person: Person, agent: str) -> bytes:
    """The package of an agent. Recorded."""
    record = app.catalog.get(agent, person.id)
    claims = {"product": "Atelier", "version": record.spec.version}
    files = app.desk.files
    reads = files.reads(agent, record.spec.version, person.id)
    data = export_agent(record.spec, lambda name: bytes(files.open(reads, name)), claims)
    digest = hashlib.sha256(data).hexdigest()
    app.ledger.record(
        Act("agent.export", person.id, agent, record.spec.version, payload={"digest": digest})
    )
    return data


def bring_in(app: Any, person: Person, data: bytes) -> Imported:
    """Import a package for one person. Raises what `agents.package.import_agent` does."""
    from agents.tools.registry import TOOLS

    package = import_agent(
        data,
        tools=frozenset(TOOLS),
        has_secret=lambda text: has_secret(app, text),
        suspicious=attacks,
    )
    # random, so that it tells nothing of other people's drafts
    id = free(f"{package.spec.id[:50]}-x{secrets.token_hex(3)}", set())
    spec = package.spec.model_copy(update={"id": id, "owner": "", "version": "1.0.0"})
    app.ledger.record(Act("agent.import", person.id, id, payload={"digest": package.digest}))
    record = app.catalog.save(spec, person.id, base=package.spec.id[:64])
    app.desk.files.keep(id, package.files)
    with app.engine.begin() as db:
        db.execute(sa.delete(imports).where(imports.c.agent == id))
        db.execute(
            sa.insert(imports),
            {
                "agent": id,
                "digest": package.digest,
                "content": package.spec.content_hash(),
                "name": package.spec.id,
                "claims": dict(package.claims),
                "by": person.id,
                "at": datetime.now(UTC),
            },
        )
    shown = replace(record, spec=spec)
    return Imported.model_validate(
        {
            **_agent(shown, person.language),
            "digest": package.digest,
            "claims": dict(package.claims),
        }
    )


@dataclass(frozen=True)
class Origin:
    """Where an imported draft comes from; `claims` are the package's own, unproven."""

    name: str
    digest: str
    claims: dict[str, str]
    at: datetime


def origin(app: Any, agent: str) -> Origin | None:
    """What is kept of the package that a draft came in, None for one that was built here."""
    with app.engine.connect() as db:
        row = db.execute(sa.select(imports).where(imports.c.agent == agent)).one_or_none()
    return None if row is None else Origin(row.name, row.digest, dict(row.claims), row.at)


def has_secret(app: Any, text: str) -> bool:
    """Whether a key or password stands in a text."""
    found = app.screen.text(text, provenance="system").findings
    return any(finding.kind == "SECRET" for finding in found)
