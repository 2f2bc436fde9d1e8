"""The main story, played in a browser: what is typed, what the model gets, what a reviewer sees."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import Product, visit
from tests.upstream import Say

pytestmark = pytest.mark.timeout(300)

NAME, MAIL, PHONE = "Claire Fontaine", "claire.fontaine@example.com", "06 12 34 56 78"
ANSWER = "Dear <PERSON_1>,\n\nI wrote to **<EMAIL_ADDRESS_1>** and will call <PHONE_NUMBER_1>."
STORY = {
    "en": {
        "agent": "E-mail drafter",
        "message": f"Write to {NAME} ({MAIL}, {PHONE}): the workshop moves to room 12.",
        "ribbon": r"\d+ details masked before the model saw them",
    },
    "fr": {
        "agent": "Rédaction de courriels",
        "message": f"Écrivez à {NAME} ({MAIL}, {PHONE}) : l’atelier est déplacé en salle 12.",
        "ribbon": r"\d+ éléments? masqués? avant",
    },
}


def say(page: Page, text: str) -> None:
    """Send one message and wait for the whole answer."""
    answers = page.locator(".atl-answer[aria-busy=false]")
    before = answers.count()
    page.locator("[data-atl-text]").fill(text)
    page.locator("[data-atl-send]").click()
    answers.nth(before).wait_for(timeout=60_000)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_employee_chats_and_nobody_else_sees_the_names(
    house: Product, browser: Browser, language: str
) -> None:
    story = STORY[language]
    upstream = house.upstream
    upstream.script = [Say(ANSWER, delay=0.02)]
    upstream.requests.clear()
    with visit(browser, house.address) as visitor:
        page = visitor.page()
        visitor.open(page, f"/{language}/")
        page.get_by_role("heading", name=story["agent"]).click()
        page.wait_for_selector("[data-atl-chat=ready]")
        say(page, story["message"])
        answer = page.locator(".atl-answer").last.inner_text()
        assert re.search(story["ribbon"], answer), answer
        assert f"Dear {NAME}" in answer
        assert MAIL in answer
        assert PHONE in answer
        how = page.locator("[data-atl-how]").inner_text()
        assert NAME not in how
        assert page.locator("[data-atl-how] .atl-token").count() >= 3
        trace = re.search(r"tr_[0-9a-f]{8}", how)
        assert trace is not None

        page.reload()
        page.locator(".atl-answer").last.wait_for()
        assert f"Dear {NAME}" in page.locator(".atl-answer").last.inner_text()

        visitor.open(page, f"/{language}/audit")
        page.get_by_role("link", name=trace[0]).click()
        page.locator("#atl-detail .atl-water").wait_for()
        for step in page.locator("#atl-detail summary").all():
            step.click()
        seen = page.locator("body").inner_text() + page.content()
        for secret in (NAME, "Fontaine", MAIL, PHONE):
            assert secret not in seen
        page.locator("#atl-verify").click()
        page.locator("#atl-ledger .atl-ribbon[data-kind=ok]").wait_for()
    received = b"".join(upstream.requests).decode("utf-8", "replace")
    assert "<PERSON_1>" in received
    for secret in (NAME, "Fontaine", MAIL, PHONE, PHONE.replace(" ", "")):
        assert secret not in received


def test_stop_keeps_what_was_written_and_a_new_message_can_follow(
    house: Product, browser: Browser
) -> None:
    house.upstream.script = [Say("one two three " * 60, delay=0.15)]
    with visit(browser, house.address) as visitor:
        page = visitor.page()
        visitor.open(page, "/en/playground?agent=meeting-summariser")
        page.wait_for_selector("[data-atl-chat=ready]")
        page.locator("[data-atl-text]").fill("Summarise: we met.")
        page.locator("[data-atl-send]").click()
        page.locator(".atl-answer .atl-md", has_text="two").wait_for(timeout=60_000)
        page.get_by_role("button", name="Stop the answer").click()
        page.locator(".atl-answer[aria-busy=false]").wait_for(timeout=30_000)
        assert "You stopped this answer" in page.locator(".atl-answer").inner_text()
        house.upstream.script = [Say("Second answer.")]
        say(page, "Again, please.")
        assert "Second answer." in page.locator(".atl-answer").last.inner_text()


def test_a_model_that_fails_is_told_in_words_and_nothing_is_lost(
    house: Product, browser: Browser
) -> None:
    house.upstream.script = [Say(status=429)]
    with visit(browser, house.address) as visitor:
        page = visitor.page()
        visitor.open(page, "/fr/playground?agent=email-drafter")
        page.wait_for_selector("[data-atl-chat=ready]")
        say(page, "Bonjour, écrivez un courriel.")
        shown = page.locator(".atl-answer").inner_text()
        assert "Traceback" not in shown
        assert "modèle" in shown
        house.upstream.script = [Say("Voici le courriel.")]
        say(page, "Encore, s’il vous plaît.")
        assert "Voici le courriel." in page.locator(".atl-answer").last.inner_text()


def test_a_draft_is_kept_as_it_is_typed_and_can_be_tried(house: Product, browser: Browser) -> None:
    house.upstream.script = [Say("Take the train.")]
    with visit(browser, house.address) as visitor:
        page = visitor.page()
        visitor.open(page, "/en/build")
        page.get_by_label("Name", exact=True).press_sequentially("Travel guide", delay=15)
        page.get_by_label("Instructions").fill("Answer questions about travel in one sentence.")
        page.get_by_role("link", name="Test in the Playground").wait_for()
        page.locator("#atl-passport h2", has_text="Travel guide").wait_for()
        page.locator(".atl-stepper").get_by_role("link", name="Guardrails").click()
        seen = page.locator("#atl-seen")
        page.get_by_label("Try it").fill(f"Ask {NAME} at {MAIL}.")
        seen.locator(".atl-token").nth(1).wait_for()
        page.wait_for_url("**/build?agent=*")
        page.reload()
        page.locator("#atl-step-guards").wait_for()
        page.locator(".atl-stepper").get_by_role("link", name="Purpose").click()
        expect(page.get_by_label("Name", exact=True)).to_have_value("Travel guide", timeout=20_000)
        page.get_by_role("link", name="Test in the Playground").click()
        page.wait_for_selector("[data-atl-chat=ready]")
        say(page, "How do I get to Lyon?")
        assert "Take the train." in page.locator(".atl-answer").last.inner_text()
        visitor.open(page, "/en/")
        assert page.get_by_role("link", name="Travel guide", exact=True).count() == 1
