"""The same message to up to four agents or models at once, blind until the vote."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from agents.comparisons import LABELS, Comparison, Side
from agents.spec import AgentSpec
from guardrails.audit.ledger import Act
from guardrails.errors import BadInput
from sandbox.events import Delta, Reply
from ui.faults import described, translated
from ui.identity import Person
from ui.routes.approvals import Words
from ui.routes.chat import whole
from ui.routes.common import Limits, Services, actor, allowed, limited
from ui.routes.events import EventStream, line
from ui.routes.shapes import Shape

router = APIRouter(tags=["compare"])

Everyone = Annotated[Person, allowed("agents.use")]


class Wanted(BaseModel):
    """One column: an agent, with its own model or another connected one."""

    model_config = ConfigDict(extra="forbid")

    agent: Annotated[str, Field(min_length=1, max_length=64)]
    model: Annotated[str, Field(max_length=120)] = ""


class Compare(BaseModel):
    """What is asked, and of whom. The same agent twice with another model is fine."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    sides: Annotated[list[Wanted], Field(min_length=2, max_length=4)]


class Vote(BaseModel):
    """A label, `same` or `none`."""

    model_config = ConfigDict(extra="forbid")

    vote: Annotated[str, Field(max_length=8)]
    note: Annotated[str, Field(max_length=1000)] = ""


class SideRow(Shape):
    """A column after the vote."""

    label: str
    agent: str
    version: str
    model: str
    conversation: str


class ComparisonRow(Shape):
    """A comparison. `sides` is empty until the vote: the labels hide who is who."""

    id: str
    at: datetime
    labels: list[str]
    vote: str
    note: str
    sides: list[SideRow]


@router.post("/compare", response_class=EventStream)
async def compare(wanted: Compare, app: Services, rates: Limits, person: Everyone) -> EventStream:
    """Ask all at once and follow them: `begin` {id, labels}, then `delta` and `reply` with a
    `label`, at the end `done`. Each column is a conversation of its own, shown after the vote."""
    if not wanted.text.strip():
        raise BadInput("empty-message")
    specs = []
    for one in wanted.sides:
        limited(rates.messages, person)
        record = await run_in_threadpool(app.catalog.get, one.agent, person.id)
        specs.append((record.spec, one.model))
    secrets.SystemRandom().shuffle(specs)
    found, agents = await run_in_threadpool(_begin, app, person, wanted.text, specs)
    return EventStream(_events(app, person, wanted.text, found, agents))


@router.get("/compare/{comparison}")
def comparison(comparison: str, app: Services, person: Everyone) -> ComparisonRow:
    """One of the caller's comparisons."""
    return _row(app.comparisons.get(comparison, person.id))


@router.post("/compare/{comparison}/vote")
def vote(comparison: str, given: Vote, app: Services, person: Everyone) -> ComparisonRow:
    """Say which answer was best, once; then the answer says who was who."""
    found = app.comparisons.open(comparison, person.id, given.vote)
    note = app.screen.text(given.note, None).text if given.note.strip() else ""
    named = [f"{side.label} {side.agent} {side.version} {side.model}" for side in found.sides]
    payload = {"comparison": comparison, "vote": given.vote, "sides": named}
    app.ledger.record(Act("compare.vote", person.id, payload=payload))
    return _row(app.comparisons.vote(comparison, person.id, given.vote, note))


def _begin(
    app: Any, person: Person, text: str, specs: list[tuple[AgentSpec, str]]
) -> tuple[Comparison, dict[str, AgentSpec]]:
    sides, agents = [], {}
    for label, (spec, model) in zip(LABELS, specs, strict=False):
        conversation = app.conversations.start(spec.id, person.id, spec.version)
        sides.append(Side(label, spec.id, spec.version, model, conversation))
        agents[label] = spec.model_copy(update={"model": model}) if model else spec
    masked = app.screen.text(text, None).text
    return app.comparisons.start(person.id, masked, sides), agents


async def _events(
    app: Any, person: Person, text: str, found: Comparison, agents: dict[str, AgentSpec]
) -> AsyncGenerator[bytes, None]:
    queue: asyncio.Queue[bytes] = asyncio.Queue()

    async def follow(side: Side) -> None:
        try:
            async for event in app.sessions.send(
                actor=actor(person),
                agent=agents[side.label],
                conversation=side.conversation,
                text=text,
                language=person.language,
            ):
                if isinstance(event, Delta):
                    queue.put_nowait(_event("delta", side, {"text": event.text}))
                elif isinstance(event, Reply):
                    shown = _blind(event, person, app.policy.policies.words)
                    queue.put_nowait(_event("reply", side, shown))
        except Exception as error:
            # the response has begun: the other columns go on, this one says what happened
            said = described(translated(error), person.language)
            queue.put_nowait(_event("error", side, said))

    labels = [side.label for side in found.sides]
    yield line("begin", json.dumps({"id": found.id, "labels": labels}))
    tasks = [asyncio.create_task(follow(side)) for side in found.sides]
    everyone = asyncio.gather(*tasks)
    try:
        while not (everyone.done() and queue.empty()):
            waiting = asyncio.create_task(queue.get())
            both: set[asyncio.Future[Any]] = {waiting, everyone}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                yield waiting.result()
            else:
                waiting.cancel()
    finally:
        everyone.cancel()  # the turns themselves go on, as ever
    yield line("done", json.dumps({"id": found.id}))


def _blind(reply: Reply, person: Person, own: Words) -> dict[str, object]:
    """A reply without what gives its agent or model away; `own` words the house's own rules."""
    shown = whole(reply, person.language, own)
    kept = ("text", "status", "message", "sources", "mark_text")
    return {name: shown[name] for name in kept}


def _event(name: str, side: Side, data: dict[str, Any]) -> bytes:
    body = json.dumps({"label": side.label, **data}, ensure_ascii=False, default=str)
    return line(name, body)


def _row(found: Comparison) -> ComparisonRow:
    sides = [SideRow(**asdict(side)) for side in found.sides] if found.vote else []
    return ComparisonRow(
        id=found.id,
        at=datetime.fromtimestamp(found.at, UTC),
        labels=[side.label for side in found.sides],
        vote=found.vote,
        note=found.note,
        sides=sides,
    )
