"""What values there are among the turns that a filter matches, how many each, and how they came
over time. Reads only; same queries on SQLite and PostgreSQL.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

import sqlalchemy as sa

from guardrails.audit.search import Traces
from guardrails.audit.tables import traces
from guardrails.audit.trace_rows import VERDICTS, TraceFilter, time_id, time_of

Facet = Literal[
    "verdict", "agent", "version", "model", "location", "rule", "department", "data_class",
    "person", "kind", "tool",
]  # fmt: skip
FACETS: Final[tuple[Facet, ...]] = (
    "verdict", "agent", "version", "model", "location", "rule", "department", "data_class",
    "person", "kind", "tool",
)  # fmt: skip
# several values in one column, space-separated and padded
_MANY: Final[Mapping[str, str]] = {"kind": "kinds", "tool": "tools"}
MOST_VALUES = 20  # of one facet
NEWEST = 50_000  # turns that are looked at: counts are for choosing, not for reports


@dataclass(frozen=True, slots=True)
class Trend:
    """Turns per verdict in equal steps of time from `since` to `until`, oldest first."""

    since: datetime
    until: datetime
    counts: Mapping[str, tuple[int, ...]]


class Facets:
    """Counts for one store."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._traces = Traces(engine)

    def facets(
        self, filter: TraceFilter | None = None, names: Sequence[Facet] = FACETS
    ) -> dict[str, dict[str, int]]:
        """Values and counts per facet, most frequent first (20 at most), of the newest 50,000
        turns. A facet's own filter is left out of its counts, so that one sees what else there
        is."""
        filter = filter or TraceFilter()
        free = [name for name in names if not getattr(filter, name)]
        own = [name for name in names if getattr(filter, name)]
        found: dict[str, dict[str, int]] = {}
        with self._engine.connect() as connection:
            if free:
                found |= self._count(connection, filter, free)
            for name in own:
                without = replace(filter, **{name: ""})  # type: ignore[arg-type]
                found |= self._count(connection, without, [name])
        return {name: found[name] for name in names}

    def trend(self, filter: TraceFilter, until: datetime, steps: int = 24) -> Trend:
        """How the verdicts came over the filter's time, up to `until` at the latest.

        Without a beginning the first turn of all is it. The filter's own verdict is left out.
        """
        filter = replace(filter, verdict="", until=min(until, filter.until or until))
        assert filter.until is not None  # noqa: S101 -- set above
        with self._engine.connect() as connection:
            since = filter.since
            if since is None:
                first = connection.scalar(sa.select(sa.func.min(traces.c.id)))
                since = min(time_of(first), filter.until) if first is not None else filter.until
            zero, end = time_id(since), time_id(filter.until)
            width = max(1, (end - zero) // steps + 1)
            source, where, _ = self._traces.where(connection, filter)
            step = ((traces.c.id - zero) // width).label("step")
            query = (
                sa.select(traces.c.verdict, step, sa.func.count())
                .select_from(source)
                .where(*where)
                .group_by(traces.c.verdict, step)
            )
            counts = {verdict: [0] * steps for verdict in VERDICTS}
            for verdict, place, n in connection.execute(query):
                if verdict in counts and 0 <= place < steps:
                    counts[verdict][int(place)] += n
        return Trend(since, filter.until, {name: tuple(row) for name, row in counts.items()})

    def _count(
        self, connection: sa.Connection, filter: TraceFilter, names: Sequence[str]
    ) -> dict[str, dict[str, int]]:
        """One pass over the matching turns for all of `names`."""
        source, where, order = self._traces.where(connection, filter)
        columns = {name: traces.c[_MANY.get(name, name)] for name in names}
        base = (
            sa.select(*{column.name: column for column in columns.values()}.values())
            .select_from(source)
            .where(*where)
            .order_by(order.desc())
            .limit(NEWEST)
            .cte("base")
            .prefix_with("MATERIALIZED")
        )
        parts = [
            sa.select(
                sa.literal(name).label("facet"),
                base.c[column.name].label("value"),
                sa.func.count().label("n"),
            ).group_by(base.c[column.name])
            for name, column in columns.items()
        ]
        counters: dict[str, Counter[str]] = {name: Counter() for name in names}
        for name, value, n in connection.execute(sa.union_all(*parts)):
            for one in value.split() if name in _MANY else (value,):
                counters[name][one] += n
        return {
            name: dict(
                sorted(((v, n) for v, n in counter.items() if v), key=lambda x: (-x[1], x[0]))[
                    :MOST_VALUES
                ]
            )
            for name, counter in counters.items()
        }
