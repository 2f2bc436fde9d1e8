"""What the playground offers for a colleague's published agent, and for one's own draft."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.requests import Request

from guardrails.actor import Actor
from guardrails.screen import Screen
from tests.ui.fake_house import House, open_house
from ui.identity import Person
from ui.messages import LANGUAGES, Language, say
from ui.web.pages import playground
from ui.web.plain import Visit

OWNER = Person("ana", "Ana", "", frozenset({"staff"}), "en")
READER = Person("ben", "Ben", "", frozenset({"staff"}), "en")
CHAMPION = Actor("chi", "", frozenset({"champion"}))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    quiet = Screen(lambda text, language: [], lambda text: [], lambda text, provenance: 0.0)
    opened = open_house(tmp_path, quiet)
    yield opened
    opened.close()


def published(house: House) -> str:
    agent = house.catalog.from_template("email-drafter", OWNER.id).id
    desk = house.desk.publishing
    request = desk.request(agent, Actor(OWNER.id, "", OWNER.roles), audience="everyone")
    desk.collected(request.id, {"model": "x"})
    desk.approve(request.id, CHAMPION, "")
    return agent


def page(house: House, person: Person, agent: str, language: Language = "en") -> str:
    asked = {"agent": agent, "conversation": "c9"}
    request = Request({"type": "http"})
    return str(playground.body(Visit(cast(Any, house), language, person, asked, request)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_colleagues_agent_can_be_rated_reported_and_copied(
    house: House, language: Language
) -> None:
    agent = published(house)
    html = page(house, READER, agent, language)
    assert f'data-api="PUT /api/v1/agents/{agent}/rating"' in html
    assert f'data-api="POST /api/v1/agents/{agent}/reports"' in html
    assert f'data-api="POST /api/v1/agents/{agent}/copy"' in html
    assert f'data-then="go:/{language}/build?agent={{id}}"' in html
    assert say(language, "web.play.stars", n=5) in html
    assert 'name="conversation" value="c9"' in html


def test_stars_given_are_shown_as_pressed(house: House) -> None:
    agent = published(house)
    assert 'aria-pressed="true"' not in page(house, READER, agent)
    house.desk.opinions.rate(agent, "1.0.0", house.sessions.pseudonym(READER.id), 4)
    html = page(house, READER, agent)
    assert html.count("data-on") == 4
    assert html.count('aria-pressed="true"') == 1
    assert "4 out of 5, from 1 person" in html


@pytest.mark.parametrize("agent", ["own", "email-drafter"])
def test_nobody_rates_a_template_or_their_own_agent(house: House, agent: str) -> None:
    wanted = published(house) if agent == "own" else agent
    assert "atl-opinion" not in page(house, OWNER, wanted)


def test_only_answers_of_ones_own_draft_become_test_cases(house: House) -> None:
    agent = published(house)
    assert "data-draft" in page(house, OWNER, agent)
    assert "data-draft" not in page(house, READER, agent)
    assert "data-draft" not in page(house, OWNER, "email-drafter")
