"""A chart said in a few words and drawn inside the seal, with its figures beside it."""

from collections.abc import Mapping
from typing import Any

from agents.tools.base import Tool, ToolContext, ToolResult
from agents.tools.sealed_call import sealed_call


async def _run(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
    return await sealed_call("chart", arguments, context)


CHART = Tool(
    name="chart",
    label_key="tool.chart",
    description=(
        "Draw a chart of the uploaded CSV or Excel file: kind, column x, and column y of numbers. "
        "The person sees the picture; you get its figures."
    ),
    side_effect="writes",
    parameters={
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": ["bar", "line", "pie", "scatter", "histogram"]},
            "x": {"type": "string", "description": "Column of the labels", "maxLength": 80},
            "y": {"type": "string", "description": "Column of the numbers", "maxLength": 80},
            "aggregate": {"type": "string", "enum": ["sum", "mean", "count", "min", "max"]},
            "title": {"type": "string", "maxLength": 120},
            "sql": {
                "type": "string",
                "description": "Instead of x and y: a SELECT of two columns from data",
                "maxLength": 4000,
            },
            "file": {"type": "string", "maxLength": 200},
        },
        "required": ["kind"],
        "additionalProperties": False,
    },
    run=_run,
    sealed=True,
    icon="chart-column",
    restores=frozenset({"x", "y", "title", "sql", "file"}),
)
