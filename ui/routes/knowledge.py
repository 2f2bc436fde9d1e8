"""The documents that an agent knows: list, add, remove. For the agent's owner."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from agents.knowledge.documents import EVERYONE, Document
from guardrails.errors import BadInput, GuardrailError
from sandbox.uploads import safe_name
from ui.faults import worded
from ui.identity import Person
from ui.routes.common import Limits, Services, actor, allowed, limited
from ui.routes.shapes import Done, Shape

router = APIRouter(tags=["knowledge"])
MAX_FILES = 10
MIB = 1024 * 1024
Builder = Annotated[Person, allowed("agents.build")]


class KnowledgeRow(Shape):
    """One document. `progress` is 0..1 while it is being read; `hidden` says that it holds text
    which a reader would not see. `versions` are those of the agent that read it as it is, `review`
    one that is under review; where `current` is false only they do."""

    id: int
    name: str
    pages: int
    words: int
    passages: int
    complete: bool
    progress: float | None
    readers: list[str]
    hidden: bool
    added: datetime | None
    error: str
    message: str
    versions: list[str] = Field(default_factory=list)
    current: bool = True


class KnowledgeList(Shape):
    """The agent's documents, oldest first."""

    documents: list[KnowledgeRow]


@router.get("/agents/{agent}/knowledge")
def listed(agent: str, app: Services, person: Builder) -> KnowledgeList:
    """What the agent knows, and what is still being read."""
    _own(app, agent, person)
    return _list(app, agent, person)


@router.post("/agents/{agent}/knowledge", status_code=202)
async def add(
    agent: str,
    request: Request,
    app: Services,
    rates: Limits,
    person: Builder,
    files: list[UploadFile],
    readers: Annotated[Literal["everyone", "me", "department"], Form()] = "everyone",
) -> KnowledgeList:
    """Add documents; they are read in the background, see `GET`. A file of the same name replaces
    the old one. `readers` are who may be answered from it, also once the agent is shared."""
    record = await run_in_threadpool(_own, app, agent, person)
    limited(rates.messages, person)
    if len(files) > MAX_FILES:
        raise BadInput("too-many-files", most=MAX_FILES)
    for part in files:
        name = safe_name(part.filename or "")
        data = await _bytes(part, name, app.settings.upload_limit_mib)
        await app.knowledge.add(
            agent, record.spec.data_class, actor(person), name, data, _readers(readers, person)
        )
    return await run_in_threadpool(_list, app, agent, person)


@router.delete("/agents/{agent}/knowledge/{document}")
async def remove(
    agent: str, document: int, app: Services, person: Builder, everywhere: bool = False
) -> Done:
    """Forget one document. Published versions go on reading it as it was approved, unless it is to
    go `everywhere`: they answer without it from then on, and a review of them opens."""
    await run_in_threadpool(_own, app, agent, person)
    await app.knowledge.remove(agent, actor(person), document, everywhere=everywhere)
    return Done()


def _own(app: Any, agent: str, person: Person) -> Any:
    record = app.catalog.get(agent, person.id)
    if record.owner != person.id:  # a template, or an agent that somebody shared
        raise BadInput("agent-not-found", id=agent)
    return record


async def _bytes(part: UploadFile, name: str, limit_mib: int) -> bytes:
    data = await part.read(limit_mib * MIB + 1)
    if len(data) > limit_mib * MIB:
        raise BadInput("too-large", limit=limit_mib)
    if not data:
        raise BadInput("file-empty", name=name, limit=0)
    return data


def _readers(chosen: str, person: Person) -> tuple[str, ...]:
    if chosen == "me":
        return (f"person:{person.id}",)
    if chosen == "department" and person.department:
        return (f"person:{person.id}", f"department:{person.department}")
    return EVERYONE if chosen == "everyone" else (f"person:{person.id}",)


def _list(app: Any, agent: str, person: Person) -> KnowledgeList:
    read_by = app.desk.files.versions(agent)
    rows = [
        _row(app, agent, person, one).model_copy(
            update={"versions": read_by.get(one.id, []), "current": current}
        )
        for found, current in (
            (app.knowledge.attachments.knowledge.aside(agent), False),
            (app.knowledge.rows(agent), True),
        )
        for one in found
    ]
    rows += [
        KnowledgeRow(
            id=0, name=one.name, pages=0, words=0, passages=0, complete=False, progress=None,
            readers=list(one.readers), hidden=False, added=None, error="", message="",
        )
        for one in app.knowledge.waiting(agent)
    ]  # fmt: skip
    return KnowledgeList(documents=rows)


def _row(app: Any, agent: str, person: Person, one: Document) -> KnowledgeRow:
    message = ""
    if one.error:
        from agents.knowledge.parse import CODES

        error = GuardrailError(one.error, name=one.name, limit=CODES.get(one.error, 0))
        message = worded(error, person.language)
    return KnowledgeRow(
        id=one.id,
        name=one.name,
        pages=one.pages,
        words=one.words,
        passages=one.passages,
        complete=one.complete or bool(one.error),
        progress=None if one.complete else app.knowledge.progress(agent, one.name),
        readers=list(one.readers),
        hidden=one.hidden > 0,
        added=one.added,
        error=one.error,
        message=message,
    )
