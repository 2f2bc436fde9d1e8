"""Security's day in both languages: look, prove, reveal by two, change a rule by two, except."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.office import Office, Window
from tests.upstream import Say
from ui.messages import Language

pytestmark = pytest.mark.timeout(300)

NAME, MAIL = "Claire Fontaine", "claire.fontaine@example.com"
MESSAGE = {"en": f"Thank {NAME} ({MAIL}) for the lunch.", "fr": f"Remerciez {NAME} ({MAIL})."}
REASON = {"en": "A customer complains about it.", "fr": "Un client s’en plaint auprès de nous."}
# both stories are played on one product: each stops a kind of its own, and excepts its own person
KIND = {
    "en": ("PHONE_NUMBER", "06 12 34 56 78"),
    "fr": ("IBAN_CODE", "FR76 3000 6000 0112 3456 7890 189"),
}
STAFF = {"en": "colleague", "fr": "author"}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_security_looks_proves_and_reveals_with_a_second_person(
    desk: Office, browser: Browser, language: Language
) -> None:
    desk.script(Say("Dear <PERSON_1>, thank you."))
    with desk.window(browser, "author", language) as at:
        at.open("playground?agent=email-drafter")
        at.page.wait_for_selector("[data-atl-chat=ready]")
        at.send(MESSAGE[language])
    with desk.window(browser, "officer", language) as at:
        trace = looked(at)
        asked(at)
    with desk.window(browser, "second", language) as at:
        page = at.page
        at.open("audit")
        page.get_by_role("status").get_by_role("link", name=trace).click()
        at.button("record.reveal.approve").click()
        state = at.say("record.reveal.state.granted")
        expect(page.locator(".atl-revealrow .atl-chip").first).to_have_text(state)
        assert NAME not in page.content()
    with desk.window(browser, "officer", language) as at:
        at.open(f"audit?days=all&open={trace.removeprefix('tr_')}")
        at.button("record.reveal.show").click()
        expect(at.page.locator(".atl-revealed [data-request]")).to_have_text(MESSAGE[language])
    with desk.window(browser, "author", language) as at:
        at.open("privacy")
        expect(at.page.get_by_role("cell", name=REASON[language]).first).to_be_visible()


def looked(at: Window) -> str:
    """Filters, one trace with its steps, the proof of the ledger; gives the trace's short id."""
    page = at.page
    at.open("audit")
    page.get_by_role("radio", name=at.say("web.verdict.masked")).check()
    page.wait_for_url("**verdict=masked*")
    page.wait_for_load_state("networkidle")  # the list is drawn anew, its fields with it
    search = page.get_by_label(at.say("web.audit.search"), exact=True)
    search.fill("lunch" if at.language == "en" else "Remerciez")
    search.press("Enter")
    rows = page.locator("#atl-table tbody tr")
    expect(rows).to_have_count(1)
    link = rows.first.get_by_role("link")
    trace = link.inner_text()
    assert re.fullmatch(r"tr_[0-9a-f]{8}", trace)
    link.click()
    detail = page.locator("#atl-detail")
    expect(detail.locator(".atl-water details").first).to_be_visible()
    for each in detail.locator("details:not(#atl-askreveal) > summary").all():
        each.click()
    assert NAME not in page.content()
    assert MAIL not in page.content()
    page.locator("#atl-verify").click()
    expect(page.locator("#atl-ledger .atl-ribbon[data-kind=ok]")).to_be_visible()
    page.go_back()
    expect(rows).to_have_count(1)
    page.go_forward()
    expect(detail.locator(".atl-water")).to_be_visible()
    return str(trace)


def asked(at: Window) -> None:
    """Ask to see the real values; one person alone cannot."""
    at.page.wait_for_load_state("networkidle")  # going forward draws the page once more
    fold = at.page.locator("#atl-askreveal")
    fold.locator("summary").click()
    fold.get_by_label(at.say("record.reveal.reason")).fill(REASON[at.language])
    at.button("record.reveal.send").click()
    state = at.say("record.reveal.state.asked")
    expect(at.page.locator(".atl-revealrow .atl-chip").first).to_have_text(state)
    assert at.button("record.reveal.approve").count() == 0


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_rule_of_two_officers_stops_a_colleague_until_they_are_excepted(
    desk: Office, browser: Browser, language: Language
) -> None:
    desk.script(Say("Noted."))
    said = f"Note {KIND[language][1]}."
    with desk.window(browser, "officer", language) as at:
        draft = proposed(at)
    with desk.window(browser, "second", language) as at:
        at.open(f"policies?draft={draft}")
        at.button("rules.do.approve").click()
        at.button("rules.activate").click()
        state = at.say("rules.state.active")
        expect(at.page.locator("header .atl-chip")).to_have_text(state)
    with desk.window(browser, STAFF[language], language) as at:
        page = at.page
        at.open("playground?agent=email-drafter")
        page.wait_for_selector("[data-atl-chat=ready]")
        answer = at.send(said)
        expect(answer.locator(".atl-ribbon[data-kind=blocked]")).to_be_visible()
        answer.get_by_text(at.say("web.chat.exception"), exact=True).click()
        answer.get_by_label(at.say("web.chat.exception.reason")).fill(REASON[language])
        at.button("web.chat.exception.send").click()
        expect(answer.get_by_text(at.say("web.chat.exception.sent"))).to_be_visible()
    with desk.window(browser, "officer", language) as at:
        alerted(at)
        at.open("policies?view=exceptions")
        card = at.page.locator("article", has_text=REASON[language])
        card.get_by_role("button", name=at.say("rules.exceptions.grant")).click()
        holding = at.page.locator("section[aria-labelledby=ex-holding]")
        expect(holding).to_contain_text(REASON[language])
    with desk.window(browser, STAFF[language], language) as at:
        at.open("conversations")
        expect(
            at.page.get_by_text(at.say("web.exception.granted"), exact=True).first
        ).to_be_visible()
        at.open("playground?agent=email-drafter")
        at.page.wait_for_selector("[data-atl-chat=ready]")
        expect(at.send(said)).to_contain_text("Noted.")


def proposed(at: Window) -> str:
    """A draft by its forms, rehearsed on what was said so far; gives its number."""
    page, kind = at.page, KIND[at.language][0]
    at.open("policies")
    at.button("rules.begin").click()
    page.wait_for_url("**/policies?draft=*")
    draft = page.url.partition("draft=")[2].partition("&")[0]
    page.locator(f'[data-kind-row="{kind}"][data-class="internal"]').select_option("block")
    expect(page.locator("[data-status]")).to_have_text(at.say("rules.js.saved"))
    at.button("rules.rehearse").click()
    page.wait_for_url("**as=rehearsal*")
    expect(page.locator(".atl-rule-figures")).to_be_visible(timeout=60_000)
    at.button("rules.do.submit").click()
    expect(page.get_by_text(at.say("rules.waits-other"))).to_be_visible()
    assert at.button("rules.do.approve").count() == 0
    return str(draft)


def alerted(at: Window) -> None:
    """A test of the alerts is sent, arrives, and is marked as seen."""
    page = at.page
    at.open("alerts")
    at.button("record.ways.test").click()
    expect(page.locator(".atl-toast")).to_have_text(at.say("record.ways.tested"))
    new = page.locator(".atl-alertlist li")
    expect(new.first).to_be_visible()
    new.first.get_by_role("button", name=at.say("record.alerts.seen")).click()
