"""Every tool, in plain sight, and the one way to call one: arguments are checked first."""

from collections.abc import Mapping, Sequence
from typing import Any

from agents.schemas import mistake
from agents.tools.base import NotDone, Tool, ToolContext, ToolResult, refused
from agents.tools.calculator import CALCULATOR
from agents.tools.chart import CHART
from agents.tools.current_date import CURRENT_DATE
from agents.tools.documents import READ_DOCUMENT, SEARCH_DOCUMENTS
from agents.tools.fill import FILL_TEMPLATE
from agents.tools.mail import EMAIL_DRAFT, EMAIL_SEND
from agents.tools.python import PYTHON
from agents.tools.table import QUERY_TABLE
from agents.tools.web import WEB_FETCH
from guardrails.errors import BadInput

# the built-in ones; what administrators added comes with each turn's context
TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        CALCULATOR,
        CURRENT_DATE,
        SEARCH_DOCUMENTS,
        READ_DOCUMENT,
        PYTHON,
        QUERY_TABLE,
        CHART,
        FILL_TEMPLATE,
        EMAIL_DRAFT,
        EMAIL_SEND,
        WEB_FETCH,
    )
}


def known(context: ToolContext) -> Mapping[str, Tool]:
    """Every tool that exists in this turn; a built-in name cannot be taken by an added tool."""
    every = {**context.added, **TOOLS}
    return {name: tool for name, tool in every.items() if name not in context.off}


def find(name: str, context: ToolContext) -> Tool | None:
    """One tool by name, or None where it does not exist or is switched off."""
    if name in context.off:
        return None
    return TOOLS.get(name) or context.added.get(name)


def problem(tool: Tool, arguments: object) -> str | None:
    """What is wrong with `arguments`, in words for the model, or None. Never repeats a value."""
    if not isinstance(arguments, Mapping):
        return "arguments must be a JSON object"
    try:
        first = mistake(tool.parameters, dict(arguments))
    except BadInput:
        return "the tool is described wrongly; an administrator has to look at it"
    if first is None:
        return None
    needed = tool.parameters.get("required", ())
    expects = ", ".join(
        f"{name} ({schema.get('type', 'value')}{', required' if name in needed else ''})"
        for name, schema in tool.parameters.get("properties", {}).items()
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
    tool = find(name, context)
    if tool is None or (allowed is not None and name not in allowed):
        names = ", ".join(allowed if allowed is not None else TOOLS) or "none"
        return refused(f"there is no tool of that name; there are: {names}")
    wrong = objection(tool, arguments, context)
    if wrong is not None or not isinstance(arguments, Mapping):
        return refused(wrong or "arguments must be a JSON object")
    try:
        return await tool.run(arguments, context)
    except NotDone as error:
        return refused(error.why)


def objection(tool: Tool, arguments: object, context: ToolContext) -> str | None:
    """Why this call cannot be made whatever a rule or a person says, or None.

    Asked before a person is: nobody should approve what will be refused anyway.
    """
    wrong = problem(tool, arguments)
    if wrong is not None or not isinstance(arguments, Mapping):
        return wrong or "arguments must be a JSON object"
    return tool.refuse(arguments, context) if tool.refuse else None


def described(
    names: Sequence[str], tools: Mapping[str, Tool] | None = None
) -> list[dict[str, Any]]:
    """The tools as a model is told of them: `name`, `description`, `parameters`."""
    among = TOOLS if tools is None else tools
    return [
        {
            "name": name,
            "description": among[name].description,
            "parameters": dict(among[name].parameters),
        }
        for name in names
        if name in among
    ]
