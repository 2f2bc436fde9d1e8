"""Questions to a table in SQL, read-only, answered inside the seal."""

from collections.abc import Mapping
from typing import Any

from agents.tools.base import Tool, ToolContext, ToolResult
from agents.tools.sealed_call import sealed_call


async def _run(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
    return await sealed_call("table", arguments, context)


QUERY_TABLE = Tool(
    name="query_table",
    label_key="tool.query_table",
    description=(
        "Ask the uploaded CSV or Excel file with one SQL SELECT (SQLite). The table is called data "
        "and has the file's column names; put them in double quotes. Use it for every count, sum, "
        "average, filter or ranking of rows."
    ),
    side_effect="reads",
    parameters={
        "type": "object",
        "properties": {
            "sql": {
                "type": "string",
                "description": 'e.g. SELECT "Region", SUM("Amount") FROM data GROUP BY 1',
                "minLength": 8,
                "maxLength": 4000,
            },
            "file": {
                "type": "string",
                "description": "File name, when there are several",
                "maxLength": 200,
            },
        },
        "required": ["sql"],
        "additionalProperties": False,
    },
    run=_run,
    sealed=True,
    icon="table",
    restores=frozenset({"sql", "file"}),
)
