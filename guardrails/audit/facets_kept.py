"""Counts and trends that cost much are kept for a moment: they are there to choose by."""

import logging
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy.exc import SQLAlchemyError

from guardrails.audit.facets import FACETS, Facet, Facets, Trend
from guardrails.audit.trace_rows import TraceFilter

log = logging.getLogger(__name__)

SLOW_SECONDS = 0.05  # what is counted faster than this is counted again each time
KEPT_SECONDS = 60.0  # after this they are counted anew, behind the answer
OLD_SECONDS = 600.0  # nobody looked for so long: whoever asks waits for new ones
MOST = 256


class KeptFacets:
    """The same answers as `Facets`; those of a large store some minutes old at most: who asks
    again gets what is known at once, and new counts are made meanwhile. Thread-safe.

    `behind` runs the counting beside the answer.
    """

    def __init__(
        self,
        facets: Facets,
        clock: Callable[[], float] = time.monotonic,
        behind: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._facets = facets
        self._clock = clock
        self._behind = behind or _in_a_thread
        self._counting: set[Hashable] = set()
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
        with self._lock:
            kept = self._kept.get(key)
            age = self._clock() - kept[0] if kept is not None else OLD_SECONDS
            anew = KEPT_SECONDS <= age < OLD_SECONDS and key not in self._counting
            if anew:
                self._counting.add(key)
        if anew:
            self._behind(lambda: self._again(key, count))
        if kept is not None and age < OLD_SECONDS:
            return kept[1]
        return self._count(key, count)

    def _again(self, key: Hashable, count: Callable[[], Any]) -> None:
        try:
            self._count(key, count)
        except SQLAlchemyError as error:
            # the store is away for a moment: whoever asks next tries again
            log.warning("counts not made", extra={"error": type(error).__name__})
        finally:
            with self._lock:
                self._counting.discard(key)

    def _count(self, key: Hashable, count: Callable[[], Any]) -> Any:
        start = self._clock()
        found = count()
        end = self._clock()
        with self._lock:
            self._kept.pop(key, None)
            if end - start > SLOW_SECONDS:
                if len(self._kept) >= MOST:
                    self._kept.clear()
                self._kept[key] = end, found
        return found


def _in_a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="counts", daemon=True).start()


def _steady(filter: TraceFilter) -> TraceFilter:
    """The filter with its times cut to minutes: "the last seven days" moves all the time."""
    since = _minute(filter.since) if filter.since else None
    until = _minute(filter.until) if filter.until else None
    return replace(filter, since=since, until=until)


def _minute(when: datetime) -> datetime:
    return when.replace(second=0, microsecond=0)
