"""Read the run's spreadsheets into an SQLite database in memory. Runs inside the seal."""

import csv
import datetime as dt
import io
import os
import re
import sqlite3
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_CELLS = 5_000_000
ENDINGS = (".csv", ".tsv", ".xlsx")
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:[ \u00a0\u202f']\d{3})+|\d+)(?:[.,]\d+)?%?")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")

_PLAIN = {ord('"'): "'", 0: None}  # of a column's name: a model writes it between double quotes

Value = str | int | float | None


class Stop(Exception):
    """Nothing can be done; the text says why, for the model."""


@dataclass(frozen=True)
class Table:
    """A sheet: `name` and `columns` as SQL knows them."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    rows: int
    file: str

    def __str__(self) -> str:
        named = ", ".join(
            f'"{name}" {kind}' for name, kind in zip(self.columns, self.kinds, strict=True)
        )
        return f"{self.name} ({named}), {self.rows} rows, from {self.file}"


def open_tables(wanted: str = "") -> tuple[sqlite3.Connection, list[Table]]:
    """Every spreadsheet in the working directory, or the one called `wanted`. Raises Stop."""
    found = sorted(name for name in os.listdir(".") if name.lower().endswith(ENDINGS))
    if wanted:
        exact = [name for name in found if name == wanted]
        found = exact or [name for name in found if name.lower() == wanted.lower()] or found
    if not found:
        raise Stop("there is no CSV or Excel file in this conversation; ask the person to add one")
    database = sqlite3.connect(":memory:")
    tables: list[Table] = []
    for name in found:
        for sheet, rows in _sheets(name):
            table = _fill(database, _free(sheet, tables), name, rows)
            if table:
                tables.append(table)
    if not tables:
        raise Stop("the file holds no table")
    if len(tables) == 1 and tables[0].name != "data":
        whole = quoted(tables[0].name)
        database.execute(f"CREATE VIEW data AS SELECT * FROM {whole}")  # noqa: S608  (quoted)
    return database, tables


def _sheets(name: str) -> Iterable[tuple[str, list[Sequence[object]]]]:
    stem = name.rpartition(".")[0]
    if name.lower().endswith(".xlsx"):
        import openpyxl

        book = openpyxl.load_workbook(name, read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # one stray cell at the far end claims all before it
            yield (
                stem if len(book.worksheets) == 1 else f"{stem}_{sheet.title}",
                [
                    row
                    for row in sheet.iter_rows(values_only=True)
                    if any(v is not None for v in row)
                ],
            )
        return
    with open(name, "rb") as handle:
        raw = handle.read()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    csv.field_size_limit(min(sys.maxsize, 1_000_000))
    yield stem, [row for row in csv.reader(io.StringIO(text), dialect) if any(row)]


def _fill(
    database: sqlite3.Connection, name: str, file: str, rows: list[Sequence[object]]
) -> Table | None:
    if len(rows) < 2:
        return None
    width = max(
        index + 1 for row in rows[:50] for index, cell in enumerate(row) if cell is not None
    )
    if width * len(rows) > MAX_CELLS or width > 500:
        raise Stop("the table is too large; ask for a smaller file")
    columns = _columns(rows[0], width)
    body = [[_value(cell) for cell in (*row, *([None] * width))[:width]] for row in rows[1:]]
    kinds = []
    for index in range(width):
        values = [row[index] for row in body if row[index] is not None]
        numeric = bool(values) and all(isinstance(value, int | float) for value in values)
        kinds.append("number" if numeric else "text")
        if not numeric:  # one column, one kind: a mixed one would sort and compare wrongly
            for row, source in zip(body, rows[1:], strict=True):
                row[index] = _text(source[index]) if index < len(source) else None
            for row, value in zip(body, _dates([row[index] for row in body]), strict=True):
                row[index] = value
    made = ", ".join(
        f"{quoted(column)} {'NUMERIC' if kind == 'number' else 'TEXT'}"
        for column, kind in zip(columns, kinds, strict=True)
    )
    database.execute(f"CREATE TABLE {quoted(name)} ({made})")
    marks = ", ".join("?" * width)
    database.executemany(f"INSERT INTO {quoted(name)} VALUES ({marks})", body)  # noqa: S608  (quoted)
    return Table(name, columns, tuple(kinds), len(body), file)


def quoted(name: str) -> str:
    """A table's or column's name as SQL takes it, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'


def _columns(head: Sequence[object], width: int) -> tuple[str, ...]:
    names: list[str] = []
    for index in range(width):
        cell = head[index] if index < len(head) else None
        name = " ".join(str(cell or f"column {index + 1}").translate(_PLAIN).split())[:80]
        while name.lower() in (one.lower() for one in names):
            name += "_2"
        names.append(name)
    return tuple(names)


def _free(text: str, tables: list[Table]) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"\W+", "_", plain).strip("_") or "data"
    # a name may not begin with a digit, nor as SQLite's own do
    name = f"t_{name}"[:60] if name[0].isdigit() or name.startswith("sqlite_") else name[:60]
    while name in (table.name for table in tables):
        name += "_2"
    return name


def _value(cell: object) -> Value:
    if cell is None or isinstance(cell, bool):
        return None if cell is None else int(cell)
    if isinstance(cell, int | float):
        return cell
    text = _text(cell)
    if text is None:
        return None
    if _NUMBER.fullmatch(text) and not re.match(
        r"0\d", text
    ):  # 0612… is no number but a telephone's
        plain = re.sub(r"[ \u00a0\u202f']", "", text).replace(",", ".")
        share = plain.endswith("%")
        number = float(plain.rstrip("%"))
        if share:
            return number / 100
        return int(number) if number.is_integer() and "." not in plain else number
    return text


def _text(cell: object) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    text = " ".join(str(cell).split())
    return text or None


def _dates(values: list[Value]) -> list[Value]:
    """A column of 13/01/2026 as 2026-01-13, so that dates compare; anything else as it was."""
    found = [_SLASHED.fullmatch(str(value)) for value in values if value is not None]
    if not found or not all(found):
        return values
    parts = [tuple(map(int, one.groups())) for one in found if one]
    # a day above 12 tells which comes first; where none does, the day comes first as in Europe
    month = 0 if any(one[1] > 12 for one in parts) else 1
    if any(one[month] > 12 for one in parts):
        return values
    days = iter(f"{one[2]}-{one[month]:02}-{one[1 - month]:02}" for one in parts)
    return [None if value is None else next(days) for value in values]
