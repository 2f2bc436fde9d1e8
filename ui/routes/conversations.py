"""A person's own conversations and files. Ownership is checked by what keeps them."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from agents.conversation_tables import Conversation
from guardrails.audit.ledger import Act
from ui.identity import Person
from ui.routes.approvals import approval_row
from ui.routes.common import Services, allowed
from ui.routes.shapes import ConversationDetail, ConversationRow, Done, MessageRow

router = APIRouter(tags=["conversations"])
STOP_SECONDS = 20.0

Own = Annotated[Person, allowed("conversations.own")]

# what a browser may show in the page; everything else is a download. SVG was rewritten when it came
INLINE = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "image/svg+xml"})


@router.get("/conversations")
def conversations(
    app: Services,
    person: Own,
    agent: Annotated[str, Query(max_length=64)] = "",
    words: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[ConversationRow]:
    """The caller's conversations, last touched first.

    `words` are looked for in the masked texts, and in the titles with the caller's names put back.
    """
    rows = app.conversations.mine(person.id, agent, 500 if words.strip() else limit)
    if words.strip():
        rows = _with_words(app, person, rows, words.strip())[:limit]
    return [row_of(row) for row in rows]


@router.get("/conversations/{conversation}")
def conversation(conversation: str, app: Services, person: Own) -> ConversationDetail:
    """One of the caller's conversations; real values are put back for its owner only."""
    row = app.conversations.get(conversation, person.id)
    kept = app.conversations.messages(conversation, person.id)
    messages = [
        MessageRow(
            number=message.number,
            role=message.role,
            text=app.sessions.restore(conversation, message.text),
            at=message.at,
            trace_id=message.trace_id,
            extra=_put_back(app, conversation, message.extra),
        )
        for message in kept
    ]
    waiting = [
        approval_row(app, person, one).model_dump(mode="json")
        for one in app.approvals.waiting(conversation=conversation)
    ]
    running = conversation in app.sessions.running
    return ConversationDetail(**_shown(row), messages=messages, approvals=waiting, running=running)


@router.delete("/conversations/{conversation}")
async def delete(conversation: str, app: Services, person: Own) -> Done:
    """Delete a conversation with its messages, its files and its vault: nothing restores it.

    A turn under way is stopped first.
    """
    await forget(app, conversation, person.id)
    return Done()


async def forget(app: Any, conversation: str, owner: str) -> None:
    """Record the erasure, stop the turn under way, then erase. Raises as `Conversations.get`."""
    await run_in_threadpool(app.conversations.get, conversation, owner)
    act = Act("erase", owner, conversation=conversation)
    await run_in_threadpool(app.ledger.record, act)
    await ended(app, conversation)
    await run_in_threadpool(app.sessions.forget, conversation)
    await run_in_threadpool(app.conversations.delete, conversation, owner)


async def ended(app: Any, conversation: str) -> None:
    """Stop the turn under way, if there is one, and wait until it has kept what it keeps."""
    turn = app.sessions.running.get(conversation)
    if turn is not None and turn.task is not None:
        await app.sessions.stop(conversation)
        await asyncio.wait([turn.task], timeout=STOP_SECONDS)


@router.get("/artefacts/{artefact}", response_class=Response)
def artefact(artefact: str, request: Request, app: Services, person: Own) -> Response:
    """A file an agent made, for the owner of its conversation. `?inline=1` shows images."""
    kept = app.sessions.artefact(artefact, person.id)
    inline = kept.media_type in INLINE and request.query_params.get("inline") == "1"
    headers = {
        "content-disposition": disposition(kept.name, inline=inline),
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "cache-control": "private, no-store",
    }
    media_type = kept.media_type if inline else "application/octet-stream"
    return Response(kept.data, headers=headers, media_type=media_type)


def _put_back(app: Any, conversation: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """What came with a message, with the caller's names: files, sources and replaced answers."""

    def real(text: str) -> str:
        # most names hold none, and each look into the vault is a look into the store
        return str(app.sessions.restore(conversation, text)) if "<" in text else text

    return {
        **extra,
        "earlier": [
            {**one, "text": app.sessions.restore(conversation, one["text"])}
            for one in extra.get("earlier") or ()
        ],
        "artefacts": [
            {
                **one,
                "name": real(one["name"]),
                "shows": {name: real(text) for name, text in (one.get("shows") or {}).items()},
            }
            for one in extra.get("artefacts") or ()
        ],
        "files": [real(name) for name in extra.get("files") or ()],
        "sources": [
            {**one, "document": real(one["document"]), "text": real(one["text"])}
            for one in extra.get("sources") or ()
        ],
    }


def _with_words(
    app: Any, person: Person, rows: list[Conversation], words: str
) -> list[Conversation]:
    found = {row.id for row in app.conversations.search(person.id, words, 500)}
    folded = words.casefold()
    return [
        row
        for row in rows
        if row.id in found
        # a name stands in a title as a placeholder only: put back, it can be found
        or ("<" in row.title and folded in app.sessions.restore(row.id, row.title).casefold())
    ]


def _shown(row: Conversation) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if name != "owner"}


def row_of(row: Conversation) -> ConversationRow:
    """A conversation as the list shows it."""
    return ConversationRow.model_validate(_shown(row))


def disposition(name: str, *, inline: bool) -> str:
    """Content-Disposition with an ASCII fallback and the real name (RFC 6266)."""
    from urllib.parse import quote

    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name)
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
