"""What is wrong with a policy text: each problem with its line, its rule and the nearest name.

Cedar says what is wrong but not where, and it does not know which values exist: a rule about
`"confidental"` data is valid and never matches. Both are found here. Nothing is decided.
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import cedarpy

from guardrails.policy import known
from guardrails.policy.catalogue import catalogue
from guardrails.policy.engine import ACTIONS
from guardrails.policy.text import Piece, pieces

Level = Literal["error", "warning"]
_ATTRIBUTE = re.compile(r"attribute `(\w+)`[^`]*not found")
_ACTION = re.compile(r'unrecognized action `Action::"([^"]*)"`')
_QUOTED = re.compile(r"`([^`]+)`|'([^']+)'")
_COMPARED = re.compile(r'context\.(\w+)\s*[!=]=\s*("(?:[^"\\]|\\.)*")')
_CONTAINED = re.compile(
    r'(\[(?:\s*"(?:[^"\\]|\\.)*"\s*,?)+\])\s*\.contains(?:Any|All)?\(\s*context\.(\w+)'
    r'|context\.(\w+)\.contains(?:Any|All)?\(\s*(\[[^\]]*\]|"(?:[^"\\]|\\.)*")'
)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `code` is a key for wording; `why` is Cedar's own sentence, English.

    `line` counts from 1; `nearest` is the valid name that was probably meant, or "".
    """

    line: int
    rule: str
    level: Level
    code: str
    why: str
    name: str = ""
    nearest: str = ""


def diagnose(text: str, schema_text: str) -> tuple[Problem, ...]:
    """All problems of a text, errors first, each group in order of lines."""
    schema = cedarpy.Schema.from_str(schema_text)
    found = [piece for piece in pieces(text) if piece.on]
    problems = [p for piece in found for p in _piece(piece, schema, schema_text)]
    named = {p.rule for p in problems if p.code == "unknown-action"}
    # Cedar says the same a second time for an action that it does not know
    problems = [p for p in problems if p.code != "never-applies" or p.rule not in named]
    problems += _ids(found)
    if not found:
        problems.append(Problem(1, "", "error", "no-rules", "there is no rule in this text"))
    return tuple(sorted(set(problems), key=lambda p: (p.level != "error", p.line, p.code)))


def _piece(piece: Piece, schema: Any, schema_text: str) -> Iterator[Problem]:
    try:
        result = cedarpy.validate_policies(piece.text, schema)
    except (ValueError, TypeError) as error:
        yield _parse_problem(piece, str(error))
        return
    for wrong in result.errors:
        why = str(wrong.error)
        if why.startswith("Policy parse error: "):
            yield _parse_problem(piece, why.removeprefix("Policy parse error: "))
            return
        yield _validation_problem(piece, re.sub(r"^for policy `[^`]*`, ", "", why), schema_text)
    yield from _values(piece)
    if piece.id and piece.id not in catalogue():
        said = piece.annotations()
        missing = [f"@{name}" for name in ("en", "fr", "instead_en", "instead_fr")
                   if not said.get(name, "").strip()]  # fmt: skip
        if missing:
            why = f"the rule has no sentence for people: {', '.join(missing)}"
            yield Problem(piece.line, piece.id, "error", "no-words", why, name=", ".join(missing))


def _parse_problem(piece: Piece, why: str) -> Problem:
    named = _QUOTED.search(why)
    token = (named.group(1) or named.group(2)) if named else ""
    words = ("permit", "forbid", "when", "unless", "principal", "action", "resource", "context")
    nearest = _nearest(token, words)
    if not token:  # "unexpected end of input": the rule's last line
        return Problem(_line(piece, len(piece.text)), piece.id, "error", "syntax", why)
    at = re.search(rf"(?<![=!<>]){re.escape(token)}(?![=])", piece.text)
    line = _line(piece, at.start() if at else 0)
    return Problem(line, piece.id, "error", "syntax", why, token, nearest)


def _validation_problem(piece: Piece, why: str, schema_text: str) -> Problem:
    if (attribute := _ATTRIBUTE.search(why)) is not None:
        name = attribute.group(1)
        nearest = _nearest(name, known.attributes(schema_text))
        return Problem(
            _where(piece, rf"\.\s*{re.escape(name)}\b"), piece.id, "error", "unknown-attribute",
            why, name, nearest,
        )  # fmt: skip
    if (action := _ACTION.search(why)) is not None:
        name = action.group(1)
        return Problem(
            _where(piece, re.escape(f'"{name}"')), piece.id, "error", "unknown-action", why, name,
            _nearest(name, ACTIONS),
        )  # fmt: skip
    if "applicable action" in why:  # said a second time for an unknown action
        return Problem(piece.line, piece.id, "error", "never-applies", why)
    if "empty set" in why:
        return Problem(_where(piece, r"\[\s*\]"), piece.id, "error", "empty-list", why)
    named = re.search(r"types (\w+) and (\w+)", why)
    code = "wrong-type" if named else "invalid"
    line = _where(piece, r"\b(?:when|unless)\b")
    return Problem(line, piece.id, "error", code, why)


def _values(piece: Piece) -> Iterator[Problem]:
    """Values that an attribute never has."""
    for match in _COMPARED.finditer(piece.text):
        yield from _strange(piece, match.group(1), match.group(2), match.start(2))
    for match in _CONTAINED.finditer(piece.text):
        name, part = (2, 1) if match.group(2) else (3, 4)
        yield from _strange(piece, match.group(name), match.group(part), match.start(part))


def _strange(piece: Piece, attribute: str, literal: str, start: int) -> Iterator[Problem]:
    allowed = known.CLOSED.get(attribute)
    for found in _STRING.finditer(literal):
        value = found.group(1)
        line = _line(piece, start + found.start())
        if allowed is not None and value not in (*allowed, "-"):
            why = f"{attribute} is never {value!r}"
            near = _nearest(value, allowed)
            yield Problem(line, piece.id, "error", "unknown-value", why, value, near)
        elif attribute in ("kind", "kinds") and not re.fullmatch(r"[A-Z][A-Z0-9_]*|-", value):
            near = _nearest(value.upper(), (*known.KINDS, "SECRET", "INJECTION"))
            why = f"{value!r} does not look like a kind of finding"
            yield Problem(line, piece.id, "warning", "doubtful-kind", why, value, near)


def _ids(found: list[Piece]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for piece in found:
        if not piece.id:
            yield Problem(piece.line, "", "error", "no-id", 'every rule needs @id("…")')
        elif piece.id in seen:
            why = f"this id is used in line {seen[piece.id]} already"
            yield Problem(piece.line, piece.id, "error", "id-twice", why, str(seen[piece.id]))
        seen.setdefault(piece.id, piece.line)


def _nearest(name: str, valid: Iterable[str]) -> str:
    names = [value for value in valid if value]
    begun = [value for value in names if len(name) > 2 and value.startswith(name) and value != name]
    close = begun or difflib.get_close_matches(name, names, 1, 0.6)
    return close[0] if close and close[0] != name else ""


def _where(piece: Piece, pattern: str) -> int:
    found = re.search(pattern, piece.text)
    return _line(piece, found.start() if found else 0)


def _line(piece: Piece, offset: int) -> int:
    return piece.line + piece.text[:offset].count("\n")
