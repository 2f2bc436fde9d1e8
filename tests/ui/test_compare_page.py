"""Compare begins with two columns that differ, and says why these two."""

import re

import pytest

from tests.ui.fake_house import House
from tests.ui.test_web_pages import draft, visit
from ui.messages import LANGUAGES, Language
from ui.routes.models import ModelRow, choices
from ui.web.pages import compare


def chosen(html: str) -> list[tuple[str, str]]:
    """(agent, model) of each column."""
    found = []
    for column in re.findall(r"<fieldset.*?</fieldset>", html, re.S):
        agent, model = (
            re.search(r'<option value="([^"]*)" selected', part)
            for part in re.findall(r"<select.*?</select>", column, re.S)
        )
        found.append((agent[1] if agent else "", model[1] if model else ""))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_two_columns_differ_and_the_page_says_why(
    house: House, language: Language
) -> None:
    html = str(compare.body(visit(house, language)))
    first, second, *rest = chosen(html)
    assert first != second and rest == [("", ""), ("", "")]
    assert ("One model is connected" if language == "en" else "Un seul modèle") in html


def test_my_own_agent_stands_first_beside_one_of_its_kind(house: House) -> None:
    spec = draft(house)
    html = str(compare.body(visit(house)))
    assert chosen(html)[0] == (spec.id, "")
    assert "Starts with Travel guide as it is now, beside" in html
    other = house.catalog.get(chosen(html)[1][0], "p1")
    assert other.spec.category == spec.category


def test_with_a_second_model_the_same_agent_is_compared_on_both(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own,) = choices(visit(house).app, visit(house).person)
    more = changed(own, name="openai/other", label="Other model", default=False)
    monkeypatch.setattr("ui.web.pages.compare.choices", lambda *_: [own, more])
    # one that never answered is not offered first
    html = str(compare.body(visit(house, agent="email-drafter")))
    assert chosen(html)[1][1] == ""
    monkeypatch.setattr(compare, "proven", lambda _: frozenset({"openai/other"}))
    html = str(compare.body(visit(house, agent="email-drafter")))
    assert chosen(html)[:2] == [("email-drafter", ""), ("email-drafter", "openai/other")]
    assert "with Other model" in html and "One model" not in html


def changed(row: ModelRow, **values: object) -> ModelRow:
    return row.model_copy(update=values)


def test_alone_it_teaches_what_could_be_compared(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = house.catalog.visible("p1")[:1]
    monkeypatch.setattr(house.catalog, "visible", lambda *_: one)
    html = str(compare.body(visit(house)))
    assert "Make a second agent" in html
