"""Tables of a document told row by row, each cell with its column's name, for small models.

A small model loses the column of a cell that stands three rows below the heading: asked which line
has no receipt, it named the wrong one. Knows Markdown tables, which is what documents are read to.
"""

import re
from collections.abc import Iterator

_RULE = re.compile(r"^\|(?:\s*:?-{2,}:?\s*\|)+\s*$")


def named_rows(text: str) -> str:
    """`text` with every row as `- No.: 7; Receipt: no`. Other lines stay as they are."""
    return "\n".join(_lines(text.split("\n")))


def _lines(lines: list[str]) -> Iterator[str]:
    names: list[str] = []
    for place, line in enumerate(lines):
        if not line.startswith("|"):
            names = []
            yield line
        elif place + 1 < len(lines) and _RULE.match(lines[place + 1]):
            names = _cells(line)
        elif not names:
            yield line
        elif not _RULE.match(line):
            cells = _cells(line)
            pairs = zip(names, cells, strict=False)
            told = "- " + "; ".join(f"{name}: {cell}" for name, cell in pairs if cell)
            yield told if len(cells) <= len(names) else line


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
