"""An employee's day in a browser, in both languages: describe, build, test, chat, find, privacy."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.office import Office, Window
from tests.upstream import Say
from ui.messages import Language

pytestmark = pytest.mark.timeout(300)

NAME, MAIL = "Claire Fontaine", "claire.fontaine@example.com"
DRAFT = {
    "en": "NAME: Workshop letters\nPURPOSE: Writes letters on our workshops.\nCATEGORY: everyday\n"
    "TOOLS: none\nINSTRUCTIONS:\n- Write short letters.\nSTARTERS:\n- Move the workshop.",
    "fr": "NAME: Courriers d’atelier\nPURPOSE: Rédige nos courriers d’atelier.\n"
    "CATEGORY: everyday\nTOOLS: none\nINSTRUCTIONS:\n- Des lettres courtes.\nSTARTERS:\n"
    "- Déplacer l’atelier.",
}
TITLE = {"en": "Workshop letters", "fr": "Courriers d’atelier"}
WISH = {
    "en": "It should write short letters to the people who come to our workshops.",
    "fr": "Il doit rédiger de courtes lettres aux personnes inscrites à nos ateliers.",
}
MESSAGE = {
    "en": f"Write to {NAME} ({MAIL}): the workshop moves to room 12.",
    "fr": f"Écrivez à {NAME} ({MAIL}) : l’atelier est déplacé en salle 12.",
}
WORD = {"en": "workshop", "fr": "atelier"}


def step(at: Window, name: str) -> None:
    """Go on to a step of the builder by the link at the foot of the one before."""
    at.page.get_by_role(
        "link", name=at.say("build.next", step=at.say(f"build.step.{name}")), exact=True
    ).click()
    expect(at.page.locator(f"#atl-step-{name} h2").first).to_be_focused()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_employee_builds_an_agent_from_words_and_works_with_it(
    desk: Office, browser: Browser, language: Language
) -> None:
    with desk.window(browser, "author", language) as at:
        built(desk, at)
        masked_and_explained(desk, at)
        again_and_edited(desk, at)
        judged(at)
        found_and_kept(at)


def built(desk: Office, at: Window) -> None:
    """From Home to a draft that answers beside its form."""
    page, title = at.page, TITLE[at.language]
    desk.script(Say(DRAFT[at.language]), Say("Beside the form."))
    at.open("")
    at.link("web.home.new").click()
    page.get_by_label(at.say("build.describe")).fill(WISH[at.language])
    at.button("build.describe.ask").click()
    expect(page.locator("#atl-proposal")).to_contain_text(title, timeout=60_000)
    name = page.get_by_label(at.say("web.build.name"), exact=True)
    expect(name).to_have_value("")
    at.button("build.describe.apply").click()
    expect(name).to_have_value(title)
    page.wait_for_url("**/build?agent=*")
    for each in ("tools", "guards", "test"):
        step(at, each)
    page.go_back()
    expect(page.locator("#atl-step-guards h2").first).to_be_visible()
    page.go_forward()
    expect(page.locator("#atl-step-test h2").first).to_be_visible()
    beside = page.locator("#atl-tryout")
    beside.locator("[data-atl-chat=ready]").wait_for()
    beside.locator("[data-atl-text]").fill("?")
    beside.locator("[data-atl-send]").click()
    expect(beside.locator(".atl-answer[aria-busy=false]")).to_contain_text(
        "Beside the form.", timeout=60_000
    )
    page.locator("#atl-test").get_by_role("link", name=at.say("build.test.playground")).click()
    page.wait_for_selector("[data-atl-chat=ready]")
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def masked_and_explained(desk: Office, at: Window) -> None:
    """The ribbon, the restored answer, and how it was made."""
    desk.script(Say("Dear <PERSON_1>, room 12. I wrote to <EMAIL_ADDRESS_1>."))
    answer = at.send(MESSAGE[at.language])
    expect(answer.locator(".atl-ribbon[data-kind=masked]")).to_be_visible()
    expect(answer).to_contain_text(NAME)
    expect(answer).to_contain_text(MAIL)
    answer.get_by_role("button", name=at.say("web.chat.how")).click()
    how = at.page.locator("[data-atl-how]")
    expect(how.locator(".atl-token").first).to_be_visible()
    assert NAME not in how.inner_text()
    received = b"".join(desk.house.upstream.requests).decode("utf-8", "replace")
    assert "<PERSON_1>" in received
    assert "Fontaine" not in received
    assert MAIL not in received


def again_and_edited(desk: Office, at: Window) -> None:
    """Another answer in the place of the last; then the message changed and sent anew."""
    page = at.page
    desk.script(Say("Another try for <PERSON_1>."))
    page.locator("[data-atl-again]").last.click()
    expect(page.locator(".atl-answer[aria-busy=false]").last).to_contain_text(
        f"Another try for {NAME}.", timeout=60_000
    )
    assert page.locator(".atl-answer").count() == 1
    before = page.url
    page.get_by_role("button", name=at.say("web.chat.edit")).click()
    field = page.locator("[data-atl-text]")
    expect(field).to_have_value(MESSAGE[at.language])
    expect(page.locator(".atl-answer")).to_have_count(0)
    desk.script(Say("Room 14, then."))
    answer = at.send(MESSAGE[at.language].replace("12", "14"))
    expect(answer).to_contain_text("Room 14, then.")
    assert page.url != before
    assert at.language == re.search(r"/(en|fr)/", page.url)[1]  # type: ignore[index]


def judged(at: Window) -> None:
    """What the person thinks of the answer reaches people who review it."""
    page = at.page
    answer = page.locator(".atl-answer").last
    at.button("web.chat.feedback.bad").last.click()
    answer.get_by_label(at.say("web.chat.feedback.note")).fill("14 ≠ 12")
    answer.get_by_role("button", name=at.say("web.chat.feedback.wrong")).click()
    expect(answer.get_by_text(at.say("web.chat.feedback.sent"))).to_be_visible()


def found_and_kept(at: Window) -> None:
    """My conversations by their words; what is kept about me."""
    page = at.page
    at.open("conversations")
    search = page.locator("#atl-words")
    search.press_sequentially(WORD[at.language], delay=20)
    expect(page.locator(".atl-rows li").first).to_contain_text(TITLE[at.language])
    page.wait_for_url(f"**?words={WORD[at.language]}")
    expect(page.locator("#atl-words")).to_be_focused()
    page.locator("#atl-words").fill("zzzz")
    expect(page.get_by_text(at.say("web.conversations.no-match"))).to_be_visible()
    page.locator("#atl-words").fill(WORD[at.language])
    page.locator(".atl-rows a").first.click()
    expect(answers(page)).to_contain_text("Room 14, then.")
    at.open("privacy")
    kept = page.locator(".atl-kpis li")
    expect(kept).to_have_count(5)
    assert not re.search(r"^0$", kept.first.locator("b").inner_text())
    with page.expect_download() as download:
        at.button("privacy.export.do").click()
    assert NAME in download.value.path().read_text("utf-8", "replace") or (
        download.value.suggested_filename.endswith(".zip")
    )


def answers(page: Page) -> Locator:
    """The last answer of the page."""
    return page.locator(".atl-answer").last
