"""What stands in the columns of a table that a tool will read, for small models.

Shown the first rows alone, a small model does not know that a later row says "Desk", and asks for
the total of all. Knows tables as documents are read to: cells between bars, one row a line.
"""

import re
from collections.abc import Sequence

MOST = 12  # different values; a column of more is no list of kinds
COLUMNS = 4
ROWS = 2000  # that are looked at
LONG = 24  # characters of a value
_NUMBER = re.compile(r"^[-+]?[\d\s.,%€$£:/-]*$")


def values(text: str) -> list[str]:
    """`Column Product holds Chair, Desk` for each column whose few words come again and again.

    "Column" and "holds" on both sides: in "Values of Entrepôt: Lyon" two places are found.
    """
    rows = [_cells(line) for line in text.split("\n", ROWS)[:ROWS] if " | " in line]
    if len(rows) < 3:
        return []
    names, *body = rows
    body = [row for row in body if len(row) == len(names) and row != names]
    found = [
        f"Column {name} holds {', '.join(sorted(kinds))}"
        for place, name in enumerate(names)
        if (kinds := _kinds([row[place] for row in body]))
    ]
    return found[:COLUMNS]


def _kinds(cells: Sequence[str]) -> set[str]:
    kinds = {cell for cell in cells if cell}
    words = all(len(one) <= LONG and not _NUMBER.match(one) for one in kinds)
    again = len(kinds) * 2 <= len(cells)  # each row's own name is no kind
    return kinds if words and again and 1 < len(kinds) <= MOST else set()


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split(" | ")]
