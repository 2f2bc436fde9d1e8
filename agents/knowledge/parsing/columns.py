"""Tables of a PDF page, found by where words stand. Runs inside the seal."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from agents.knowledge.parsing.parts import MALFORMED

# what pypdf may be asked to lay out: a page of the size that people make; each piece of text may
# bring thousands of spaces
_MOST_BYTES, _MOST_PIECES = 500_000, 5_000
_GAP = re.compile(r" {3,}")
_FEWEST_CELLS = 3
_FIGURE = re.compile(r"\d")
_FIGURES = re.compile(r"\d\S*\s(?:.*\s)?\S*\d")
_FEWEST_ROWS = (
    2  # lines of two figures and more; without them nothing is laid out, which takes time
)


def with_tables(text: str, page: Any) -> str:
    """`text` of a pypdf page, the lines of its tables as Markdown rows.

    "Office chair 6 £189.00 £1,134.00" does not say which figure is the quantity. A table is a
    heading without figures and rows of as many cells, three at least, one below the other; all
    other lines stay as they are, in their order.
    """
    lines = text.split("\n")
    if sum(_FIGURES.search(line) is not None for line in lines) < _FEWEST_ROWS:
        return text
    cells = _cells_by_line(page)
    return "\n".join(_told(lines, [cells.get(" ".join(line.split()), ()) for line in lines]))


def _cells_by_line(page: Any) -> dict[str, tuple[str, ...]]:
    from pypdf.errors import PyPdfError

    contents = page.get_contents()
    data = contents.get_data() if contents is not None else b""
    if len(data) > _MOST_BYTES or data.count(b"(") + data.count(b"<") > _MOST_PIECES:
        return {}
    try:
        laid = str(page.extract_text(extraction_mode="layout"))
    # the page has been read: its lines go on without columns, as those of a page too large do
    except (PyPdfError, MemoryError, *MALFORMED):
        return {}
    found = {}
    for line in laid.split("\n"):
        cells = tuple(" ".join(one.split()) for one in _GAP.split(line.strip()))
        if len(cells) >= _FEWEST_CELLS and "|" not in line:
            found[" ".join(cells)] = cells
    return found


def _told(lines: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    place = 0
    while place < len(lines):
        end = place + 1
        while end < len(lines) and rows[end] and len(rows[end]) == len(rows[place]):
            end += 1
        if end > place + 1 and not any(map(_FIGURE.search, rows[place])):
            yield _row(rows[place])
            yield _row(["---"] * len(rows[place]))
            yield from map(_row, rows[place + 1 : end])
            place = end
        else:
            yield lines[place]
            place += 1


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
