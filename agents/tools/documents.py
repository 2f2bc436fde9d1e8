"""Search and read the conversation's documents. Sees masked text only."""

import asyncio
from collections.abc import Mapping
from typing import Any

from agents.tools.base import Cited, Tool, ToolContext, ToolResult, refused

READ_CHARACTERS = 6000
RESULTS = 4
# A passage with less than this share of the best one's score is about something else, and leads a
# small model astray. Of 100 questions of bench/retrieval.yaml, one loses its passage by it.
NEAR_BEST = 0.5


async def _search(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
    documents = context.documents
    if documents is None or not documents.names():
        return refused("there is no document in this conversation; ask the person to add one")
    query = str(arguments["query"])
    # embedding and ranking take milliseconds of CPU: not on the event loop
    passages = await asyncio.to_thread(documents.search, query, RESULTS)
    if not passages:
        return ToolResult("Nothing about this was found in the documents. Say so; do not guess.")
    near = [one for one in passages if one.score >= NEAR_BEST * passages[0].score]
    sources = tuple(
        Cited(one.document, one.page, one.text, number)
        for number, one in enumerate(near, start=context.first_source)
    )
    # the best one last, next to the question: a small model goes by what it read last
    return ToolResult("\n\n".join(map(_shown, reversed(sources))), sources=sources)


def _shown(source: Cited) -> str:
    page = f", page {source.page}" if source.page else ""
    return f"[{source.number}] {source.document}{page}\n{source.text}"


async def _read(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
    documents = context.documents
    names = documents.names() if documents else []
    if documents is None or not names:
        return refused("there is no document in this conversation; ask the person to add one")
    name = str(arguments.get("document") or names[-1])
    text = await asyncio.to_thread(documents.text, name)
    if text is None:
        return refused(f"there is no document of that name; there are: {', '.join(names)}")
    start = int(arguments.get("start", 0))
    part = text[start : start + READ_CHARACTERS]
    source = Cited(name, None, part[:600], context.first_source)
    rest = len(text) - start - len(part)
    more = (
        f"\n\n({rest} characters follow; read on with start={start + len(part)})"
        if rest > 0
        else ""
    )
    return ToolResult(f"[{source.number}] {name}\n{part}{more}", sources=(source,))


SEARCH_DOCUMENTS = Tool(
    name="search_documents",
    label_key="tool.search_documents",
    description="Find passages in the documents. Returns numbered passages to cite as [1].",
    side_effect="reads",
    parameters={
        "type": "object",
        "properties": {
            "query": {
                "type": "string",
                "description": "What to look for, in a few words",
                "minLength": 1,
                "maxLength": 400,
            }
        },
        "required": ["query"],
        "additionalProperties": False,
    },
    run=_search,
    icon="search",
)

READ_DOCUMENT = Tool(
    name="read_document",
    label_key="tool.read_document",
    description="Read a whole document from its beginning, for a summary or for all its fields.",
    side_effect="reads",
    parameters={
        "type": "object",
        "properties": {
            "document": {
                "type": "string",
                "description": "Name of the document; the newest when left out",
                "maxLength": 200,
            },
            "start": {"type": "integer", "minimum": 0, "maximum": 10_000_000},
        },
        "additionalProperties": False,
    },
    run=_read,
    icon="file-text",
)
