"""Slow counts are kept for a minute, quick ones never."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from sqlalchemy.exc import OperationalError

from guardrails.audit.facets import FACETS, Facet, Facets, Trend
from guardrails.audit.facets_kept import KEPT_SECONDS, OLD_SECONDS, KeptFacets
from guardrails.audit.trace_rows import TraceFilter

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Counting:
    """Facets that take a given time and say how often they were asked."""

    def __init__(self, seconds: float) -> None:
        self.now = 0.0
        self.seconds = seconds
        self.asked = 0
        self.fails = False

    def facets(self, filter: TraceFilter, names: Sequence[Facet]) -> dict[str, dict[str, int]]:
        if self.fails:
            raise OperationalError("", {}, Exception("away"))
        self.asked += 1
        self.now += self.seconds
        return {name: {"x": self.asked} for name in names}

    def trend(self, filter: TraceFilter, until: datetime, steps: int) -> Trend:
        self.asked += 1
        self.now += self.seconds
        return Trend(until, until, {})


def kept(counting: Counting) -> KeptFacets:
    return KeptFacets(cast(Facets, counting), lambda: counting.now)


@pytest.mark.parametrize(("seconds", "asked"), [(0.6, 1), (0.001, 2)])
def test_only_what_took_long_is_kept(seconds: float, asked: int) -> None:
    counting = Counting(seconds)
    facets = kept(counting)
    assert set(facets.facets()) == set(FACETS)
    facets.facets()
    assert counting.asked == asked


def test_a_minute_later_it_is_counted_again_behind_the_answer() -> None:
    counting, later = Counting(0.6), list[Callable[[], None]]()
    facets = KeptFacets(cast(Facets, counting), lambda: counting.now, later.append)
    first = facets.facets()
    counting.now += KEPT_SECONDS
    # nobody waits, and two who ask make one count
    assert facets.facets() == facets.facets() == first
    assert (counting.asked, len(later)) == (1, 1)
    later.pop()()
    assert facets.facets() != first and counting.asked == 2 and later == []


def test_counts_that_nobody_asked_for_a_while_are_waited_for() -> None:
    counting = Counting(0.6)
    facets = kept(counting)
    first = facets.facets()
    counting.now += OLD_SECONDS
    assert facets.facets() != first and counting.asked == 2


def test_a_count_behind_that_fails_is_tried_again() -> None:
    counting, later = Counting(0.6), list[Callable[[], None]]()
    facets = KeptFacets(cast(Facets, counting), lambda: counting.now, later.append)
    facets.facets()
    counting.now += KEPT_SECONDS
    facets.facets()
    counting.fails = True
    later.pop()()
    counting.fails = False
    facets.facets()
    assert len(later) == 1


def test_a_period_that_moves_with_the_clock_is_the_same_question_for_a_while() -> None:
    counting = Counting(0.6)
    facets = kept(counting)
    for seconds in (1, 2, 50):
        since = NOON - timedelta(days=7) + timedelta(seconds=seconds)
        facets.facets(TraceFilter(since=since))
        facets.trend(TraceFilter(since=since), NOON + timedelta(seconds=seconds))
    assert counting.asked == 2


def test_another_filter_is_another_question() -> None:
    counting = Counting(0.6)
    facets = kept(counting)
    facets.facets(TraceFilter(agent="a"))
    facets.facets(TraceFilter(agent="b"))
    facets.facets(TraceFilter(agent="b"), ("agent",))
    assert counting.asked == 3
