"""What waits for somebody is counted beside the pages of the navigation."""

from typing import Any, cast

import pytest

from guardrails.actor import Actor
from guardrails.policy.approvals import may_decide
from tests.ui.fake_house import House
from ui.identity import Person
from ui.messages import LANGUAGES, Language, say
from ui.web import frame, nav
from ui.web.badges import KEPT_SECONDS, Badges

ANA = Person("ana", "Ana", "sales", frozenset({"staff"}), "en")
CHI = Person("chi", "Chi", "sales", frozenset({"staff", "champion"}), "en")


def badges(quiet_house: House, clock: list[float] | None = None) -> Badges:
    now = clock or [0.0]
    return Badges(cast(Any, quiet_house), lambda: now[0])


def asked(quiet_house: House, owner: Person) -> str:
    agent = quiet_house.catalog.from_template("email-drafter", owner.id).id
    desk = quiet_house.desk.publishing
    request = desk.request(agent, Actor(owner.id, "", owner.roles), audience="everyone")
    desk.collected(request.id, {"model": "x"})
    return request.id


def test_a_champion_sees_how_many_requests_of_others_wait(quiet_house: House) -> None:
    asked(quiet_house, ANA)
    asked(quiet_house, CHI)  # nobody decides on their own
    assert badges(quiet_house).of(CHI)["publish"] == 1
    assert "publish" not in badges(quiet_house).of(ANA)


@pytest.mark.parametrize("approver", ["person", "colleague", "champion", "security"])
@pytest.mark.parametrize("person", [ANA, CHI], ids=["ana", "chi"])
def test_the_count_of_approvals_is_what_may_be_decided(
    quiet_house: House, approver: str, person: Person
) -> None:
    who = quiet_house.record.pseudonym
    wanted = quiet_house.approvals.ask(
        person=who("ana"), agent="a", action="email_send", payload={}, rule="TL-03",
        conversation="c", approver=approver, department="sales",
    )  # fmt: skip
    may = may_decide(wanted, who(person.id), frozenset(person.roles), person.department)
    assert badges(quiet_house).of(person).get("conversations", 0) == int(may)


def test_counts_are_kept_for_some_seconds_and_new_right_after_an_act(quiet_house: House) -> None:
    clock = [0.0]
    counted = badges(quiet_house, clock)
    assert counted.of(CHI) == {}
    asked(quiet_house, ANA)
    assert counted.of(CHI) == {}
    assert counted.of(CHI, fresh=True) == {"publish": 1}
    asked(quiet_house, ANA)
    clock[0] += KEPT_SECONDS
    assert counted.of(CHI) == {"publish": 2}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_navigation_says_the_count_in_words(language: Language) -> None:
    around = frame.Surroundings(language, nav.BY_ID["home"], "", True, None, counts={"publish": 3})
    html = str(frame.before(CHI, around))
    assert '<span class="atl-count" id="atl-count-side-publish" data-atl-count>' in html
    assert say(language, "web.count.publish", n=3) in html
    assert 'id="atl-count-side-privacy" data-atl-count></span>' in html
