"""What the playground offers for a colleague's published agent, and for one's own draft."""

from typing import Any, cast

import pytest
from starlette.requests import Request

from guardrails.actor import Actor
from tests.ui.fake_house import House
from ui.identity import Person
from ui.messages import LANGUAGES, Language, say
from ui.web.pages import playground
from ui.web.plain import Visit

OWNER = Person("ana", "Ana", "", frozenset({"staff"}), "en")
READER = Person("ben", "Ben", "", frozenset({"staff"}), "en")
CHAMPION = Actor("chi", "", frozenset({"champion"}))


def published(quiet_house: House) -> str:
    agent = quiet_house.catalog.from_template("email-drafter", OWNER.id).id
    desk = quiet_house.desk.publishing
    request = desk.request(agent, Actor(OWNER.id, "", OWNER.roles), audience="everyone")
    desk.collected(request.id, {"model": "x"})
    desk.approve(request.id, CHAMPION, "")
    return agent


def page(quiet_house: House, person: Person, agent: str, language: Language = "en") -> str:
    asked = {"agent": agent, "conversation": "c9"}
    request = Request({"type": "http"})
    return str(playground.body(Visit(cast(Any, quiet_house), language, person, asked, request)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_colleagues_agent_can_be_rated_reported_and_copied(
    quiet_house: House, language: Language
) -> None:
    agent = published(quiet_house)
    html = page(quiet_house, READER, agent, language)
    assert f'data-api="PUT /api/v1/agents/{agent}/rating"' in html
    assert f'data-api="POST /api/v1/agents/{agent}/reports"' in html
    assert f'data-api="POST /api/v1/agents/{agent}/copy"' in html
    assert f'data-then="go:/{language}/build?agent={{id}}"' in html
    assert say(language, "web.play.stars", n=5) in html
    assert 'name="conversation" value="c9"' in html


def test_stars_given_are_shown_as_pressed(quiet_house: House) -> None:
    agent = published(quiet_house)
    assert 'aria-pressed="true"' not in page(quiet_house, READER, agent)
    quiet_house.desk.opinions.rate(agent, "1.0.0", quiet_house.sessions.pseudonym(READER.id), 4)
    html = page(quiet_house, READER, agent)
    assert html.count("data-on") == 4
    assert html.count('aria-pressed="true"') == 1
    assert "4 out of 5, from 1 person" in html


@pytest.mark.parametrize("agent", ["own", "email-drafter"])
def test_nobody_rates_a_template_or_their_own_agent(quiet_house: House, agent: str) -> None:
    wanted = published(quiet_house) if agent == "own" else agent
    assert "atl-opinion" not in page(quiet_house, OWNER, wanted)


def test_only_answers_of_ones_own_draft_become_test_cases(quiet_house: House) -> None:
    agent = published(quiet_house)
    assert "data-draft" in page(quiet_house, OWNER, agent)
    assert "data-draft" not in page(quiet_house, READER, agent)
    assert "data-draft" not in page(quiet_house, OWNER, "email-drafter")
