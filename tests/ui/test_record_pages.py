"""The record's pages: masked, escaped, in both languages, and what each reviewer may do there."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request

from agents.catalog import templates
from guardrails.actor import Actor
from guardrails.audit.ledger import Act
from guardrails.audit.retention import HoldField
from guardrails.audit.senders import Alert
from guardrails.audit.trace_rows import TraceFilter
from guardrails.errors import BadInput
from tests.ui.fake_house import House, open_house
from ui.access import ROLES
from ui.identity import Person
from ui.messages import LANGUAGES, Language
from ui.web.pages import alerts, audit, exports, retention
from ui.web.plain import Visit

NAME = "Claire Fontaine"
HOSTILE = '"><img src=x onerror=alert(1)>'
PAGES = {"audit": audit, "alerts": alerts, "exports": exports, "retention": retention}
REASON = "an incident report names this turn"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = open_house(tmp_path)
    asyncio.run(chat(house))
    yield house
    house.close()


async def chat(house: House) -> None:
    for _ in range(2):
        conversation: str | None = None
        async for event in house.sessions.send(
            actor=Actor("author"),
            agent=templates()["email-drafter"],
            text=f"Write to {NAME}",
            conversation=conversation,
        ):
            conversation = getattr(event, "conversation", None)
    house.spans.flush()


def draw(house: House, page: str, language: Language = "en", who: str = "a", **query: str) -> str:
    roles = frozenset(ROLES)
    person = Person(
        id=who, name="Sample", department="", roles=roles, granted=roles, view=None,
        language=language, workshop=False,
    )  # fmt: skip
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    return str(PAGES[page].body(Visit(house, language, person, query, request)))  # type: ignore[arg-type]


def trace(house: House) -> str:
    return house.traces.page().rows[0].trace_id


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_no_name_value_or_id_of_an_author(
    house: House, page: str, language: Language
) -> None:
    open_ = trace(house)
    house.record.reveals.ask(open_, by="p_00000000a1", reason=REASON)
    for query in ({}, {"open": open_}, {"open": open_, "part": "detail"}, {"text": "workshop"}):
        shown = draw(house, page, language, "a", **query)
        for secret in (NAME, "Fontaine", "author<", ">author", '"author"'):
            assert secret not in shown, (page, query, secret)
    assert ("atl-token" in draw(house, "audit", language)) is True


@pytest.mark.parametrize("page", PAGES)
def test_what_people_and_models_wrote_is_escaped(house: House, page: str) -> None:
    with house.spans.root("turn") as root:
        root.set(
            person="p_0000000001", agent=HOSTILE, rule=HOSTILE, department=HOSTILE, model=HOSTILE,
            request=HOSTILE, verdict="blocked", version=HOSTILE, location=HOSTILE,
            data_class="internal", kinds=["<b>"], conversation="c_hostile",
        )  # fmt: skip
        with root.span("LLM", HOSTILE, {"rule": HOSTILE, "inputs": '{"<u>": "<u>"}'}) as call:
            call.set_attribute("app.detail.sent", HOSTILE)
    house.spans.flush()
    me = house.record.pseudonym("a")
    house.record.reveals.ask(root.trace_id, by="p_00000000a1", reason=HOSTILE)
    house.record.saved.save(me, HOSTILE, {"agent": HOSTILE})
    house.record.alerts.fire(Alert("new-external-model", "warning", HOSTILE, {"model": HOSTILE}))
    field: HoldField = "department"
    house.record.retention.hold(field, HOSTILE, by=me, reason=HOSTILE)
    house.record.exports.start("csv", TraceFilter(agent=HOSTILE), by=me)
    for query in ({"open": root.trace_id}, {"agent": HOSTILE, "rule": HOSTILE}, {"text": HOSTILE}):
        shown = draw(house, page, "en", "a", **query)
        for sign in ("<img", "<u>"):
            assert sign not in shown, (page, query)


def test_a_search_is_recorded_before_it_is_shown_and_a_detail_alone_searches_nothing(
    house: House,
) -> None:
    looks = house.record.reveals.who_saw
    author = house.record.pseudonym("author")
    draw(house, "audit", open=trace(house), part="detail")
    assert [view.kind for view in looks(author)] == ["viewed"]
    draw(house, "audit")
    assert [view.kind for view in looks(author)] == ["listed", "viewed"]


def test_only_a_second_person_is_offered_to_agree(house: House) -> None:
    asker = house.record.pseudonym("asker")
    reveal = house.record.reveals.ask(trace(house), by=asker, reason=REASON)
    approve = f"POST /api/v1/audit/reveals/{reveal.id}/approve"
    assert approve in draw(house, "audit", who="second", open=trace(house))
    assert "waits for your word" in draw(house, "audit", who="second")
    for who in ("asker", "author"):
        shown = draw(house, "audit", who=who, open=trace(house))
        assert approve not in shown, who
        assert "waits for your word" not in shown, who
    second = house.record.pseudonym("second")
    house.record.reveals.decide(reveal.id, True, by=second, roles=frozenset({"security"}))
    shown = f"GET /api/v1/audit/reveals/{reveal.id}"
    assert shown in draw(house, "audit", who="asker", open=trace(house))
    assert shown not in draw(house, "audit", who="second", open=trace(house))


def test_an_altered_row_is_said_on_its_trace(house: House) -> None:
    house.ledger.record(Act("turn", "author", trace_id=trace(house)))
    assert "hash verified" in draw(house, "audit", open=trace(house))
    with house.engine.begin() as db:
        db.exec_driver_sql("UPDATE ledger SET verdict = 'deny' WHERE kind = 'turn'")
    assert "was altered after it was written" in draw(house, "audit", open=trace(house))


@pytest.mark.parametrize("query", [{"days": "x"}, {"since": "soon"}, {"cost_over": "much"}])
def test_a_filter_that_cannot_be_read_is_a_refusal_in_words(
    house: House, query: dict[str, str]
) -> None:
    with pytest.raises(BadInput, match="bad-filter"):
        draw(house, "audit", "en", "a", **query)


def test_a_chosen_day_stands_in_the_pages_words(house: House) -> None:
    shown = draw(house, "exports", "fr", since="2026-11-20", until="no day")
    assert "vendredi 20 novembre 2026" in shown and "no day" not in shown
    # below its field, and as what is filtered by
    assert draw(house, "audit", "fr", since="2026-11-20").count("20 novembre 2026") == 2
