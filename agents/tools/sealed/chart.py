"""One chart from the run's spreadsheets, with its words and its figures. Runs inside the seal."""

import json
import sqlite3
from typing import Any

from agents.tools.sealed.files import Stop, Table, open_tables, quoted
from agents.tools.sealed.table import cell, query

POINTS = 400
BARS = 40
SLICES = 12
AGGREGATES = {"sum": "SUM", "mean": "AVG", "count": "COUNT", "min": "MIN", "max": "MAX"}
COLOUR = "#2F6F6D"


def main(given: str) -> None:
    """Save chart.png and chart.csv; print the alternative text and the figures."""
    asked = json.loads(given)
    try:
        database, tables = open_tables(str(asked.get("file") or ""))
        title, columns, rows = figures(database, tables, asked)
    except Stop as error:
        raise SystemExit(str(error)) from None
    draw(str(asked["kind"]), title, columns, rows)
    save(columns, rows)
    print(words(str(asked["kind"]), title, columns, rows))


def figures(
    database: sqlite3.Connection, tables: list[Table], asked: dict[str, Any]
) -> tuple[str, list[str], list[tuple[object, ...]]]:
    """The title, two column names, and the points. Raises Stop."""
    kind = str(asked["kind"])
    if asked.get("sql"):
        columns, rows, _ = query(database, str(asked["sql"]), tables, POINTS)
        if len(columns) < 2 and kind != "histogram":
            raise Stop("the query must give two columns: the labels, then the numbers")
        title = str(asked.get("title") or columns[-1])
        return title, columns[:2], [row[:2] for row in rows]
    if not asked.get("x"):
        raise Stop("say which column is x (and y), or give a sql query of two columns")
    table, x = _column(tables, str(asked["x"]))
    y = _column([table], str(asked["y"]))[1] if asked.get("y") else ""
    if kind in ("scatter", "histogram"):
        wanted = quoted(x) + (f", {quoted(y)}" if kind == "scatter" and y else "")
        sql = f"SELECT {wanted} FROM {quoted(table.name)}"  # noqa: S608  (quoted)
        columns, rows, _ = query(database, sql, tables, POINTS)
        return str(asked.get("title") or " / ".join(columns)), columns, rows
    how = str(asked.get("aggregate") or ("sum" if y else "count"))
    value = f"{AGGREGATES[how]}({quoted(y)})" if y and how != "count" else "COUNT(*)"
    order = "1" if kind == "line" else "2 DESC"
    chosen = f"SELECT {quoted(x)}, {value} FROM {quoted(table.name)}"  # noqa: S608  (quoted)
    sql = f"{chosen} WHERE {quoted(x)} IS NOT NULL GROUP BY 1 ORDER BY {order}"
    _, rows, _ = query(database, sql, tables, POINTS)
    name = f"{how} of {y}" if y else "count"
    return str(asked.get("title") or f"{name} by {x}"), [x, name], rows


def _column(tables: list[Table], name: str) -> tuple[Table, str]:
    for table in tables:
        for column in table.columns:
            if column.lower() == name.strip().lower():
                return table, column
    known = "; ".join(map(str, tables[:12]))
    raise Stop(f"there is no column {name[:60]!r}. Tables: {known}")


def draw(kind: str, title: str, columns: list[str], rows: list[tuple[object, ...]]) -> None:
    """Save chart.png. Raises SystemExit when the points are no numbers."""
    import matplotlib.pyplot as plt

    labels = [cell(row[0]) for row in rows]
    values = [_number(row[-1]) for row in rows]
    figure, axes = plt.subplots(figsize=(8, 4.5), dpi=120)
    if kind == "pie":
        rest = sum(values[SLICES - 1 :])
        if len(values) > SLICES:
            labels, values = [*labels[: SLICES - 1], "…"], [*values[: SLICES - 1], rest]
        axes.pie([max(0.0, one) for one in values], labels=labels, autopct="%1.0f%%")
    elif kind == "line":
        axes.plot(range(len(values)), values, marker="o", color=COLOUR)
        _labels(axes, labels)
    elif kind == "scatter":
        axes.scatter([_number(row[0]) for row in rows], values, color=COLOUR)
    elif kind == "histogram":
        axes.hist(values, bins=min(20, max(5, len(values) // 5)), color=COLOUR)
    else:
        axes.bar(range(len(values[:BARS])), values[:BARS], color=COLOUR)
        _labels(axes, labels[:BARS])
    if kind != "pie":
        axes.set_xlabel(columns[0])
        axes.set_ylabel(columns[-1] if kind != "histogram" else "")
        axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(title[:120])
    # a histogram of one value has one bar, so that the kind is said and not guessed
    told = {"kind": kind, "title": title, "x": columns[0], "y": columns[-1]}
    if kind == "histogram":
        del told["y"]
    about = json.dumps({name: text[:160] for name, text in told.items()})
    figure.savefig("chart.png", bbox_inches="tight", metadata={"Description": about})
    plt.close(figure)


def _labels(axes: Any, labels: list[str]) -> None:
    step = max(1, len(labels) // 20)
    places = list(range(0, len(labels), step))
    long = max((len(label) for label in labels), default=0) > 8
    axes.set_xticks(places, [labels[place][:24] for place in places], rotation=45 if long else 0)


def _number(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise SystemExit(f"{str(value)[:40]!r} is not a number; choose a column of numbers for y")


def save(columns: list[str], rows: list[tuple[object, ...]]) -> None:
    """The chart's figures as chart.csv, for who cannot see it."""
    import csv

    with open("chart.csv", "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerows([columns, *([cell(value) for value in row] for row in rows)])


def words(kind: str, title: str, columns: list[str], rows: list[tuple[object, ...]]) -> str:
    """The chart in words, then its first figures."""
    values = [(_number(row[-1]), cell(row[0])) for row in rows]
    told = f"{kind} chart “{title}”, {len(rows)} points"
    if values and kind not in ("scatter", "histogram"):
        high, low = max(values), min(values)
        told += f"; highest {high[1]} ({cell(high[0])}), lowest {low[1]} ({cell(low[0])})"
    lines = [" | ".join(cell(value) for value in row) for row in rows[:BARS]]
    return "\n".join([f"Alternative text: {told}.", " | ".join(columns), *lines])
