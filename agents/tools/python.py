"""Python on the conversation's files, inside the seal. Nothing here runs code itself."""

from collections.abc import Mapping
from typing import Any

from agents.tools.base import Tool, ToolContext, ToolResult, refused

SHOWN_CHARACTERS = 6000
_WHY = {
    "timeout": "the code ran too long and was stopped; do less work",
    "memory": "the code needed too much memory and was stopped; read less data",
    "killed": "the code was stopped by the sandbox because it tried something that is not allowed",
}


def _code(text: str) -> str:
    # small models like to wrap code in a fence
    text = text.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        text = text.split("\n", 1)[1].rsplit("```", 1)[0]
    return text.strip("\n")


async def _run(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
    if context.execute is None:
        return refused("Python is not available here; answer without it")
    code = _code(str(arguments["code"]))
    done = await context.execute(code, context.files)
    output = done.output
    if len(output) > SHOWN_CHARACTERS:
        half = SHOWN_CHARACTERS // 2
        output = f"{output[:half]}\n… (cut) …\n{output[-half:]}"
    made = tuple(done.artefacts)
    if done.status != "ok":
        why = _WHY.get(done.status, "the code failed")
        return ToolResult(f"ERROR: {why}\n{output}".strip(), False, artefacts=made, code=code)
    names = ", ".join(str(one.name) for one in made)
    shown = output.strip() or "(no output: use print)"
    return ToolResult(
        f"{shown}\nFiles made: {names}" if names else shown, artefacts=made, code=code
    )


PYTHON = Tool(
    name="python",
    label_key="tool.python",
    description=(
        "Run Python (pandas, openpyxl, matplotlib) on the uploaded files, which lie in the current "
        "folder. Print the result. A saved .png becomes a picture for the person."
    ),
    side_effect="writes",
    parameters={
        "type": "object",
        "properties": {
            "code": {
                "type": "string",
                "description": "Python that prints its result",
                "minLength": 1,
                "maxLength": 20000,
            }
        },
        "required": ["code"],
        "additionalProperties": False,
    },
    run=_run,
    sealed=True,
    icon="square-terminal",
    restores=frozenset({"code"}),
)
