"""Tools: list, switch, add from an OpenAPI file or a tool server, confirm. For administrators."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from agents.tools.base import Tool
from guardrails.errors import BadInput
from sandbox.broker.client_credentials import SignIn
from sandbox.broker.openapi import MAX_BYTES
from sandbox.broker.source import Source
from ui.identity import Person
from ui.messages import Language, say
from ui.routes.common import Services, allowed
from ui.routes.own_services import callback
from ui.routes.shapes import Done, Shape

router = APIRouter(prefix="/tools", tags=["tools"])
Administrator = Annotated[Person, allowed("models.manage")]
Short = Annotated[str, Field(max_length=600)]


class ToolRow(Shape):
    """One tool. `description` is what the model reads, `sees` what the tool gets to see."""

    name: str
    label: str
    sees: str
    description: str
    side_effect: str
    icon: str
    source: str
    enabled: bool


class SourceRow(Shape):
    """One source. With `state` `new` or `changed`, `offered` waits for `confirm` of
    `offered_hash`; `changed` names what differs."""

    id: str
    kind: str
    title: str
    state: str
    reason: str
    address: str
    has_secret: bool
    tools: list[str]
    hash: str
    offered: list[dict[str, Any]]
    offered_hash: str
    changed: list[str]
    changed_by: str
    connect: str


class ToolList(Shape):
    """Every tool, then every source."""

    tools: list[ToolRow]
    sources: list[SourceRow]


class Switch(Shape):
    """On or off."""

    enabled: bool


class NewServer(Shape):
    """A tool server: `url`, or `script` in the home's `servers` folder: `folder/server.py`, or for
    Node `folder/file.js` or `folder/package`, installed there with npm.

    `secret` names a line of the secrets file. It is sent as a bearer token (or in `header`); with a
    `token_url` it is the secret of `client`, and tokens are fetched there (OAuth 2.0 client
    credentials). With `connect` people sign in to the server in the browser (OAuth 2.1): each
    `person` for themself, or an administrator once for the `house`; without a `client` Atelier
    registers as one."""

    id: Short
    url: Short = ""
    script: Short = ""
    reads: tuple[Short, ...] = ()
    secret: Short = ""
    header: Short = ""
    token_url: Short = ""
    client: Short = ""
    scope: Short = ""
    connect: Literal["", "person", "house"] = ""


class Confirm(Shape):
    """The hash of the list that the person has read."""

    hash: Short


@router.get("")
def listed(app: Services, person: Administrator) -> ToolList:
    """Every tool and every source."""
    off = app.tools.off()
    rows = [tool_row(tool, person.language, off) for tool in app.tools.catalogue().values()]
    return ToolList(tools=rows, sources=[_source(one) for one in app.tools.all()])


@router.put("/{tool}")
def switch(tool: str, wanted: Switch, app: Services, person: Administrator) -> Done:
    """Switch one tool on or off for every agent."""
    app.tools.switch(tool, wanted.enabled, person.id)
    return Done()


@router.post("/sources/openapi", status_code=201)
async def add_openapi(
    app: Services,
    person: Administrator,
    id: Annotated[str, Form()],
    file: Annotated[UploadFile, File()],
    base: Annotated[str, Form()] = "",
    secret: Annotated[str, Form()] = "",
    header: Annotated[str, Form()] = "",
    token_url: Annotated[str, Form()] = "",
    client: Annotated[str, Form()] = "",
    scope: Annotated[str, Form()] = "",
) -> SourceRow:
    """Add the operations of an OpenAPI 3 file. `secret` names a line of the secrets file; with a
    `token_url` it is the secret of `client` (OAuth 2.0 client credentials)."""
    data = await file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise BadInput("openapi-bad", why="size", where="")
    source = await run_in_threadpool(
        app.tools.add_openapi,
        id,
        data,
        person.id,
        base=base,
        secret=secret,
        header=header,
        sign_in=SignIn(token_url, client, scope),
    )
    return _source(source)


@router.post("/sources/mcp", status_code=201)
async def add_mcp(
    asked: NewServer, request: Request, app: Services, person: Administrator
) -> SourceRow:
    """Add a tool server; its tools wait for `confirm`."""
    source = await app.tools.add_mcp(
        asked.id, person.id, url=asked.url, script=asked.script, reads=asked.reads,
        secret=asked.secret, header=asked.header,
        sign_in=SignIn(asked.token_url, asked.client, asked.scope),
        connect=asked.connect, redirect=callback(request, app),
    )  # fmt: skip
    return _source(source)


@router.post("/sources/{source}/check")
async def check(source: str, app: Services, person: Administrator) -> SourceRow:
    """Ask a tool server again what it offers."""
    return _source(await app.tools.check(source, person.id))


@router.post("/sources/{source}/confirm")
def confirm(source: str, asked: Confirm, app: Services, person: Administrator) -> SourceRow:
    """Take what is offered as the source's tools."""
    return _source(app.tools.confirm(source, asked.hash, person.id))


@router.put("/sources/{source}")
def enable(source: str, wanted: Switch, app: Services, person: Administrator) -> SourceRow:
    """Switch a whole source on or off."""
    return _source(app.tools.enable(source, wanted.enabled, person.id))


@router.delete("/sources/{source}")
def remove(source: str, app: Services, person: Administrator) -> Done:
    """Forget a source and its tools."""
    app.tools.remove(source, person.id)
    return Done()


def tool_row(tool: Tool, language: Language, off: frozenset[str]) -> ToolRow:
    """A tool in words; an added one has its source's."""
    own = bool(tool.label_key)
    return ToolRow(
        name=tool.name,
        label=say(language, tool.label_key) if own else tool.title,
        sees=say(language, f"{tool.label_key}.sees")
        if own
        else say(language, "tool.added.sees", title=tool.sees),
        description=tool.description,
        side_effect=tool.side_effect,
        icon=tool.icon,
        source=tool.source or "built-in",
        enabled=tool.name not in off,
    )


def _source(one: Source) -> SourceRow:
    settings = one.settings
    return SourceRow(
        id=one.id,
        kind=one.kind,
        title=one.title,
        state=one.state,
        reason=one.reason,
        address=str(settings.get("base") or settings.get("url") or settings.get("script") or ""),
        has_secret=bool(settings.get("secret")),
        tools=[str(each["name"]) for each in one.tools],
        hash=one.hash,
        offered=[
            {key: each[key] for key in ("name", "description", "side_effect", "parameters")}
            for each in one.offered
        ],
        offered_hash=one.offered_hash,
        changed=list(one.differences),
        changed_by=one.changed_by,
        connect=one.connect,
    )
