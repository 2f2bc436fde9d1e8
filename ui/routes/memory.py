"""What a person does with a conversation: branch, answer again, take it along."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from agents.conversation_tables import Conversation, Message
from guardrails.audit.ledger import Act
from ui.identity import Person
from ui.messages import catalogue, say
from ui.routes.chat import heard, written
from ui.routes.common import Limits, Services, actor, allowed, limited
from ui.routes.conversations import disposition, row_of
from ui.routes.events import EventStream, line
from ui.routes.shapes import ConversationRow

router = APIRouter(tags=["conversations"])

Own = Annotated[Person, allowed("conversations.own")]


class Branch(BaseModel):
    """Number of the last message that the branch begins with; 0 for none."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=0)]


@router.post("/conversations/{conversation}/branch")
def branch(conversation: str, wanted: Branch, app: Services, person: Own) -> ConversationRow:
    """Begin a new conversation from an earlier message; the old one stays as it is.

    To edit message n and send it again: branch after n - 1, then send to the new conversation.
    """
    app.conversations.get(conversation, person.id)
    act = Act("conversation.branch", person.id, conversation=conversation)
    app.ledger.record(act)
    return row_of(app.conversations.branch(conversation, person.id, wanted.after))


@router.post("/conversations/{conversation}/regenerate", response_class=EventStream)
async def regenerate(
    conversation: str, request: Request, app: Services, rates: Limits, person: Own
) -> EventStream:
    """Answer the last message again; the events of sending a message. The old answer is kept
    with the new one (`extra.earlier`), and stays when the new one fails."""
    limited(rates.messages, person)
    found = await run_in_threadpool(app.conversations.get, conversation, person.id)
    record = await run_in_threadpool(app.catalog.get, found.agent, person.id)
    turn = app.sessions.regenerate(
        actor=actor(person), agent=record.spec, conversation=conversation, language=person.language
    )
    first = await anext(turn)  # a refusal before anything happens is an answer with its status

    async def events() -> AsyncGenerator[bytes, None]:
        begin = json.dumps({"conversation": conversation})
        yield line("begin", begin)
        async with aclosing(turn):
            yield written([first], person.language, app.policy.policies.words)
            async for event in turn:
                yield written([event], person.language, app.policy.policies.words)

    return EventStream(heard(request, person, events()))


@router.get("/conversations/{conversation}/export", response_class=Response)
def export(
    conversation: str,
    app: Services,
    person: Own,
    form: Annotated[Literal["md", "json"], Query(alias="format")] = "md",
) -> Response:
    """The caller's conversation as a file, with the caller's own names put back."""
    found = app.conversations.get(conversation, person.id)
    app.ledger.record(Act("export", person.id, conversation=conversation, payload={"format": form}))
    kept = app.conversations.messages(conversation, person.id)
    put_back = lambda text: app.sessions.restore(conversation, text)  # noqa: E731
    if form == "json":
        body = json.dumps(_whole(found, kept, put_back), ensure_ascii=False, indent=2)
    else:
        body = _markdown(person, found, kept, put_back)
    name = f"conversation-{found.started:%Y-%m-%d}.{form}"
    return Response(
        body,
        media_type="application/json" if form == "json" else "text/markdown; charset=utf-8",
        headers={
            "content-disposition": disposition(name, inline=False),
            "x-content-type-options": "nosniff",
            "cache-control": "private, no-store",
        },
    )


def _whole(found: Conversation, kept: list[Message], put_back: Any) -> dict[str, Any]:
    return {
        "id": found.id,
        "agent": found.agent,
        "version": found.version,
        "title": put_back(found.title),
        "started": found.started.isoformat(),
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
        "messages": [
            {
                "number": one.number,
                "role": one.role,
                "text": put_back(one.text),
                "at": one.at.isoformat(),
                "trace_id": one.trace_id,
                "model": one.extra.get("model", ""),
                "status": one.extra.get("status", ""),
                "mark": one.extra.get("mark", ""),
                "sources": [
                    {**source, "document": put_back(source["document"]),
                     "text": put_back(source["text"])}
                    for source in one.extra.get("sources", ())
                ],
            }
            for one in kept
        ],
    }  # fmt: skip


def _markdown(person: Person, found: Conversation, kept: list[Message], put_back: Any) -> str:
    language = person.language
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    lines = [f"# {put_back(found.title)}", "", f"{found.agent} {found.version}", ""]
    lines += [f"> {say(language, 'export.made', when=when)}", ""]
    for one in kept:
        who = say(language, "export.person" if one.role == "user" else "export.agent")
        model = one.extra.get("model", "")
        note = f" · {model}" if model else ""
        lines += [f"## {who} · {one.at:%Y-%m-%d %H:%M}{note}", "", put_back(one.text), ""]
        mark = one.extra.get("mark", "")
        if mark in catalogue(language):
            lines += [f"*{say(language, mark)}*", ""]
        sources = one.extra.get("sources") or ()
        if sources:
            lines += [f"**{say(language, 'export.sources')}**", ""]
            lines += [
                f"- [{source['number']}] {put_back(source['document'])}"
                + (f", p. {source['page']}" if source.get("page") else "")
                for source in sources
            ]
            lines.append("")
    return "\n".join(lines)
