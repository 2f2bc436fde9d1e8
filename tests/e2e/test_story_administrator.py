"""The administrator's day and the officer's paperwork: people, groups, keys; holds, exports, the
sandbox's own check. By buttons and forms, with a reload and a step back on the way.
"""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.office import Office, Window
from ui.messages import Language

pytestmark = pytest.mark.timeout(300)

NEW = {"en": ("rosa", "Rosa Sample"), "fr": ("remi", "Rémi Sample")}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_administrator_adds_a_person_a_group_and_a_key(
    desk: Office, browser: Browser, language: Language
) -> None:
    login, name = NEW[language]
    with desk.window(browser, "manager", language) as at:
        page = at.page
        at.open("people")
        page.locator("#people-add summary").click()
        page.locator("#people-add input[name=login]").fill(login)
        page.locator("#people-add input[name=name]").fill(name)
        page.keyboard.press("Enter")
        expect(page.locator("#people-once")).to_contain_text("/password#")
        expect(page.locator("#people-list")).to_contain_text(name)
        page.reload()  # a way in is shown once
        assert "/password#" not in page.locator("main").inner_text()
        at.open("people?tab=groups")
        page.locator("main details summary").first.click()
        page.locator("main details[open] input[name=name]").fill(f"Team {name}")
        page.keyboard.press("Enter")
        group = page.locator("details", has_text=f"Team {name}").first
        expect(group.locator("summary")).to_contain_text(at.say("count.people", n=0))
        at.open("access?tab=directory")
        page.locator("form[data-once=scim-once] input[name=name]").fill(f"Directory {name}")
        page.keyboard.press("Enter")
        expect(page.locator("#scim-once .atl-once").first).to_contain_text(re.compile(r"\w{20}"))
        expect(page.locator("#scim-keys")).to_contain_text(f"Directory {name}")


def test_a_tool_is_switched_off_and_on_and_the_page_stays_where_it_is(
    desk: Office, browser: Browser
) -> None:
    with desk.window(browser, "manager", "en") as at:
        page = at.page
        at.open("tools")
        switch = page.get_by_role("switch", name=at.say("tools.page.switch", name="Chart"))
        switch.press("Space")
        expect(page.locator(".atl-toast")).to_have_text(at.say("tools.page.switched"))
        page.reload()
        expect(switch).not_to_be_checked()
        switch.press("Space")
        expect(page.locator(".atl-toast")).to_have_text(at.say("tools.page.switched"))
        page.reload()
        expect(switch).to_be_checked()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_officer_holds_exports_and_checks_the_sandbox(
    desk: Office, browser: Browser, language: Language
) -> None:
    with desk.window(browser, "officer", language) as at:
        page = at.page
        at.open("retention?hold=agent&value=email-drafter")
        reason = f"An inquiry asks for it ({language})."
        page.locator("#atl-placehold textarea").fill(reason)
        page.locator("#atl-placehold button").click()
        row = page.locator("tr", has_text=reason)
        expect(row).to_contain_text(at.say("record.hold.in-force"))
        expect(row).to_contain_text("Sample Officer")
        at.open("exports?days=7")
        assert page.locator("select[name=days]").input_value() == "7"
        at.button("record.exports.start").click()
        ready = page.locator("#atl-exports .atl-chip").first
        expect(ready).to_have_text(at.say("record.exports.state.ready"), timeout=30_000)
        with page.expect_download() as taken:
            page.locator("#atl-exports [data-download]").first.click()
        assert taken.value.suggested_filename.endswith(".csv")
        sandbox(at)


def sandbox(at: Window) -> None:
    """The self-check on its page: every attempt in words, and pressing the button tries again."""
    page = at.page
    at.open("sandbox")
    at.button("seal.check.now").click()
    expect(page.locator(".atl-toast")).to_have_text(at.say("sandbox.checked"), timeout=60_000)
    table = page.locator(".atl-tried")
    expect(table).to_contain_text(at.say("sandbox.check.network"))
    expect(page.locator(".atl-ribbon[data-kind=ok]")).to_be_visible()
    page.go_back()
    expect(page.locator("h1")).to_have_text(at.say("web.nav.exports"))
