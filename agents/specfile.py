"""Read an agent file strictly: errors name file, line, key and the nearest valid key."""

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from agents.spec import AgentSpec, json_schema
from guardrails.errors import BadInput

MAX_BYTES = 256 * 1024
MAX_DEPTH = 12
Where = tuple[str | int, ...]


def read_spec(path: Path) -> AgentSpec:
    """The agent in a YAML file. Raises BadInput as `parse_spec` does, or `spec-unreadable`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput("spec-too-large", file=path.name, limit=MAX_BYTES)
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput("spec-unreadable", file=path.name) from error
    return parse_spec(text, path.name)


def parse_spec(text: str, file: str) -> AgentSpec:
    """The agent in YAML text.

    Raises BadInput with `file`, `line` (from 1) and `key`: `spec-not-yaml`, `spec-double-key`,
    `spec-unknown-key` (with `nearest`), `spec-missing-key`, `spec-bad-value` (with `why`).
    """
    if len(text.encode()) > MAX_BYTES:
        raise BadInput("spec-too-large", file=file, limit=MAX_BYTES)
    try:
        _refuse_growth(text, file)
        node = yaml.compose(text, yaml.SafeLoader)
        lines: dict[Where, int] = {}
        _lines(node, (), lines, file)
        values = yaml.safe_load(text)
    except RecursionError as error:
        raise BadInput("spec-not-yaml", file=file, line=1, why="nested too deeply") from error
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or "this is not YAML"
        raise BadInput(
            "spec-not-yaml", file=file, line=mark.line + 1 if mark else 1, why=why
        ) from error
    if not isinstance(values, dict):
        raise BadInput("spec-not-yaml", file=file, line=1, why="the file must hold keys and values")
    try:
        return AgentSpec.model_validate(values)
    except ValidationError as error:
        raise _explained(error, lines, file) from error


def _refuse_growth(text: str, file: str) -> None:
    """Aliases let a short file grow without bound, deep nesting costs quadratic time."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise BadInput("spec-not-yaml", file=file, line=line, why="aliases are not allowed")
        if depth > MAX_DEPTH:
            raise BadInput("spec-not-yaml", file=file, line=line, why="nested too deeply")


def _lines(node: Any, where: Where, lines: dict[Where, int], file: str) -> None:
    if node is None:
        return
    lines.setdefault(where, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            line = key.start_mark.line + 1
            if name in seen:
                raise BadInput("spec-double-key", file=file, line=line, key=name)
            seen.add(name)
            lines[(*where, name)] = line
            _lines(value, (*where, name), lines, file)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _lines(value, (*where, index), lines, file)


def _explained(error: ValidationError, lines: dict[Where, int], file: str) -> BadInput:
    problems = error.errors(include_input=False, include_url=False)
    # an unknown key is most often the cause of a missing one: name it first
    problems.sort(key=lambda problem: problem["type"] != "extra_forbidden")
    first = problems[0]
    where: Where = first["loc"]
    line = next((lines[where[:n]] for n in range(len(where), -1, -1) if where[:n] in lines), 1)
    key = ".".join(map(str, where)) or "(file)"
    if first["type"] == "extra_forbidden":
        nearest = nearest_key(where)
        return BadInput("spec-unknown-key", file=file, line=line, key=key, nearest=nearest)
    if first["type"] == "missing":
        return BadInput("spec-missing-key", file=file, line=line, key=key)
    return BadInput("spec-bad-value", file=file, line=line, key=key, why=first["msg"])


def nearest_key(where: Where) -> str:
    """The valid key that the last part of `where` most likely meant."""
    schema = json_schema()
    here: dict[str, Any] = schema
    for part in where[:-1]:
        here = _inside(schema, here)
        here = here.get("items", {}) if isinstance(part, int) else here["properties"].get(part, {})
    valid: list[str] = list(_inside(schema, here).get("properties", {})) or list(
        schema["properties"]
    )
    close = difflib.get_close_matches(str(where[-1]), valid, 1, 0.3)
    return close[0] if close else valid[0]


def _inside(schema: dict[str, Any], here: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in here:
        here = next((one for one in here["anyOf"] if one.get("type") != "null"), here)
    if "$ref" in here:
        here = schema["$defs"][here["$ref"].rsplit("/", 1)[1]]
    return here
