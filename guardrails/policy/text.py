"""A policy text taken apart into its rules, with lines. Knows Cedar's surface, decides nothing.

A rule that is switched off stays in the text as a comment whose lines begin with `//~ `: its
parameters are kept, Cedar does not see it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

OFF = "//~ "
_ID = re.compile(r'@id\(\s*"([^"]*)"\s*\)')
_ANNOTATION = re.compile(r'@(\w+)\(\s*"((?:[^"\\]|\\.)*)"\s*\)')
# one token of Cedar's surface: a comment, a string, the end of a rule, or anything else
_TOKEN = re.compile(r'//[^\n]*|"(?:[^"\\]|\\.)*"|;|[^/";]+|.', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """One rule as it stands in a text. `text` runs from its `@id` to its `;`, without `//~ `.

    `start` and `end` are offsets into the whole text, `line` counts from 1; `id` is "" when the
    rule has none.
    """

    id: str
    text: str
    start: int
    end: int
    line: int
    on: bool = True

    def annotations(self) -> dict[str, str]:
        """`@name("value")` pairs before the rule's own words."""
        effect = re.search(r"\b(permit|forbid)\s*\(", self.text)
        head = self.text[: effect.start()] if effect else self.text
        return {name: _unquoted(value) for name, value in _ANNOTATION.findall(head)}


def pieces(text: str) -> list[Piece]:
    """All rules of a text in order, also those that are switched off."""
    found = [*_live(text), *_off(text)]
    return sorted(found, key=lambda piece: piece.start)


def switched(text: str, rule: str, on: bool) -> str:
    """The text with one rule switched on or off; unchanged when it is so already."""
    for piece in pieces(text):
        if piece.id == rule and piece.on != on:
            raw = text[piece.start : piece.end]
            lines = raw.splitlines()
            if on:
                new = "\n".join(line.removeprefix(OFF.rstrip()).removeprefix(" ") for line in lines)
            else:
                new = "\n".join(OFF + line for line in lines)
            return text[: piece.start] + new + text[piece.end :]
    return text


def replaced(text: str, rule: str, new: str) -> str:
    """The text with a rule's own words exchanged, whether it is on or off."""
    for piece in pieces(text):
        if piece.id == rule:
            if not piece.on:
                new = "\n".join(OFF + line for line in new.splitlines())
            return text[: piece.start] + new + text[piece.end :]
    return text


def _live(text: str) -> Iterator[Piece]:
    start: int | None = None
    for token in _TOKEN.finditer(text):
        word = token.group()
        if word.startswith("//"):
            continue
        if start is None and word.strip() and word != ";":
            start = token.start() + len(word) - len(word.lstrip())
        if word == ";" and start is not None:
            yield _piece(text, start, token.end())
            start = None
    if start is not None and text[start:].strip():
        yield _piece(text, start, len(text.rstrip()))


def _off(text: str) -> Iterator[Piece]:
    block = re.compile(r"(?:^//~[^\n]*\n?)+", re.MULTILINE)
    for run in block.finditer(text):
        plain, offsets = [], []
        at = run.start()
        for line in run.group().splitlines(keepends=True):
            offsets.append(at)
            plain.append(line.removeprefix(OFF.rstrip()).removeprefix(" "))
            at += len(line)
        inner = "".join(plain)
        for piece in _live(inner):
            first = inner[: piece.start].count("\n")
            last = inner[: piece.end].count("\n")
            end = offsets[last] + len(text[offsets[last] :].split("\n", 1)[0])
            number = text[: offsets[first]].count("\n") + 1
            yield Piece(piece.id, piece.text, offsets[first], end, number, on=False)


def _piece(text: str, start: int, end: int) -> Piece:
    words = text[start:end]
    named = _ID.search(words)
    return Piece(named.group(1) if named else "", words, start, end, text[:start].count("\n") + 1)


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value)
