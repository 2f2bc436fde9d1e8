"""Fill a Word, PowerPoint or Excel template inside the seal; the result is a file."""

from collections.abc import Mapping
from typing import Any

from agents.tools.base import Tool, ToolContext, ToolResult
from agents.tools.sealed_call import sealed_call


async def _run(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
    return await sealed_call("fill", arguments, context)


FILL_TEMPLATE = Tool(
    name="fill_template",
    label_key="tool.fill_template",
    description=(
        "Fill the {{names}} of an uploaded Word, PowerPoint or Excel template. Without values it "
        "lists the names. The person gets the filled file."
    ),
    side_effect="writes",
    parameters={
        "type": "object",
        "properties": {
            "template": {
                "type": "string",
                "description": "File name; the newest when left out",
                "maxLength": 200,
            },
            "values": {
                "type": "object",
                "description": "name: value for each {{name}}",
                "additionalProperties": {"type": ["string", "number"]},
                "maxProperties": 100,
            },
        },
        "additionalProperties": False,
    },
    run=_run,
    sealed=True,
    icon="file-text",
    restores=frozenset({"template", "values"}),
)
