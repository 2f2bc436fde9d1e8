"""The record for other tools: OCSF 1.9 JSON Lines, CSV, OTLP. Masked like the record itself."""

import base64
import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa

from guardrails.audit.chain import GENESIS
from guardrails.audit.search import Traces
from guardrails.audit.tables import ledger, spans, traces
from guardrails.audit.trace_rows import TraceFilter, TraceRow

OCSF_VERSION: Final = "1.9.0"
PROFILES: Final = ("ai_operation", "record_integrity")
_CLASS = 6003  # API Activity, category 6 Application Activity
_ACTIVITIES = {"create": 1, "read": 2, "update": 3, "delete": 4, "other": 99}
_BY_KIND = {
    "model.call": "read", "tool.call": "other", "file.in": "create", "artefact.out": "create",
    "trace.view": "read", "audit.search": "read", "export": "read", "erasure": "delete",
    "agent.save": "update", "user.add": "create", "policy.activate": "update",
}  # fmt: skip
_SHA256 = {"algorithm": "SHA-256", "algorithm_id": 3}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # OWASP, CSV injection
_FETCH = 1_000

COLUMNS: Final = (
    "when", "trace_id", "person", "department", "agent", "version", "verdict", "rule", "model",
    "location", "data_class", "kinds", "tools", "tokens", "cost", "duration_ms", "request",
)  # fmt: skip


def ocsf(
    engine: sa.Engine,
    first: int = 1,
    last: int | None = None,
    filter: TraceFilter | None = None,
) -> Iterator[str]:
    """Ledger rows `first`..`last` as OCSF API Activity events, one JSON object a line.

    The attestation carries the row's place in the chain, so that a receiver can prove the order
    and completeness of what it got. With a `filter`: rows of its time; and, when it asks for more
    than a time, rows of the turns that it matches.
    """
    before = ledger.alias()
    query = (
        sa.select(
            ledger, before.c.hash.label("previous"),
            traces.c.model, traces.c.model_kind, traces.c.tokens, traces.c.duration,
        )
        .select_from(
            ledger.outerjoin(traces, traces.c.trace_id == ledger.c.trace_id)
            .outerjoin(before, before.c.seq == ledger.c.seq - 1)
        )
        .where(ledger.c.seq >= first)
        .order_by(ledger.c.seq)
    )  # fmt: skip
    if last is not None:
        query = query.where(ledger.c.seq <= last)
    with engine.connect() as connection:
        if filter is not None:
            query = query.where(*_of_filter(engine, connection, filter))
        for row in connection.execute(query).yield_per(_FETCH):
            yield json.dumps(_event(row, row.previous or GENESIS), ensure_ascii=False)


def _of_filter(
    engine: sa.Engine, connection: sa.Connection, filter: TraceFilter
) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    if filter.since:
        where.append(ledger.c.at >= int(filter.since.timestamp() * 1e6))
    if filter.until:
        where.append(ledger.c.at < int(filter.until.timestamp() * 1e6))
    if replace(filter, since=None, until=None) != TraceFilter():
        # a turn's acts may lie a little after the turn's start: the turns decide, not the acts
        where = [ledger.c.trace_id.in_(Traces(engine).matching(connection, filter))]
    return where


def _event(row: Any, previous: str) -> dict[str, object]:
    activity = _BY_KIND.get(row.kind, "other")
    status = {"allow": (1, "Success"), "deny": (2, "Failure")}.get(row.verdict, (99, row.verdict))
    event: dict[str, object] = {
        "activity_id": _ACTIVITIES[activity],
        "activity_name": activity.capitalize() if activity != "other" else row.kind,
        "category_uid": 6,
        "category_name": "Application Activity",
        "class_uid": _CLASS,
        "class_name": "API Activity",
        "type_uid": _CLASS * 100 + _ACTIVITIES[activity],
        "severity_id": 3 if row.verdict == "deny" else 1,
        "status_id": status[0],
        "status": status[1],
        "time": row.at // 1000,
        "actor": {"user": {"uid": row.actor}},
        "api": {"operation": row.kind, "service": {"name": "atelier"}},
        "src_endpoint": {"name": "atelier"},
        "metadata": {
            "version": OCSF_VERSION,
            "profiles": list(PROFILES),
            "product": {"name": "Atelier", "vendor_name": "Atelier"},
            "uid": str(row.seq),
            "sequence": row.seq,
            "correlation_uid": row.trace_id or None,
        },
        "attestation": {
            "uid": str(row.seq),
            "chain_uid": GENESIS[:32],
            "fingerprint": {**_SHA256, "value": row.hash, "serialization": "RFC 8785",
                            "serialization_id": 99},
            "prev_event": {"uid": str(row.seq - 1),
                           "fingerprint": {**_SHA256, "value": previous}},
        },
        "unmapped": {"step": row.step, "intent": row.intent, "rule": row.rule,
                     "verdict": row.verdict, "conversation": row.conversation},
    }  # fmt: skip
    metadata = event["metadata"]
    assert isinstance(metadata, dict)  # noqa: S101 -- built above
    if metadata["correlation_uid"] is None:
        del metadata["correlation_uid"]
    model = {"name": row.model, "ai_provider": row.model_kind or "unknown"} if row.model else None
    if row.agent:
        event["ai_agent"] = {"name": row.agent, "version": row.version or "0"} | (
            {"ai_model": model} if model else {}
        )
    elif model:
        event["ai_model"] = model
    if row.kind == "model.call" and row.tokens:
        event["message_context"] = {
            "service": {"name": "atelier"},
            "total_tokens": row.tokens,
        }
    return event


def to_csv(traces: Traces, filter: TraceFilter | None = None, most: int = 100_000) -> Iterator[str]:
    """Traces as CSV lines with a header, newest first. No cell can start a formula."""
    yield _line(COLUMNS)
    for row in islice(_rows(traces, filter or TraceFilter()), most):
        yield _line([_cell(row, name) for name in COLUMNS])


def safe_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula: a quote goes before = + - @, tab and return."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def otlp(engine: sa.Engine, endpoint: str, filter: TraceFilter | None = None) -> int:
    """Send stored spans of matching traces to an OTLP/HTTP collector; returns how many.

    Raises ConnectionError when the collector does not take a batch.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    exporter = OTLPSpanExporter(endpoint=endpoint)
    sent = 0
    try:
        for batch in _span_batches(engine, filter):
            if exporter.export(batch) is not SpanExportResult.SUCCESS:
                raise ConnectionError("the collector did not take the spans")
            sent += len(batch)
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]
    return sent


def otlp_lines(engine: sa.Engine, filter: TraceFilter | None = None) -> Iterator[str]:
    """Stored spans of matching traces as OTLP/JSON, one ExportTraceServiceRequest a line.

    The form of OpenTelemetry's file exporter: a collector's `otlpjsonfile` receiver reads it.
    """
    from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    for batch in _span_batches(engine, filter):
        plain = MessageToDict(encode_spans(batch), use_integers_for_enums=True)
        for resource in plain.get("resourceSpans", ()):
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    # OTLP's JSON has ids in hex, protobuf's in base64
                    for name in ("traceId", "spanId", "parentSpanId"):
                        if name in span:
                            span[name] = base64.b64decode(span[name]).hex()
        yield json.dumps(plain, ensure_ascii=False)


def _span_batches(engine: sa.Engine, filter: TraceFilter | None) -> Iterator[list[Any]]:
    rows = _rows(Traces(engine), filter or TraceFilter())
    while names := [row.trace_id for row in islice(rows, 100)]:
        with engine.connect() as connection:
            query = sa.select(spans).where(spans.c.trace_id.in_(names)).order_by(spans.c.id)
            yield [_readable(span) for span in connection.execute(query)]


def _readable(row: Any) -> Any:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

    from guardrails.audit.conventions import OPENINFERENCE_KIND

    def context(span_id: str) -> SpanContext:
        sampled = TraceFlags(TraceFlags.SAMPLED)
        return SpanContext(int(row.trace_id, 16), int(span_id, 16), False, sampled)

    attributes = {OPENINFERENCE_KIND: row.kind, **json.loads(row.attributes)}
    return ReadableSpan(
        row.name,
        context(row.span_id),
        context(row.parent_id) if row.parent_id else None,
        Resource({"service.name": "atelier", "openinference.project.name": "atelier"}),
        attributes,
        start_time=row.start * 1000,
        end_time=(row.start + row.duration) * 1000,
        status=Status(StatusCode[row.status.upper()]),
    )


def _rows(traces: Traces, filter: TraceFilter) -> Iterator[TraceRow]:
    cursor: str | None = None
    while True:
        page = traces.page(filter, after=cursor, limit=200)
        yield from page.rows
        cursor = page.next
        if cursor is None:
            return


def _cell(row: TraceRow, name: str) -> str:
    value = getattr(row, name)
    if name == "when":
        return str(value.isoformat(timespec="milliseconds"))
    return safe_cell(" ".join(value) if isinstance(value, tuple) else str(value))


def _line(cells: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
