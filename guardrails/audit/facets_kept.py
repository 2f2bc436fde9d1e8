"""Counts and trends that cost much are kept for a moment: they are there to choose by."""

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from guardrails.audit.facets import FACETS, Facet, Facets, Trend
from guardrails.audit.search import TraceFilter

SLOW_SECONDS = 0.05  # what is counted faster than this is counted again each time
KEPT_SECONDS = 60.0
MOST = 256


class KeptFacets:
    """The same answers as `Facets`; those of a large store up to a minute old. Thread-safe."""

    def __init__(self, facets: Facets, clock: Callable[[], float] = time.monotonic) -> None:
        self._facets = facets
        self._clock = clock
        self._kept: dict[Hashable, tuple[float, object]] = {}
        self._lock = threading.Lock()

    def facets(
        self, filter: TraceFilter | None = None, names: Sequence[Facet] = FACETS
    ) -> dict[str, dict[str, int]]:
        """As `Facets.facets`; not to be changed by the caller."""
        filter = filter or TraceFilter()
        key = ("facets", _steady(filter), tuple(names))
        return cast(
            dict[str, dict[str, int]], self._once(key, lambda: self._facets.facets(filter, names))
        )

    def trend(self, filter: TraceFilter, until: datetime, steps: int = 24) -> Trend:
        """As `Facets.trend`."""
        key = ("trend", _steady(filter), _minute(until), steps)
        return cast(Trend, self._once(key, lambda: self._facets.trend(filter, until, steps)))

    def _once(self, key: Hashable, count: Callable[[], Any]) -> Any:
        start = self._clock()
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and start - kept[0] < KEPT_SECONDS:
            return kept[1]
        found = count()
        end = self._clock()
        with self._lock:
            self._kept.pop(key, None)
            if end - start > SLOW_SECONDS:
                if len(self._kept) >= MOST:
                    self._kept.clear()
                self._kept[key] = end, found
        return found


def _steady(filter: TraceFilter) -> TraceFilter:
    """The filter with its times cut to minutes: "the last seven days" moves all the time."""
    since = _minute(filter.since) if filter.since else None
    until = _minute(filter.until) if filter.until else None
    return replace(filter, since=since, until=until)


def _minute(when: datetime) -> datetime:
    return when.replace(second=0, microsecond=0)
