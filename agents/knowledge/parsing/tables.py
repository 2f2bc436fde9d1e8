"""Rows and cells as text. Runs inside the seal."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from agents.knowledge.parsing.parts import MAX_ROWS, ROWS_PER_PAGE, ParseError, Part

_GAP = re.compile(r"(?: \| ?){200,}")  # cells of nothing before a stray one


def cell(value: object) -> str:
    """One cell as words; at most 500 characters of text."""
    import datetime as dt

    if value is None:
        return ""
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    if isinstance(value, float):
        return f"{value:.10g}"
    return " ".join(str(value).split())[:500]


def parts_of(rows: list[list[str]], title: str = "") -> Iterator[Part]:
    """Rows in parts that each begin with the heading row."""
    if not rows:
        return
    width = max(index + 1 for row in rows for index, cell in enumerate(row) if cell)
    least = min(width, len(rows[0]))  # a shorter row is filled up to its headings
    rows = [row + [""] * (least - len(row)) for row in rows]
    head = " | ".join(rows[0][:width])
    body = rows[1:] or [[]]
    for start in range(0, len(body), ROWS_PER_PAGE):
        lines = [f"# {title}"] if title else []
        lines += [head, *(" | ".join(row[:width]) for row in body[start : start + ROWS_PER_PAGE])]
        yield Part(text=_GAP.sub(" | … | ", "\n".join(lines)), page=None)


def comma_separated(text: str) -> Iterator[Part]:
    """A table as text, whatever separates its cells. Raises ParseError."""
    try:
        dialect: Any = csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text), dialect):
            cells = [cell(one) for one in row]
            if any(cells):
                rows.append(cells)
            if len(rows) > MAX_ROWS:
                raise ParseError("file-too-many-rows")
    except csv.Error as error:
        raise ParseError("file-broken") from error
    return parts_of(rows)
