"""Keep ended spans: rows of `spans`, and for roots a row of `traces`. Knows nothing of tracing."""

import json
from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from guardrails.audit import conventions
from guardrails.audit.canonical import storable
from guardrails.audit.tables import spans as spans_table
from guardrails.audit.tables import traces as traces_table
from guardrails.audit.writing import begin_writing, write_lock

_ADVISORY_LOCK = 0x41545350


def ordered_id(start_us: int, random: str) -> int:
    """A row id that sorts by time: microseconds and ten bits of a hex id."""
    return (start_us << 10) | (int(random[-3:], 16) & 0x3FF)


class StoreExporter(SpanExporter):
    """Writes spans and, for roots, trace rows in one transaction a batch."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = write_lock(engine)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Raises what SQLAlchemy raises; the queue counts it."""
        rows = [span_row(span) for span in spans]
        roots = [trace_row(row) for row in rows if row.pop("root")]
        for row in rows:
            row["attributes"] = storable(json.dumps(row["attributes"], ensure_ascii=False))
        with self._lock, self._engine.connect() as connection:
            begin_writing(connection, _ADVISORY_LOCK)
            insert(connection, spans_table, rows)
            insert(connection, traces_table, roots)
            connection.commit()
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing is held open."""


def insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, object]]) -> None:
    """Insert all rows at once, or one by one when an id is taken.

    An id can be taken by a batch that was committed but reported as failed (then it is the same
    span: nothing to do), or by another span of the same microsecond (then the next id is free).
    """
    if not rows:
        return
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(table), rows)
        return
    except sa.exc.IntegrityError:
        pass
    same = ("trace_id", "span_id") if "span_id" in table.c else ("trace_id",)
    for row in rows:
        known = sa.select(sa.literal(1)).where(*(table.c[name] == row[name] for name in same))
        if connection.scalar(known):
            continue
        identity = row["id"]
        assert isinstance(identity, int)  # noqa: S101 -- made by span_row and trace_row
        while connection.scalar(sa.select(sa.literal(1)).where(table.c.id == identity)):
            identity += 1
        connection.execute(sa.insert(table), {**row, "id": identity})


def span_row(span: ReadableSpan) -> dict[str, object]:
    """Columns of `spans` (attributes still a mapping) and `root`."""
    context = span.get_span_context()
    assert context is not None  # noqa: S101 -- an ended SDK span always has one
    start, end = span.start_time or 0, span.end_time or 0
    attributes = dict(span.attributes or {})
    span_id = f"{context.span_id:016x}"
    if span.events:
        attributes["app.events"] = json.dumps(
            [{"name": e.name, **dict(e.attributes or {})} for e in span.events]
        )
    return {
        "id": ordered_id(start // 1000, span_id),
        "trace_id": f"{context.trace_id:032x}",
        "span_id": span_id,
        "parent_id": f"{span.parent.span_id:016x}" if span.parent else None,
        "name": storable(span.name),
        "kind": str(attributes.pop(conventions.OPENINFERENCE_KIND, "CHAIN")),
        "start": start // 1000,
        "duration": max(0, end - start) // 1000,
        "status": span.status.status_code.name.lower(),
        "attributes": attributes,
        "root": bool(attributes.pop(conventions.ROOT, False)),
    }


def trace_row(row: Mapping[str, object]) -> dict[str, object]:
    """Columns of `traces` from a root span's row."""
    attributes = row["attributes"]
    assert isinstance(attributes, dict)  # noqa: S101 -- made by span_row

    def text(word: str, default: str = "") -> str:
        return storable(str(conventions.read(attributes, word, default)))

    def number(word: str) -> float:
        value = conventions.read(attributes, word, 0)
        return float(value) if isinstance(value, int | float) else 0.0

    def padded(word: str) -> str:
        value = conventions.read(attributes, word, ())
        items = value.split() if isinstance(value, str) else list(_strings(value))
        return f" {' '.join(items)} " if items else ""

    start = row["start"]
    assert isinstance(start, int)  # noqa: S101 -- made by span_row
    tokens = number("tokens") or number("input_tokens") + number("output_tokens")
    return {
        "id": ordered_id(start, str(row["trace_id"])),
        "trace_id": row["trace_id"],
        "person": text("person"),
        "department": text("department"),
        "agent": text("agent"),
        "version": text("version"),
        "conversation": text("conversation"),
        "verdict": text("verdict", "allowed"),
        "rule": text("rule"),
        "request": text("request"),
        "model": text("model"),
        "model_kind": text("model_kind"),
        "location": text("location"),
        "data_class": text("data_class"),
        "kinds": padded("kinds"),
        "tools": padded("tools"),
        "tokens": int(tokens),
        "cost": round(number("cost") * 1_000_000),
        "duration": row["duration"],
        "purpose": text("purpose", "chat"),
    }


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, list | tuple):
        yield from map(str, value)
