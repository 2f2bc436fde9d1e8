"""The lists and numbers inside rules that a form may change. Knows no screen and no store.

A rule's values are the literals in its text: reading finds them, writing exchanges one and leaves
every other character alone. A rule whose literals are not the declared ones was rewritten by hand;
then there is no form for it, only the text.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from guardrails.errors import BadInput
from guardrails.policy.engine import DEFAULT
from guardrails.policy.text import Piece, pieces, replaced

NOTHING = "-"  # Cedar refuses an empty list, so one that holds this alone is empty
EVERY = "*"
NUMBERS = frozenset({"bytes"})
MOST = 500  # values in one list
_STRING = r'"(?:[^"\\]|\\.)*"'
_LIST = re.compile(rf"\[\s*{_STRING}(?:\s*,\s*{_STRING})*\s*,?\s*\]")
_NUMBER = re.compile(r'(?<![\w."])\d+(?![\w."])')
_WIDTH = 100

Values = tuple[str, ...] | int


@dataclass(frozen=True, slots=True)
class Slot:
    """One literal of a rule. `kind` says what stands in it, `of` tells two of a rule apart."""

    rule: str
    name: str
    index: int

    @property
    def kind(self) -> str:
        """classes, locations, providers, departments, models, kinds, tools, types, roles, bytes."""
        return self.name.partition("@")[0]

    @property
    def of(self) -> str:
        """Role, data class or audience of this list; "" when the rule has one of its kind."""
        return self.name.partition("@")[2]


@cache
def slots(folder: Path = DEFAULT) -> dict[str, tuple[Slot, ...]]:
    """The slots of every rule that has some, in order."""
    declared: dict[str, list[str | None]] = yaml.safe_load((folder / "forms.yaml").read_text())
    return {
        rule: tuple(Slot(rule, name, at) for at, name in enumerate(names) if name)
        for rule, names in declared.items()
    }


def values(text: str, rule: str, folder: Path = DEFAULT) -> dict[str, Values] | None:
    """What stands in a rule's slots by name; None when it has none or was rewritten by hand."""
    piece = _piece(text, rule)
    if piece is None or not slots(folder).get(rule):
        return None
    found = _spans(piece, folder)
    if found is None:
        return None
    return {slot.name: _read(piece.text[slice(*span)]) for slot, span in found}


def changed(text: str, rule: str, name: str, new: Iterable[str] | int) -> str:
    """The text with one slot filled anew.

    Raises BadInput: `no-such-rule`, `rule-by-hand` when it was rewritten, `bad-field` for a value
    that cannot stand there.
    """
    piece = _piece(text, rule)
    if piece is None:
        raise BadInput("no-such-rule", rule=rule)
    for slot, (start, end) in _spans(piece, DEFAULT) or ():
        if slot.name == name:
            written = _written(slot, new, piece.text[:start])
            return replaced(text, rule, piece.text[:start] + written + piece.text[end:])
    raise BadInput("rule-by-hand", rule=rule)


def _piece(text: str, rule: str) -> Piece | None:
    return next((piece for piece in pieces(text) if piece.id == rule), None)


def _spans(piece: Piece, folder: Path) -> list[tuple[Slot, tuple[int, int]]] | None:
    """Each slot with its place in the rule's text, or None when they do not fit together."""
    names = yaml_names(folder).get(piece.id, [])
    pattern = _NUMBER if any(name in NUMBERS for name in names) else _LIST
    body = re.search(r"\b(?:permit|forbid)\s*\(", piece.text)
    begin = body.start() if body else 0
    found = [match.span() for match in pattern.finditer(piece.text, begin)]
    if len(found) != len(names):
        return None
    return [(slot, found[slot.index]) for slot in slots(folder)[piece.id]]


@cache
def yaml_names(folder: Path) -> dict[str, list[str | None]]:
    """Every declared literal by rule, the fixed ones too."""
    return dict(yaml.safe_load((folder / "forms.yaml").read_text()))


def _read(literal: str) -> Values:
    if literal.isdigit():
        return int(literal)
    found = [json.loads(string) for string in re.findall(_STRING, literal)]
    return tuple(value for value in found if value != NOTHING)


def _written(slot: Slot, new: Iterable[str] | int, before: str) -> str:
    if isinstance(new, int):
        if slot.kind not in NUMBERS or not 0 < new < 2**53:
            raise BadInput("bad-field", field=slot.name)
        return str(new)
    chosen = list(dict.fromkeys(value.strip() for value in new))
    if slot.kind in NUMBERS or len(chosen) > MOST or NOTHING in chosen:
        raise BadInput("bad-field", field=slot.name)
    if any(len(value) > 200 or not value.isprintable() for value in chosen):
        raise BadInput("bad-field", field=slot.name)
    quoted = [json.dumps(value, ensure_ascii=False) for value in chosen or [NOTHING]]
    line = f"[{', '.join(quoted)}]"
    column = len(before.rpartition("\n")[2])
    if column + len(line) <= _WIDTH:
        return line
    lines, indent = [""], " " * (column + 1)
    for value in quoted:
        if lines[-1] and len(indent) + len(lines[-1]) + len(value) > _WIDTH:
            lines.append("")
        lines[-1] += f"{value}, "
    return "[" + f"\n{indent}".join(line.rstrip() for line in lines).rstrip(",") + "]"
