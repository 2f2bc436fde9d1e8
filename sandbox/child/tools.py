"""Tools as the agent sees them: each call is one frame to the broker, which decides and acts."""

from collections.abc import Callable
from typing import Any

from langchain_core.tools import StructuredTool

from agents.loop import pause
from sandbox.child.door import Door, Refused


def offer(door: Door, tool: dict[str, Any]) -> StructuredTool:
    """A LangChain tool for {"name", "description", "parameters" (JSON Schema)}."""
    return StructuredTool(
        name=tool["name"],
        description=tool["description"],
        args_schema=tool["parameters"],
        func=_caller(door, tool["name"]),
    )


def _caller(door: Door, name: str) -> Callable[..., str]:
    def call(**arguments: Any) -> str:
        try:
            answer = door.ask({"t": "tool.call", "name": name, "arguments": arguments})
        except Refused as refusal:
            # the model may try another way; the refusal itself is already on the record
            return f"Refused ({refusal.rule}): {refusal.message}"
        if answer["t"] == "waiting":
            pause({"approval": answer["approval"]})
        return str(answer["content"])

    return call
