"""Tab, Enter and the space bar are enough for the staff story; what has focus is always seen."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.office import PASSWORD, Office, Window
from tests.upstream import Say
from ui.messages import Language

pytestmark = pytest.mark.timeout(300)

FURTHEST = 90  # presses of Tab before something counts as out of reach
NAME = "Claire Fontaine"
TITLE = {"en": "Keyboard letters", "fr": "Lettres au clavier"}

# the outline, or a border or shadow that the focus alone brings
_SEEN = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return "";
  const wide = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const held = [at, at.closest("label"), at.parentElement, at.closest(".atl-composer, .block")];
  const seen = held.some((each) => each && (wide(getComputedStyle(each))
    || (each.matches(":focus-within") && getComputedStyle(each).boxShadow !== "none")));
  const box = at.getBoundingClientRect();
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0;
  return (seen && inside ? "" : "no visible focus: ") + at.outerHTML.slice(0, 160);
}"""


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until the focus is on something that matches `wanted`; all on the way is seen."""
    for _ in range(FURTHEST):
        page.keyboard.press("Tab")
        told = page.evaluate(_SEEN)
        assert not told.startswith("no visible focus"), told
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"{wanted} cannot be reached with Tab")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_employee_builds_chats_and_searches_without_a_pointer(
    desk: Office, browser: Browser, language: Language
) -> None:
    desk.script(Say("Dear <PERSON_1>, thank you."))
    with desk.window(browser, "author", language) as at:
        page = at.page
        at.open("")
        page.keyboard.press("Tab")
        expect(page.locator(".atl-skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#atl-main")).to_be_focused()
        tab_to(page, f'a[href="/{language}/build"]')
        page.keyboard.press("Enter")
        page.wait_for_selector("#atl-step-purpose textarea, #atl-step-purpose input")
        built(at)
        chatted(desk, at)
        at.open("conversations")
        tab_to(page, "#atl-words")
        page.keyboard.type("zzzz", delay=20)
        expect(page.get_by_text(at.say("web.conversations.no-match"))).to_be_visible()
        expect(page.locator("#atl-words")).to_be_focused()


def built(at: Window) -> None:
    """Fill in the four steps; Enter on a link goes on to the next step's heading."""
    page = at.page
    page.wait_for_selector("html[data-atl-step]", state="attached")
    name = page.get_by_label(at.say("web.build.name"), exact=True)
    expect(name).to_be_visible()
    name.evaluate("field => { field.dataset.wanted = 'name'; }")
    tab_to(page, "[data-wanted=name]")
    page.keyboard.type(TITLE[at.language])
    orders = page.get_by_label(at.say("web.build.instructions"))
    orders.evaluate("field => { field.dataset.wanted = 'orders'; }")
    tab_to(page, "[data-wanted=orders]")
    page.keyboard.type("Write short letters.")
    for step in ("tools", "guards", "test"):
        tab_to(page, f'.atl-step-foot a[href="#{step}"][data-kind]')
        page.keyboard.press("Enter")
        expect(page.locator(f"#atl-step-{step} h2").first).to_be_focused()
    expect(page.locator("#atl-test a[data-kind=primary]")).to_be_visible()
    tab_to(page, "#atl-test a[data-kind=primary]")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-atl-chat=ready]")


def chatted(desk: Office, at: Window) -> None:
    """Write, send with Enter, look how it was made, ask again."""
    page = at.page
    tab_to(page, "[data-atl-text]")
    page.keyboard.type(f"Thank {NAME}.")
    page.keyboard.press("Enter")
    answer = page.locator(".atl-answer[aria-busy=false]")
    expect(answer).to_contain_text(f"Dear {NAME}, thank you.", timeout=60_000)
    expect(page.locator("#atl-live")).to_have_text(at.say("web.chat.ready"))
    page.keyboard.press("Shift+Tab")
    tab_to(page, "[data-atl-text]")
    page.locator("[data-atl-how] summary").first.evaluate("one => { one.dataset.wanted = 'how' }")
    tab_to(page, "[data-wanted=how]")
    page.keyboard.press("Enter")
    expect(page.locator("[data-atl-how] details[open]")).to_have_count(1)
    desk.script(Say("Once more."))
    page.locator(".atl-log [tabindex], .atl-log button").first.focus()
    tab_to(page, "[data-atl-again]")
    page.keyboard.press("Enter")
    expect(page.locator(".atl-answer[aria-busy=false]")).to_contain_text(
        "Once more.", timeout=60_000
    )


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_deep_link_waits_behind_the_sign_in_and_opens_after_it(
    desk: Office, browser: Browser, language: Language
) -> None:
    with desk.window(browser, "colleague", language) as at:
        at.visitor.context.clear_cookies(name="atelier_session")
        page = at.page
        wanted = f"/{language}/playground?agent=meeting-summariser"
        page.goto(desk.house.address + wanted)
        page.wait_for_url("**/sign-in*")
        page.keyboard.type("colleague")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{wanted}")
        page.wait_for_selector("[data-atl-chat=ready]")


def test_what_was_typed_survives_a_reload_in_every_place(desk: Office, browser: Browser) -> None:
    with desk.window(browser, "author", "en") as at:
        page = at.page
        at.open("playground?agent=email-drafter")
        page.wait_for_selector("[data-atl-chat=ready]")
        page.locator("[data-atl-text]").fill("Half a message")
        page.reload()
        expect(page.locator("[data-atl-text]")).to_have_value("Half a message")
        at.open("build")
        name = page.get_by_label(at.say("web.build.name"), exact=True)
        page.locator("#atl-passport .atl-saved").wait_for()
        name.press_sequentially("Half an agent", delay=15)
        page.locator("#atl-passport h2", has_text="Half an agent").wait_for()
        page.wait_for_url("**/build?agent=*")
        at.page.get_by_role("link", name=at.say("build.step.guards")).first.click()
        page.reload()
        expect(page.locator("#atl-step-guards h2").first).to_be_visible()
        page.go_back()
        expect(page.locator("#atl-step-purpose h2").first).to_be_visible()
        expect(name).to_have_value("Half an agent", timeout=20_000)


def test_a_phone_reaches_every_page_from_the_list(desk: Office, browser: Browser) -> None:
    with desk.window(browser, "officer", "fr", phone=True) as at:
        page = at.page
        at.open("")
        button = at.button("web.menu")
        button.click()
        side = page.locator("#atl-side")
        expect(side.locator("a[aria-current=page]")).to_be_focused()
        expect(button).to_have_attribute("aria-expanded", "true")
        page.keyboard.press("Escape")
        expect(side).to_be_hidden()
        expect(button).to_be_focused()
        button.click()
        side.get_by_role("link", name=at.say("web.nav.policies")).click()
        page.wait_for_url("**/fr/policies")
        expect(side).to_be_hidden()
