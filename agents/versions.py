"""Versions of an agent: numbers, what differs field by field and line by line, what needs review.

Knows nothing of who asks or decides.
"""

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agents.spec import AgentSpec

Bump = Literal["major", "minor", "patch"]
Sign = Literal["same", "added", "removed"]
FIRST = "1.0.0"
# what an agent can do, what it reads and what it is told: a person looks at these again
REVIEWED = (
    "instructions", "model", "tools", "knowledge", "data_class", "guard", "limits", "languages",
)  # fmt: skip
CONTEXT = 2  # unchanged lines shown around a change


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff. `place` is `field:number` (from 1) in the newer text, "" if removed."""

    sign: Sign
    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs, e.g. `instructions.en`. `reviewed`: somebody has to look at it."""

    field: str
    reviewed: bool
    lines: tuple[Line, ...]


def next_version(last: str, bump: Bump) -> str:
    """The semantic version after `last` ("" before the first one)."""
    if not last:
        return FIRST
    major, minor, patch = map(int, last.split("."))
    if bump == "major":
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if bump == "minor" else f"{major}.{minor}.{patch + 1}"


def order(version: str) -> tuple[int, ...]:
    """A version as numbers, to sort by."""
    return tuple(map(int, version.split(".")))


def version_hash(spec: AgentSpec, documents: Mapping[str, str]) -> str:
    """SHA-256 (hex) of a version: the agent and every document it reads, by name and SHA-256.

    Without documents it is the agent's own hash.
    """
    own = spec.content_hash()
    if not documents:
        return own
    body = json.dumps([own, sorted(documents.items())], ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()


def changes(before: AgentSpec | None, after: AgentSpec) -> tuple[Change, ...]:
    """Every field that differs, those that need review first; all fields when there was none."""
    old = texts(before) if before else {}
    new = texts(after)
    names = [*new, *(name for name in old if name not in new)]
    found = []
    for name in names:
        was, now = old.get(name, []), new.get(name, [])
        if was != now:
            found.append(Change(name, _top(name) in REVIEWED, _lines(name, was, now)))
    return tuple(sorted(found, key=lambda change: not change.reviewed))


def needs_review(before: AgentSpec | None, after: AgentSpec) -> tuple[str, ...]:
    """Top fields that differ and that somebody has to look at; all of them without a `before`."""
    if before is None:
        return REVIEWED
    was, now = before.model_dump(mode="json"), after.model_dump(mode="json")
    return tuple(name for name in REVIEWED if was[name] != now[name])


def texts(spec: AgentSpec) -> dict[str, list[str]]:
    """The agent as lines of text by dotted field; empty fields and bookkeeping are left out."""
    found: dict[str, list[str]] = {}
    body = spec.model_dump(mode="json", exclude={"id", "version", "owner"})
    body["cases"] = [case.model_dump(mode="json", exclude_defaults=True) for case in spec.cases]
    for name, value in body.items():
        _flatten(name, value, found)
    return found


def _flatten(name: str, value: Any, into: dict[str, list[str]]) -> None:
    if isinstance(value, Mapping) and name.count(".") < 2 and not name.startswith("cases"):
        for key, inner in value.items():
            _flatten(f"{name}.{key}", inner, into)
    elif name == "cases":
        for case in value:
            into[f"cases.{case['id']}"] = _plain(
                {key: inner for key, inner in case.items() if key != "id"}
            )
    elif value not in ("", None, [], {}):
        into[name] = _plain(value)


def _plain(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.splitlines() or [""]
    if isinstance(value, Mapping):
        kept = {
            key: inner for key, inner in value.items() if inner not in ("", None, [], {}, False)
        }
        return [f"{key}: {_word(inner)}" for key, inner in kept.items()]
    if isinstance(value, list):
        return [_word(inner) for inner in value]
    return [_word(value)]


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _lines(name: str, was: Sequence[str], now: Sequence[str]) -> tuple[Line, ...]:
    lines: list[Line] = []
    matcher = difflib.SequenceMatcher(None, was, now, autojunk=False)
    for tag, a0, a1, b0, b1 in matcher.get_opcodes():
        if tag == "equal":
            for at in range(b0, b1):
                near = (at - b0 < CONTEXT and b0 > 0) or (b1 - at <= CONTEXT and b1 < len(now))
                if near or b1 - b0 <= 2 * CONTEXT:
                    lines.append(Line("same", now[at], f"{name}:{at + 1}"))
            continue
        lines += [Line("removed", text) for text in was[a0:a1]]
        lines += [Line("added", now[at], f"{name}:{at + 1}") for at in range(b0, b1)]
    return tuple(lines)


def _top(name: str) -> str:
    return name.partition(".")[0]
