"""Traces are found the same way on both stores."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from guardrails.audit.facets import FACETS, Facets
from guardrails.audit.keeping import ordered_id
from guardrails.audit.saved import SavedSearches, filled, restored
from guardrails.audit.search import Traces
from guardrails.audit.tables import traces as table
from guardrails.audit.trace_rows import TraceFilter
from guardrails.keys import Keys

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def row(number: int, **values: object) -> dict[str, object]:
    at = int((START + timedelta(minutes=number)).timestamp() * 1_000_000)
    trace_id = f"{number:08x}" + "ab" * 12
    return {
        "id": ordered_id(at, trace_id),
        "trace_id": trace_id,
        "person": f"p_{number % 3:010x}",
        "department": ("hr", "it")[number % 2],
        "agent": ("hr-policy-helper", "email-drafter")[number % 2],
        "version": "1.0.0",
        "conversation": f"c{number // 5}",
        "verdict": ("allowed", "masked", "blocked", "flagged")[number % 4],
        "rule": f"R-{number % 4}",
        "request": f"Résumé number{number} for <PERSON_1>",
        "model": "practice",
        "model_kind": "practice",
        "location": "local",
        "data_class": "internal",
        "kinds": " PERSON EMAIL_ADDRESS " if number % 2 else "",
        "tools": " calculator ",
        "tokens": number,
        "cost": number * 1000,
        "duration": number * 1000,
    } | values


@pytest.fixture
def traces(store: sa.Engine) -> Traces:
    with store.begin() as connection:
        connection.execute(sa.insert(table), [row(n) for n in range(40)])
    return Traces(store)


def numbers(traces: Traces, filter: TraceFilter) -> list[int]:
    return [found.tokens for found in traces.page(filter, limit=100).rows]


def test_pages_are_newest_first_and_join_without_gap_or_repeat(traces: Traces) -> None:
    seen: list[int] = []
    cursor: str | None = None
    while True:
        page = traces.page(after=cursor, limit=7)
        seen += [found.tokens for found in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert seen == list(range(39, -1, -1))


@pytest.mark.parametrize(
    ("filter", "matches"),
    [
        (TraceFilter(verdict="blocked"), lambda n: n % 4 == 2),
        (TraceFilter(person="p_0000000001"), lambda n: n % 3 == 1),
        (TraceFilter(agent="email-drafter", rule="R-1"), lambda n: n % 4 == 1),
        (TraceFilter(kind="PERSON"), lambda n: n % 2 == 1),
        (TraceFilter(kind="PER"), lambda n: False),
        (TraceFilter(tool="calculator", department="it"), lambda n: n % 2 == 1),
        (TraceFilter(conversation="c2"), lambda n: n // 5 == 2),
        (TraceFilter(cost_over=0.03), lambda n: n > 30),
        (TraceFilter(slower_than_ms=35), lambda n: n > 35),
        (TraceFilter(trace_id="tr_00000005"), lambda n: n == 5),
        (TraceFilter(since=START + timedelta(minutes=30)), lambda n: n >= 30),
        (TraceFilter(until=START + timedelta(minutes=5)), lambda n: n < 5),
        (TraceFilter(text="number7"), lambda n: n == 7),
        (TraceFilter(text="number3", verdict="flagged"), lambda n: n in (3, 31, 35, 39)),
        (TraceFilter(text="résumé person_1 number12"), lambda n: n == 12),
        (TraceFilter(text="RESUME number12"), lambda n: n == 12),
        (TraceFilter(text="Re\u0301sume\u0301 number12"), lambda n: n == 12),
        (TraceFilter(text='"; DROP TABLE traces; --'), lambda n: False),
        (TraceFilter(text="*** ((("), lambda n: False),
        (TraceFilter(text="a OR b NEAR c"), lambda n: False),
    ],
)
def test_filters_find_exactly_what_matches(
    traces: Traces, filter: TraceFilter, matches: Callable[[int], bool]
) -> None:
    assert numbers(traces, filter) == [n for n in range(39, -1, -1) if matches(n)]


def test_common_words_are_found_newest_first(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardrails.audit.search.RARE", 5)  # the other plan on PostgreSQL
    assert numbers(traces, TraceFilter(text="person_1")) == list(range(39, -1, -1))


def test_counts_leave_out_the_verdict_itself(traces: Traces) -> None:
    counts = traces.counts(TraceFilter(verdict="masked", department="hr"))
    assert counts == {"allowed": 10, "masked": 0, "blocked": 10, "flagged": 0}


def test_facets_count_values_most_frequent_first(traces: Traces, store: sa.Engine) -> None:
    facets = Facets(store).facets(TraceFilter(text="number1"))
    assert facets["agent"] == {"email-drafter": 6, "hr-policy-helper": 5}
    assert list(facets["agent"]) == ["email-drafter", "hr-policy-helper"]


def test_a_facet_that_is_filtered_by_still_shows_what_else_there_is(
    traces: Traces, store: sa.Engine
) -> None:
    facets = Facets(store).facets(TraceFilter(agent="email-drafter"))
    assert facets["agent"] == {"email-drafter": 20, "hr-policy-helper": 20}
    assert facets["rule"] == {"R-1": 10, "R-3": 10}
    assert set(facets) == set(FACETS)


def test_values_that_stand_together_are_counted_one_by_one(store: sa.Engine) -> None:
    with store.begin() as connection:
        connection.execute(
            sa.insert(table),
            [
                row(1, kinds=" EMAIL PERSON ", tools=""),
                row(2, kinds=" PERSON ", tools=""),
                row(3, kinds="", tools=" x "),
            ],
        )
    facets = Facets(store).facets()
    assert facets["kind"] == {"PERSON": 2, "EMAIL": 1}
    assert facets["tool"] == {"x": 1}


def test_a_trend_counts_every_turn_once_in_its_step(traces: Traces, store: sa.Engine) -> None:
    newest = traces.page().rows[0].when + timedelta(microseconds=1)
    trend = Facets(store).trend(TraceFilter(), newest, 4)
    assert {name: sum(row) for name, row in trend.counts.items()} == traces.counts()
    assert [sum(step) for step in zip(*trend.counts.values(), strict=True)] == [10, 10, 10, 10]
    assert trend.since == traces.page(limit=200).rows[-1].when
    nothing = Facets(store).trend(TraceFilter(since=newest), newest + timedelta(days=1), 4)
    assert sum(map(sum, nothing.counts.values())) == 0


def test_agents_models_and_rules_are_listed_once(traces: Traces) -> None:
    assert traces.agents() == ["email-drafter", "hr-policy-helper"]
    assert traces.models() == ["practice"]
    assert traces.rules() == ["R-0", "R-1", "R-2", "R-3"]


def test_a_trace_is_found_by_the_id_that_is_shown(traces: Traces) -> None:
    trace = traces.get("tr_00000011")
    assert trace is not None
    assert (trace.row.tokens, trace.row.short) == (17, "tr_00000011")
    assert traces.get("tr_ffffffff") is None
    assert traces.get("' OR 1=1") is None


def test_a_conversation_reads_oldest_first(traces: Traces) -> None:
    assert [t.tokens for t in traces.conversation("c3")] == [15, 16, 17, 18, 19]


def test_deleted_traces_leave_the_text_index(traces: Traces, store: sa.Engine) -> None:
    with store.begin() as connection:
        connection.execute(sa.delete(table).where(table.c.tokens == 7))
        connection.execute(sa.update(table).where(table.c.tokens == 8).values(request=""))
    assert numbers(traces, TraceFilter(text="number7")) == []
    assert numbers(traces, TraceFilter(text="number8")) == []


def test_a_made_up_cursor_finds_nothing(traces: Traces) -> None:
    assert traces.page(after="1 OR 1=1").rows == ()


def test_what_is_larger_than_a_column_is_a_filter_like_any_other(traces: Traces) -> None:
    late = datetime(9999, 12, 31, tzinfo=UTC)
    assert len(traces.page(TraceFilter(until=late), limit=100).rows) == 40
    assert traces.page(TraceFilter(since=late)).rows == ()
    assert len(traces.page(after="9" * 19, limit=100).rows) == 40


def test_saved_searches_come_back_as_they_were(store: sa.Engine) -> None:
    saved = SavedSearches(store, Keys(b"k" * 32))
    saved.save("p_1", "mine", {"agent": "hr"})
    saved.save("p_1", "mine", {"verdict": "blocked", "days": "7"})
    assert saved.all("p_1") == {"mine": {"verdict": "blocked", "days": "7"}}
    assert saved.all("p_2") == {}
    saved.delete("p_1", "mine")
    assert saved.all("p_1") == {}


def test_a_filter_survives_being_kept_as_json() -> None:
    wanted = TraceFilter(verdict="blocked", text="x", since=START, cost_over=1.5)
    assert restored(json.loads(json.dumps(filled(wanted)))) == wanted
    assert restored({"agent": "hr", "gone": 1}) == TraceFilter(agent="hr")
