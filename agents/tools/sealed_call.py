"""Run one of `agents.tools.sealed` inside the seal by way of the run's Python."""

import json
from collections.abc import Mapping
from typing import Any

from agents.tools.base import ToolContext, ToolResult, refused

SHOWN_CHARACTERS = 6000
WHY = {
    "timeout": "it took too long and was stopped; ask for less",
    "memory": "the file is too large for the sandbox",
    "killed": "the sandbox stopped it",
    "refused": "the sandbox is not available; try again",
}


async def sealed_call(
    module: str, arguments: Mapping[str, Any], context: ToolContext
) -> ToolResult:
    """What `agents.tools.sealed.<module>.main` printed and saved."""
    if context.execute is None:
        return refused("files cannot be read here; answer without it")
    given = json.dumps(dict(arguments), ensure_ascii=True)
    code = f"from agents.tools.sealed.{module} import main\nmain({given!r})"
    done = await context.execute(code, context.files)
    output = done.output.strip()[:SHOWN_CHARACTERS]
    if done.status != "ok":
        last = output.rpartition("\n")[2] if "Traceback" in output else output
        return refused(WHY.get(done.status, last or "the file could not be read"))
    return ToolResult(output, artefacts=tuple(done.artefacts))
