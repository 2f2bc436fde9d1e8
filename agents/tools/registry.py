"""Every tool, in plain sight, and the one way to call one: arguments are checked first."""

from collections.abc import Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator

from agents.tools.base import Tool, ToolContext, ToolResult, refused
from agents.tools.calculator import CALCULATOR
from agents.tools.current_date import CURRENT_DATE
from agents.tools.documents import READ_DOCUMENT, SEARCH_DOCUMENTS
from agents.tools.python import PYTHON

TOOLS: Mapping[str, Tool] = {
    tool.name: tool for tool in (CALCULATOR, CURRENT_DATE, SEARCH_DOCUMENTS, READ_DOCUMENT, PYTHON)
}


def problem(tool: Tool, arguments: object) -> str | None:
    """What is wrong with `arguments`, in words for the model, or None. Never repeats a value."""
    if not isinstance(arguments, Mapping):
        return "arguments must be a JSON object"
    first = next(iter(Draft202012Validator(tool.parameters).iter_errors(dict(arguments))), None)
    if first is None:
        return None
    needed = tool.parameters.get("required", ())
    expects = ", ".join(
        f"{name} ({schema['type']}{', required' if name in needed else ''})"
        for name, schema in tool.parameters["properties"].items()
    )
    where = ".".join(map(str, first.absolute_path))
    match first.validator:
        case "required":
            what = "a required argument is missing"
        case "additionalProperties":
            what = "there is an argument that this tool does not have"
        case "type":
            what = f"{where} must be of type {first.validator_value}"
        case _:
            what = f"{where} breaks its limit ({first.validator} {first.validator_value})"
    return f"{what}. {tool.name} takes: {expects}"


async def call(
    name: str, arguments: object, context: ToolContext, allowed: Sequence[str] | None = None
) -> ToolResult:
    """Run one tool. A wrong name or argument gives a result with `ok=False`, never an error."""
    tool = TOOLS.get(name)
    if tool is None or (allowed is not None and name not in allowed):
        names = ", ".join(allowed if allowed is not None else TOOLS) or "none"
        return refused(f"there is no tool of that name; there are: {names}")
    wrong = problem(tool, arguments)
    if wrong is not None or not isinstance(arguments, Mapping):
        return refused(wrong or "arguments must be a JSON object")
    return await tool.run(arguments, context)


def described(names: Sequence[str]) -> list[dict[str, Any]]:
    """The tools as a model is told of them: `name`, `description`, `parameters`."""
    return [
        {
            "name": name,
            "description": TOOLS[name].description,
            "parameters": dict(TOOLS[name].parameters),
        }
        for name in names
        if name in TOOLS
    ]
