"""Find traces: newest first, by filters and words, page by page. Reads only; same queries on SQLite
and PostgreSQL. Paging is by key (a row's id), never by offset: page 1,000 costs what page 1 costs.
"""

import re
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from guardrails.audit import textindex
from guardrails.audit.tables import ledger, spans, traces
from guardrails.audit.trace_rows import (
    LARGEST,
    VERDICTS,
    Page,
    Trace,
    TraceFilter,
    TraceRow,
    ledger_row,
    step_row,
    time_id,
    trace_row,
)

LIMIT = 200  # rows on one page at most
RARE = 2_000  # fewer matches than this: PostgreSQL uses the full-text index, else the time index
WORDS = 8  # of a search text are used


class Traces:
    """Searches one store."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"

    def page(
        self, filter: TraceFilter | None = None, after: str | None = None, limit: int = 50
    ) -> Page:
        """Up to `limit` (at most 200) traces older than the cursor `after`."""
        limit = max(1, min(limit, LIMIT))
        filter = filter or TraceFilter()
        with self._engine.connect() as connection:
            source, where, order = self.where(connection, filter)
            if after is not None:
                where.append(order < _cursor(after))
            query = (
                sa.select(traces)
                .select_from(source)
                .where(*where)
                .order_by(order.desc())
                .limit(limit + 1)
            )
            rows = connection.execute(query).all()
        more = str(rows[limit - 1].id) if len(rows) > limit else None
        return Page(tuple(trace_row(row) for row in rows[:limit]), more)

    def counts(self, filter: TraceFilter | None = None) -> dict[str, int]:
        """How many traces of each verdict the rest of the filter matches; all four are present."""
        with self._engine.connect() as connection:
            given = replace(filter or TraceFilter(), verdict="")
            source, where, _ = self.where(connection, given)
            query = sa.select(traces.c.verdict, sa.func.count()).select_from(source).where(*where)
            found = {name: n for name, n in connection.execute(query.group_by(traces.c.verdict))}
        return {verdict: found.get(verdict, 0) for verdict in VERDICTS}

    def get(self, trace_id: str) -> Trace | None:
        """One trace by id, or by a beginning of at least 8 digits (`tr_…` allowed)."""
        wanted = trace_id.removeprefix("tr_").lower()
        if not re.fullmatch(r"[0-9a-f]{8,32}", wanted):
            return None
        with self._engine.connect() as connection:
            found = connection.execute(
                sa.select(traces).where(_begins(traces.c.trace_id, wanted)).limit(1)
            ).first()
            if found is None:
                return None
            row = trace_row(found)
            children = connection.execute(
                sa.select(spans).where(spans.c.trace_id == row.trace_id).order_by(spans.c.id)
            ).all()
            acts = connection.execute(
                sa.select(ledger).where(ledger.c.trace_id == row.trace_id).order_by(ledger.c.seq)
            ).all()
        zero = int(row.when.timestamp() * 1_000_000)
        zero = min([zero, *(child.start for child in children)])
        return Trace(
            row,
            tuple(step_row(child, zero) for child in children),
            tuple(ledger_row(act) for act in acts),
        )

    def conversation(self, conversation: str, limit: int = LIMIT) -> tuple[TraceRow, ...]:
        """The turns of one conversation, oldest first."""
        return tuple(reversed(self.page(TraceFilter(conversation=conversation), limit=limit).rows))

    def matching(self, connection: sa.Connection, filter: TraceFilter) -> sa.Select[str]:
        """Trace ids that a filter matches, as a query for others to select from."""
        source, where, _ = self.where(connection, filter)
        return sa.select(traces.c.trace_id).select_from(source).where(*where)

    def people(self, filter: TraceFilter, most: int = 10_000) -> list[str]:
        """Pseudonyms of the people whose turns a filter matches."""
        with self._engine.connect() as connection:
            source, where, _ = self.where(connection, filter)
            query = sa.select(traces.c.person).select_from(source).where(*where).distinct()
            return list(connection.scalars(query.limit(most)))

    def agents(self) -> list[str]:
        """Agents that occur in the record, in order of name."""
        return self._distinct(traces.c.agent)

    def models(self) -> list[str]:
        """Models that occur in the record."""
        return self._distinct(traces.c.model)

    def rules(self) -> list[str]:
        """Rules that decided something in the record."""
        return self._distinct(traces.c.rule)

    def _distinct(self, column: sa.Column[Any]) -> list[str]:
        """Distinct values by hopping over the index: as many steps as values, not as rows."""
        values: list[str] = []
        query = sa.select(sa.func.min(column))
        with self._engine.connect() as connection:
            last = connection.scalar(query.where(column > ""))
            while last is not None and len(values) < 1_000:
                values.append(last)
                last = connection.scalar(query.where(column > last))
        return values

    def where(
        self, connection: sa.Connection, filter: TraceFilter
    ) -> tuple[sa.FromClause, list[sa.ColumnElement[bool]], sa.ColumnElement[int]]:
        """What to select from, conditions, and the column that orders by time."""
        where: list[sa.ColumnElement[bool]] = [
            traces.c[name] == value
            for name in ("verdict", "person", "department", "agent", "version", "model", "location",
                         "rule", "data_class", "conversation", "purpose")
            if (value := getattr(filter, name))
        ]  # fmt: skip
        if filter.trace_id:
            where.append(_begins(traces.c.trace_id, filter.trace_id.removeprefix("tr_").lower()))
        if filter.kind:
            where.append(traces.c.kinds.contains(f" {filter.kind} ", autoescape=True))
        if filter.tool:
            where.append(traces.c.tools.contains(f" {filter.tool} ", autoescape=True))
        if filter.since:
            where.append(traces.c.id >= time_id(filter.since))
        if filter.until:
            where.append(traces.c.id < time_id(filter.until))
        if filter.cost_over is not None:
            where.append(traces.c.cost > round(filter.cost_over * 1_000_000))
        if filter.slower_than_ms is not None:
            where.append(traces.c.duration > round(filter.slower_than_ms * 1_000))
        words = re.findall(r"[^\W_]+", textindex.fold(filter.text))[:WORDS]
        if not filter.text.strip():
            return traces, where, traces.c.id
        if not words:
            return traces, [sa.false()], traces.c.id
        return self._text(connection, words, where)

    def _text(
        self, connection: sa.Connection, words: list[str], where: list[sa.ColumnElement[bool]]
    ) -> tuple[sa.FromClause, list[sa.ColumnElement[bool]], sa.ColumnElement[int]]:
        if self._sqlite:
            match = " ".join(f'"{word}"' for word in words) + "*"
            columns = sa.column("rowid", sa.Integer), sa.column("traces_fts", sa.Text)
            index = sa.table("traces_fts", *columns)
            source = index.join(traces, traces.c.id == index.c.rowid)
            # ordered by the index's own row id it stops after one page (0.8 ms, not 93 ms)
            return source, [*where, index.c.traces_fts.op("MATCH")(match)], index.c.rowid
        query = sa.func.to_tsquery("simple", " & ".join(words) + ":*")
        matches = sa.literal_column(textindex.VECTOR).op("@@")(query)
        # by the text index: reading rows in turn means folding each text again (300 ms)
        connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        few = connection.scalars(sa.select(traces.c.id).where(matches).limit(RARE)).all()
        if len(few) >= RARE:
            # common: walk the time index and stop early. The planner sometimes gathers every match
            # first (311 ms, not 22 ms); this holds until the transaction ends
            connection.execute(sa.text("SET LOCAL enable_bitmapscan = off"))
            return traces, [*where, matches], traces.c.id
        # rare: the rows that were found, by their ids. Asked in one query, the planner walks the
        # time index over everything and merges (66 ms at a million, not 3 ms)
        found = sa.literal(list(few), sa.ARRAY(sa.BigInteger))
        return traces, [*where, traces.c.id == sa.any_(found)], traces.c.id


def _cursor(text: str) -> int:
    return min(int(text), LARGEST) if text.isdecimal() and len(text) < 20 else 0


def _begins(column: sa.Column[str], prefix: str) -> sa.ColumnElement[bool]:
    """A prefix match as a range, which an ordinary index serves on both stores."""
    return sa.and_(column >= prefix, column <= prefix + "g")  # hex digits sort before "g"
