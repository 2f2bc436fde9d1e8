"""Read one page of the web that the administrators allow. What it says is a stranger's word."""

import re
from collections.abc import Mapping
from typing import Any

from agents.tools.base import Tool, ToolContext, ToolResult, refused

SHOWN_CHARACTERS = 6000
# of another spelling too: <PERSON_1B>
_PLACEHOLDER = re.compile(r"(?:<|%3C)[A-Z][A-Z0-9_]*_\d+[A-Z]{0,2}(?:>|%3E)", re.I)


async def _run(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
    if context.outside is None:
        return refused("the web cannot be reached from here; answer without it")
    page = await context.outside.fetch(str(arguments["address"]))
    start = int(arguments.get("start", 0))
    part = page.text[start : start + SHOWN_CHARACTERS]
    rest = len(page.text) - start - len(part)
    more = f"\n\n({rest} characters follow; start={start + len(part)})" if rest > 0 else ""
    return ToolResult(f"{page.address} ({page.media_type})\n{part}{more}")


def _no(arguments: Mapping[str, Any], context: ToolContext) -> str | None:
    address = str(arguments["address"])
    if _PLACEHOLDER.search(address):
        return "an address must not hold personal details, not even masked ones"
    if context.outside is None:
        return "the web cannot be reached from here; answer without it"
    return context.outside.no_fetch(address)


WEB_FETCH = Tool(
    name="web_fetch",
    label_key="tool.web_fetch",
    description="Read one web page at an address that the person named or a document gives.",
    side_effect="reads",
    parameters={
        "type": "object",
        "properties": {
            "address": {
                "type": "string",
                "description": "https://…",
                "minLength": 8,
                "maxLength": 600,
            },
            "start": {"type": "integer", "minimum": 0, "maximum": 10_000_000},
        },
        "required": ["address"],
        "additionalProperties": False,
    },
    run=_run,
    icon="globe",
    refuse=_no,
)
