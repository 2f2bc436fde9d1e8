"""One read-only SQL query over the run's spreadsheets. Runs inside the seal."""

import json
import sqlite3
import time

from agents.tools.sealed.files import Stop, Table, open_tables

MAX_ROWS = 60
MAX_CHARACTERS = 5000
SECONDS = 15.0
_READS = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE))
_FORBIDDEN = frozenset(("load_extension", "randomblob", "zeroblob", "fts3_tokenizer", "readfile"))


def main(given: str) -> None:
    """Print the rows of `{"sql": …, "file": …}`. Ends with a status of 1 and the reason."""
    asked = json.loads(given)
    try:
        database, tables = open_tables(str(asked.get("file") or ""))
        columns, rows, more = query(database, str(asked["sql"]), tables)
    except Stop as error:
        raise SystemExit(str(error)) from None
    print(shown(columns, rows, more))


def query(
    database: sqlite3.Connection, sql: str, tables: list[Table], most: int = MAX_ROWS
) -> tuple[list[str], list[tuple[object, ...]], bool]:
    """Column names, at most `most` rows, whether there are more. Raises Stop."""
    limit = time.monotonic() + SECONDS
    database.set_authorizer(_may)
    database.set_progress_handler(lambda: time.monotonic() > limit, 10_000)
    try:
        cursor = database.execute(sql.strip().rstrip(";"))
        rows = cursor.fetchmany(most + 1)
    except (sqlite3.Error, sqlite3.Warning) as error:
        why = "the query took too long" if time.monotonic() > limit else str(error)[:200]
        known = "; ".join(map(str, tables[:12]))
        raise Stop(
            f"{why}. Only one SELECT (SQLite) is possible; put names with spaces or accents in "
            f'double quotes. Tables: {known}. A single table is also called "data".'
        ) from None
    if cursor.description is None:
        raise Stop("only a SELECT gives a result")
    return [str(one[0]) for one in cursor.description], rows[:most], len(rows) > most


def shown(columns: list[str], rows: list[tuple[object, ...]], more: bool) -> str:
    """A table as text, bounded."""
    lines = [" | ".join(columns)]
    size = 0
    for row in rows:
        line = " | ".join(cell(value) for value in row)
        size += len(line)
        if size > MAX_CHARACTERS:
            more = True
            break
        lines.append(line)
    if not rows:
        lines.append("(no row)")
    elif len(rows) > 1 and not more:
        lines.append(f"({len(rows)} rows)")  # a small model that is not told leaves some out
    if more:
        lines.append(f"(only the first {len(lines) - 1} rows; sum up or filter for the rest)")
    return "\n".join(lines)


def cell(value: object) -> str:
    """One value in words; numbers without noise."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)[:300]


def _may(action: int, first: str | None, second: str | None, _where: object, _by: object) -> int:
    if action in _READS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and second not in _FORBIDDEN:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY
