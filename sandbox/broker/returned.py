"""What a tool returned, as a small model is told it: numbered rows, each cell with its column.

Given four rows under a heading, a small model names three. Numbered, and asked for as many lines
as there are rows, it names all. Knows the tables that `query_table` prints, and nothing else.
"""

import re

MOST = 12  # rows; more are no list that somebody reads
_COUNTED = re.compile(r"^\((\d{1,2}) rows\)$", re.MULTILINE)


def told(result: str) -> str:
    """`result` with its rows as `1. Item: Lamp; Stock: 3`; anything else as it is."""
    count = rows(result)
    lines = result.split("\n")
    end = next((place for place, line in enumerate(lines) if _COUNTED.match(line)), 0)
    if not count or end <= count:
        return result
    head = lines[end - count - 1]
    names = head.split(" | ")
    table = [line.split(" | ") for line in lines[end - count : end]]
    if len(names) < 2 or any(len(cells) != len(names) for cells in table):
        return result
    listed = [
        f"{number}. "
        + "; ".join(f"{name}: {cell}" for name, cell in zip(names, cells, strict=True))
        for number, cells in enumerate(table, 1)
    ]
    return "\n".join([*lines[: end - count - 1], *listed, *lines[end:]])


def rows(result: str) -> int:
    """How many rows it has, where it has several and few enough for a list; else 0."""
    found = _COUNTED.search(result)
    count = int(found[1]) if found else 0
    return count if 1 < count <= MOST else 0
