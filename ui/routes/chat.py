"""Agents and messages: list, look, send (server-sent events), stop."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from guardrails.errors import BadInput, GuardrailError
from guardrails.policy.catalogue import explain
from sandbox.conversing import Opening
from sandbox.events import Approval, Delta, Event, Notice, Reply, StepEvent, plain
from ui.faults import described, translated, worded
from ui.identity import Person
from ui.messages import Language, catalogue, say
from ui.routes.approvals import Words, action_text, approver_text, why_text
from ui.routes.common import Limits, Services, actor, allowed, limited, services
from ui.routes.common import rates as rates_of
from ui.routes.events import EventStream, line
from ui.routes.shapes import AgentDetail, AgentRow, Done
from ui.uploads import Incoming, read_message

if TYPE_CHECKING:
    from agents.agent_records import AgentRecord

router = APIRouter(tags=["agents"])
LEFT_SECONDS = 600.0

_MESSAGE = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "At most 100,000 characters."},
        "conversation": {"type": "string", "description": "Absent begins a new one."},
        "kept": {
            "type": "array",
            "items": {"type": "string"},
            "description": "In a branch: names of files of the message that is sent again.",
        },
    },
}
_WITH_FILES = {
    **_MESSAGE,
    "properties": {
        **_MESSAGE["properties"],  # type: ignore[dict-item]
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
    },
}
_SEND: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {**_MESSAGE, "required": ["text"]}},
            "multipart/form-data": {"schema": _WITH_FILES},
        },
    },
    "responses": {
        "200": {
            "description": "Server-sent events `begin`, `notice`, `delta`, `step`, `approval`, and "
            "at the end `reply` or `error`; each event's data is one JSON object.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
}


@router.get("/agents")
def agents(app: Services, person: Annotated[Person, allowed("agents.use")]) -> list[AgentRow]:
    """Every template, what colleagues published to the caller, then the caller's own agents."""
    records = app.catalog.visible(person.id)
    return [AgentRow.model_validate(_agent(record, person.language)) for record in records]


@router.get("/agents/{agent}")
def agent(
    agent: str, app: Services, person: Annotated[Person, allowed("agents.use")]
) -> AgentDetail:
    """One agent. Somebody else's draft does not exist for the caller."""
    record = app.catalog.get(agent, person.id)
    spec = record.spec.model_dump(mode="json")
    return AgentDetail.model_validate({**_agent(record, person.language), "spec": spec})


@router.post("/agents/{agent}/messages", response_class=EventStream, openapi_extra=_SEND)
async def send(
    agent: str,
    request: Request,
    app: Services,
    rates: Limits,
    person: Annotated[Person, allowed("agents.use")],
) -> EventStream:
    """Send one message and follow the turn. The first event, `begin`, names the conversation.

    Closing the connection does not stop the turn: its answer is kept. `stop` does.
    """
    limited(rates.messages, person)
    settings = app.settings
    incoming = await read_message(request, settings.home, settings.upload_limit_mib)
    try:
        record, found = await run_in_threadpool(_opened, app, person, agent, incoming)
    except BaseException:
        incoming.discard()
        raise
    return EventStream(heard(request, person, _events(app, person, record, found, incoming)))


@router.get("/conversations/{conversation}/events", response_class=EventStream)
async def follow(
    conversation: str,
    request: Request,
    app: Services,
    person: Annotated[Person, allowed("conversations.own")],
) -> EventStream:
    """Follow the turn under way in the caller's conversation, from its beginning.

    The same events as sending a message; `idle` and the end when no turn runs. So a page that was
    closed, or that waited for an approval, sees the rest.
    """
    await run_in_threadpool(app.conversations.get, conversation, person.id)
    return EventStream(heard(request, person, _followed(app, person, conversation)))


def heard(
    request: Request, person: Person, events: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    """`events` for one listener of a person: a few at once, and none after they signed out."""
    app, counters = services(request), rates_of(request)

    def over(code: str) -> bytes:
        error = described(GuardrailError(code, most=counters.listeners.most), person.language)
        return line("error", _dump(error))

    def allowed_still() -> bool:
        return person.scopes is not None or app.identity.person(request) is not None

    return counters.listeners.heard(person.id, events, over, allowed_still)


@router.post("/conversations/{conversation}/stop")
async def stop(
    conversation: str, app: Services, person: Annotated[Person, allowed("conversations.own")]
) -> Done:
    """Stop the turn under way in the caller's conversation, if there is one."""
    await run_in_threadpool(app.conversations.get, conversation, person.id)
    await app.sessions.stop(conversation)
    return Done()


@dataclass(frozen=True)
class _Place:
    """Where a message goes: the conversation, whose names and files it uses, what is open."""

    conversation: str
    root: str
    opening: Opening


def _opened(
    app: Any, person: Person, agent: str, incoming: Incoming
) -> "tuple[AgentRecord, _Place]":
    record = app.catalog.get(agent, person.id)
    if incoming.conversation is None:
        id = root = str(app.conversations.start(record.id, person.id, record.spec.version))
    else:
        found = app.conversations.get(incoming.conversation, person.id)
        if found.agent != record.spec.id:
            raise BadInput("conversation-not-found")
        id, root = found.id, found.root
    opening = app.sessions.open(actor(person), record.spec.id, id, root)
    return record, _Place(id, root, opening)


async def _events(
    app: Any, person: Person, record: "AgentRecord", place: _Place, incoming: Incoming
) -> AsyncGenerator[bytes, None]:
    yield line("begin", _dump({"conversation": place.conversation}))
    over = False
    try:
        turn = app.sessions.begin(
            actor(person),
            record.spec,
            incoming.text,
            place.conversation,
            place.root,
            incoming.files,
            person.language,
            opening=place.opening,
            kept=incoming.kept,
        )
        async with aclosing(turn.batches()) as batches:
            async for batch in batches:
                yield written(batch, person.language, app.policy.policies.words)
        await turn.ended()
        over = True
    except Exception as error:
        over = True
        # the response has begun, so the error must travel as an event; `translated` tells ours
        # from bugs and logs the latter
        yield line("error", _dump(described(translated(error), person.language)))
    finally:
        if over:
            incoming.discard()
        else:
            # the page was closed and the turn goes on, perhaps before it has read the files
            asyncio.get_running_loop().call_later(LEFT_SECONDS, incoming.discard)


async def _followed(app: Any, person: Person, conversation: str) -> AsyncGenerator[bytes, None]:
    yield line("begin", _dump({"conversation": conversation}))
    found = False
    async with aclosing(app.sessions.follow(conversation)) as turn:
        async for event in turn:
            found = True
            yield written([event], person.language, app.policy.policies.words)
    if not found:
        yield line("idle", _dump({"conversation": conversation}))


def written(events: Iterable[Event], language: Language, own: Words | None = None) -> bytes:
    """Events of a turn as server-sent events; notices carry their wording as `text`.

    `own` are the words of the organisation's own rules (`PolicySet.words`).
    """
    return b"".join(_written(event, language, own) for event in events)


def _written(event: Event, language: Language, own: Words | None) -> bytes:
    match event:
        case Delta():
            return line("delta", _dump({"text": event.text}))
        case Notice():
            return line("notice", _dump(notice(event, language, own)))
        case StepEvent():
            return line("step", _dump(plain(event.step)))
        case Approval():
            return line("approval", _dump(asked(event, language, own)))
        case Reply():
            return line("reply", _dump(whole(event, language, own)))


def asked(event: Approval, language: Language, own: Words | None = None) -> dict[str, object]:
    """An approval that is asked for, with its wording."""
    return {
        **plain(event),
        "action": action_text(event.tool, language),
        "approver_text": approver_text(event.approver, language),
        "why": why_text(event.rule, event.repeats, language, own),
        "expires": datetime.fromtimestamp(event.expires, UTC).isoformat(),
        "state": "pending",
    }


def whole(reply: Reply, language: Language, own: Words | None = None) -> dict[str, object]:
    """A reply with the wording of its notices and, when it is not done, of its error."""
    error = GuardrailError(reply.error, **reply.error_data)
    message = say(language, "reply.waiting") if reply.status == "waiting" else ""
    return {
        **plain(reply),
        "mark_text": say(language, reply.mark) if reply.mark else "",
        "approvals": [asked(each, language, own) for each in reply.approvals],
        "notices": [notice(each, language, own) for each in reply.notices],
        "message": worded(error, language) if reply.error else message,
    }


def notice(event: Notice, language: Language, own: Words | None = None) -> dict[str, object]:
    """A notice with its wording."""
    known = catalogue(language)
    data = {
        name: say(language, value) if isinstance(value, str) and value in known else value
        for name, value in event.data.items()
    }
    if f"tool.{data.get('tool')}" in known:
        data["tool"] = say(language, f"tool.{data['tool']}")
    try:
        text = say(language, event.key, **data)
    except KeyError:
        # a notice without wording must not break the answer it accompanies
        text = event.key
    if event.kind == "blocked" and "rule" in event.data:
        rule = explain(str(event.data["rule"]), language, own=own)
        text = f"{text} {rule.sentence} {rule.instead}"
    return {**plain(event), "text": text}


def _agent(record: "AgentRecord", language: Language) -> dict[str, object]:
    spec = record.spec
    return {
        "id": record.id,
        "title": spec.title.to(language),
        "purpose": spec.purpose.to(language),
        "category": spec.category,
        "icon": spec.icon,
        "version": spec.version,
        "status": record.status,
        "data_class": spec.data_class,
        "starters": list(spec.starters.to(language)),
    }


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
