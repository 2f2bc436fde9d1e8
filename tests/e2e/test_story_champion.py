"""An agent on its way to colleagues and back: ask, review, try, use, withdraw; both languages."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.office import Office, Window
from tests.upstream import Say
from ui.messages import Language

pytestmark = pytest.mark.timeout(300)

TITLE = {"en": "Letters for fairs", "fr": "Courriers de salon"}
ORDERS = {"en": "Write short letters on trade fairs.", "fr": "Rédige de courtes lettres de salon."}
NOTES = {"en": "Saves ten minutes a letter.", "fr": "Gagne dix minutes par lettre."}
REMARK = {"en": "Could it name the hall?", "fr": "Peut-il nommer le hall ?"}
WHY = {"en": "The fair was cancelled.", "fr": "Le salon est annulé."}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_agent_is_shared_by_two_people_used_by_a_third_and_withdrawn(
    desk: Office, browser: Browser, language: Language
) -> None:
    desk.script(Say("An answer from the draft."))
    with desk.window(browser, "author", language) as at:
        agent = drafted(at)
        cased(at, agent)
        request = asked(at, agent)
    with desk.window(browser, "champion", language) as at:
        reviewed(desk, at, request)
    with desk.window(browser, "colleague", language) as at:
        used(desk, at)
    with desk.window(browser, "author", language) as at:
        withdrawn(at, agent)
    with desk.window(browser, "colleague", language) as at:
        at.open("")
        assert at.page.get_by_role("heading", name=TITLE[language]).count() == 0
        at.open(f"playground?agent={agent}")
        expect(at.page.get_by_text(at.say("error.agent-withdrawn"))).to_be_visible()


def drafted(at: Window) -> str:
    """Fill in the builder; gives the draft's id."""
    page = at.page
    at.open("build")
    page.get_by_label(at.say("web.build.name"), exact=True).fill(TITLE[at.language])
    page.get_by_label(at.say("web.build.does"), exact=True).fill(NOTES[at.language])
    page.get_by_label(at.say("web.build.instructions")).fill(ORDERS[at.language])
    page.get_by_label(at.say("web.build.starters")).fill("Hall 4")
    page.locator("#atl-passport h2", has_text=TITLE[at.language]).wait_for()
    page.wait_for_url("**/build?agent=*")
    return str(page.url.partition("agent=")[2].partition("#")[0])


def cased(at: Window, agent: str) -> None:
    """Write a test case, so that reviewers see what the agent should do."""
    page = at.page
    at.open(f"evaluation?agent={agent}")
    for name, text in (("id", "hall"), ("input", "Hall 4?"), ("contains", "answer")):
        page.locator(f"[name={name}]").fill(text)
    at.button("evaluation.save").click()
    expect(page.get_by_role("heading", name=at.say("evaluation.cases", n=1))).to_be_visible()


def asked(at: Window, agent: str) -> str:
    """Ask to publish, with the evidence made at once; gives the request's id."""
    page = at.page
    at.open(f"build?agent={agent}#test")
    page.locator("#atl-test").get_by_role("link", name=at.say("build.test.publish")).click()
    page.wait_for_url("**/publish?agent=*")
    page.get_by_label(at.say("publish.who")).select_option("everyone")
    page.get_by_label(at.say("publish.notes")).fill(NOTES[at.language])
    at.button("publish.ask-for").click()
    page.wait_for_url("**/publish?request=*")
    # nobody decides on their own work
    expect(page.get_by_text(at.say("publish.own-more"))).to_be_visible()
    assert at.button("publish.approve").count() == 0
    return str(page.url.partition("request=")[2])


def reviewed(desk: Office, at: Window, request: str) -> None:
    """Evidence, a comment, a trial of exactly this version, the decision."""
    page = at.page
    at.open("publish")
    page.get_by_role("link", name=TITLE[at.language], exact=True).click()
    page.wait_for_url("**/publish?request=*")
    expect(at.button("publish.approve")).to_be_visible(timeout=90_000)  # once the checks are done
    evidence = page.locator(".atl-evidence")
    expect(evidence).to_contain_text(at.say("publish.ev.safety"))
    expect(evidence).to_contain_text(re.compile(r"1[01]/1[01]"))
    expect(page.locator(".atl-diff", has_text=ORDERS[at.language])).to_be_visible()
    page.get_by_label(at.say("publish.comment"), exact=True).fill(REMARK[at.language])
    at.button("publish.comment-send").click()
    expect(page.locator(".atl-remarks")).to_contain_text(REMARK[at.language])
    desk.script(Say("Tried by a champion."))
    at.link("publish.try").click()
    page.wait_for_selector("[data-atl-chat=ready]")
    expect(at.send("Hall 4?")).to_contain_text("Tried by a champion.")
    at.open(f"publish?request={request}")
    page.get_by_label(at.say("publish.note-approve")).fill("OK")
    at.button("publish.approve").click()
    told = at.say("publish.told.published", name="Sample Champion")
    expect(page.get_by_text(told)).to_be_visible()


def used(desk: Office, at: Window) -> None:
    """A colleague meets it on Home and works with it."""
    desk.script(Say("For a colleague."))
    at.open("")
    expect(at.page.get_by_role("heading", name=at.say("web.home.shared"))).to_be_visible()
    at.page.get_by_role("heading", name=TITLE[at.language]).click()
    at.page.wait_for_selector("[data-atl-chat=ready]")
    expect(at.send("Hall 5?")).to_contain_text("For a colleague.")


def withdrawn(at: Window, agent: str) -> None:
    """The author sees its use and takes it back at once."""
    page = at.page
    at.open("published")
    page.get_by_role("link", name=TITLE[at.language], exact=True).click()
    page.wait_for_url("**/published?agent=*")
    use = page.locator(".atl-kpis > div").first
    expect(use.locator("dd")).to_have_text("1")
    page.get_by_label(at.say("publish.withdraw-why")).fill(WHY[at.language])
    at.button("publish.withdraw").click()
    expect(page.locator(".atl-ribbon[data-kind=blocked]")).to_contain_text(WHY[at.language])
    assert agent in page.url
