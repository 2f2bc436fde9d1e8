"""What the pages show: from real records, escaped, in both languages."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request

from agents.catalog import templates
from agents.spec import AgentSpec
from guardrails.errors import BadInput
from tests.ui.fake_house import House
from ui.access import ROLES
from ui.identity import Person
from ui.looking import TraceQuery
from ui.messages import LANGUAGES, Language, catalogue
from ui.web.components import seen
from ui.web.components.chips import masked, verdict_chip
from ui.web.components.waterfall import Bar, duration, waterfall
from ui.web.markup import icon, icon_names, static
from ui.web.pages import builder_choices, conversations, form, home, playground
from ui.web.pages.common import Context
from ui.web.plain import Visit

WEB = Path("ui/web")
HOSTILE = "<img src=x onerror=alert(1)>\"'&"
ME = Person("p1", "Amélie Roy", "", frozenset(ROLES), "en")


def context(house: House, language: Language = "en") -> Context:
    return Context(house, language)  # type: ignore[arg-type]


def visit(house: House, language: Language = "en", person: Person = ME, **query: str) -> Visit:
    return Visit(house, language, person, query, Request({"type": "http"}))  # type: ignore[arg-type]


def draft(house: House, title: str = "Travel guide") -> AgentSpec:
    filled = form.Form(title, "Answers.", "Be brief.", "One\nTwo", "hr", ("calculator",), "public")
    return form.save(context(house), ME, filled, "", "").spec


@pytest.mark.parametrize("language", LANGUAGES)
def test_home_shows_every_template_and_no_invented_figure(house: House, language: Language) -> None:
    html = home.body(visit(house, language))
    for spec in templates().values():
        assert spec.title.to(language) in html
    assert "<dl>" not in html  # nothing to count yet
    assert "Amélie" in html


def test_home_shows_my_agents_and_conversations_escaped(house: House) -> None:
    spec = draft(house, HOSTILE)
    conversation = house.conversations.start(spec.id, ME.id)
    house.conversations.add(conversation, "user", f"Write to <PERSON_1> {HOSTILE}")
    html = str(home.body(visit(house)))
    assert "<img" not in html
    assert '<span class="atl-token">Name 1</span>' in html
    assert f"conversation={conversation}" in html
    assert "1 seconds ago" not in html


def test_another_persons_agents_and_conversations_are_not_shown(house: House) -> None:
    spec = draft(house)
    house.conversations.start(spec.id, ME.id)
    other = Person("p2", "Bo", "", frozenset({"staff"}), "en")
    assert spec.id not in home.body(visit(house, person=other))
    assert spec.id not in conversations.body(visit(house, person=other))
    assert "atl-chat" not in playground.body(visit(house, person=other, agent=spec.id))


def test_the_playground_carries_all_wording_its_script_asks_for(house: House) -> None:
    html = str(playground.body(visit(house, "fr", agent="email-drafter")))
    words = json.loads(
        re.search(r'data-words="([^"]*)"', html)[1]  # type: ignore[index]
        .replace("&#34;", '"').replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">")
        .replace("&amp;", "&")
    )  # fmt: skip
    for name in sorted(imported("chat.js")):
        for key in re.findall(r'say\("(web\.[\w.-]+[\w])"', script(name)):
            assert key in words, (name, key)


def script(name: str) -> str:
    return (WEB / "static/js" / name).read_text("utf-8")


def imported(name: str) -> set[str]:
    """A script and everything it imports."""
    found: set[str] = set()
    waiting = {name}
    while waiting:
        one = waiting.pop()
        found.add(one)
        waiting |= set(re.findall(r'(?:from |import\()"\./([\w]+\.js)"', script(one))) - found
    return found


def test_every_key_that_pages_name_has_wording_in_both_languages() -> None:
    named = set()
    for file in WEB.rglob("*.py"):
        named |= set(re.findall(r'"(web\.[a-z][\w.-]*[\w])"', file.read_text("utf-8")))
    for language in LANGUAGES:
        missing = {key for key in named if key not in catalogue(language)}
        assert missing == set()


def test_both_languages_have_the_same_keys_and_fields() -> None:
    texts = [
        json.loads(Path(f"ui/locales/{each}/web.json").read_text("utf-8")) for each in LANGUAGES
    ]
    assert texts[0].keys() == texts[1].keys()
    for key in texts[0]:
        fields = [sorted(set(re.findall(r"\{(\w+)\}", json.dumps(text[key])))) for text in texts]
        assert fields[0] == fields[1], key


def test_the_first_save_makes_a_draft_and_later_ones_keep_the_other_language(house: House) -> None:
    filled = form.form_of(templates()["email-drafter"], "fr")
    made = form.save(context(house, "fr"), ME, filled, "", "email-drafter")
    assert made.base == "email-drafter"
    changed = replace(filled, title="Mes courriels")
    again = form.save(context(house, "fr"), ME, changed, made.id, "email-drafter")
    assert again.id == made.id
    assert again.spec.title.fr == "Mes courriels"
    assert again.spec.title.en == templates()["email-drafter"].title.en
    assert again.number == made.number + 1


def test_somebody_else_cannot_save_over_my_draft(house: House) -> None:
    spec = draft(house)
    other = Person("p2", "Bo", "", frozenset({"staff"}), "en")
    with pytest.raises(BadInput, match="agent-not-found"):
        form.save(context(house), other, form.form_of(spec, "en"), spec.id, "")


def test_masked_text_is_escaped_around_its_tokens() -> None:
    html = masked("fr", "Bonjour <EMAIL_ADDRESS_2> <b>x</b> <SECRET> <PERSON_1")
    assert html.count("atl-token") == 2
    assert "Courriel 2" in html
    assert "<b>" not in html
    assert "&lt;PERSON_1" in html


def test_an_unknown_verdict_is_never_shown_as_allowed() -> None:
    assert "Flagged" in verdict_chip("en", "brand-new")


@pytest.mark.parametrize(
    ("language", "ms", "shown"),
    [("en", 0.2, "< 1 ms"), ("en", 9.4, "9 ms"), ("en", 1078, "1.08 s"), ("fr", 1078, "1,08 s")],
)
def test_durations_read_as_people_write_them(language: Language, ms: float, shown: str) -> None:
    assert duration(language, ms) == shown


def test_a_waterfall_stays_inside_its_lane_and_escapes_details() -> None:
    bars = [
        Bar("guardrail", "input-check", 0, 0),
        Bar("tool", HOSTILE, 5, 5, detail={"code": HOSTILE}),
    ]
    html = str(waterfall("en", bars, verdicts=True))
    assert "<img" not in html
    for x, width in re.findall(r'x="([\d.]+)%" y="1" width="([\d.]+)%"', html):
        assert float(x) + float(width) <= 100.1


def test_icons_that_templates_name_are_in_the_sprite() -> None:
    for spec in templates().values():
        assert spec.icon in icon_names(), spec.id
    assert "#bot" in icon("no-such-icon")


def test_static_addresses_change_with_the_files() -> None:
    assert re.fullmatch(r"/static/[0-9a-f]{12}/css/tokens\.css", static("css/tokens.css"))


def test_search_words_choose_the_right_filter() -> None:
    assert TraceQuery(text="tr_3d79cf").filter().trace_id == "tr_3d79cf"
    assert TraceQuery(text="p_0123456789", verdict="masked").filter().person == "p_0123456789"
    plain = TraceQuery(text=" leave policy ", agent="hr-policy-helper", days="1").filter()
    assert (plain.text, plain.agent) == ("leave policy", "hr-policy-helper")
    assert plain.since is not None


def test_the_form_keeps_tools_that_were_added_and_the_choice_of_pseudonyms(house: House) -> None:
    spec = draft(house)
    wanted = spec.model_copy(update={"tools": ("calculator", "crm_lookup")})
    house.catalog.save(wanted, ME.id)
    shown = form.form_of(wanted, "en")
    assert shown.tools == ("calculator", "crm_lookup")
    changed = replace(shown, pseudonyms="surrogates")
    kept = form.save(context(house), ME, changed, spec.id, "").spec
    assert (kept.tools, kept.pseudonyms) == (("calculator", "crm_lookup"), "surrogates")


def test_the_builder_offers_tools_that_are_on_and_shows_chosen_ones_that_are_gone(
    house: House,
) -> None:
    house.tools.switch("email_send", False, "admin")
    offered = builder_choices.tools_offered(
        context(house), ("calculator", "email_send", "crm_lookup")
    )
    names = [name for _, name in offered]
    assert names[-2:] == ["email_send", "crm_lookup"]
    assert names.count("email_send") == 1
    assert offered[-1][0] == "crm_lookup (not available)"


def test_the_preview_shows_the_stand_ins_that_the_model_would_read(house: House) -> None:
    text = "Write to bo@example.com."
    with_token = seen.seen_by_model(context(house), text, "recommended")
    natural = seen.seen_by_model(context(house), text, "recommended", "surrogates")
    assert '<span class="atl-token">E-mail 1</span>' in with_token
    found = re.search(r'<span class="atl-token">([^<]+)</span>', natural)
    assert found is not None
    assert found[1] not in ("E-mail 1", "bo@example.com")
    again = seen.seen_by_model(context(house), text + " Thanks.", "recommended", "surrogates")
    assert found[0] in again, "another letter typed, another stand-in"


def test_texts_follow_the_size_that_a_person_has_set() -> None:
    fixed = re.compile(r"font-size:\s*[\d.]+px|font:[^;{}]*?\b[\d.]+px[/ ]")
    found = {
        sheet.name: fixed.findall(sheet.read_text("utf-8"))
        for sheet in sorted((WEB / "static" / "css").glob("*.css"))
    }
    assert {name: each for name, each in found.items() if each} == {}
