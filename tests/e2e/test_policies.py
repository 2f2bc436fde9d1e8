"""Two officers change a rule in a browser: forms, text, conflict, rehearsal, approval, in force."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import Product, Visit, product, visit
from tests.upstream import Say, Upstream
from ui.running import close
from ui.settings import Settings
from ui.wiring import build

pytestmark = pytest.mark.timeout(300)

WHO = ("first", "second", "manager")
ROLES = {"first": "security", "second": "security", "manager": "administrator"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Product, dict[str, str]]]:
    """A product with accounts, and a session cookie for each."""
    home = tmp_path_factory.mktemp("office") / "home"
    with Upstream(Say("ready")) as upstream:
        app = build(
            Settings.model_validate(
                {"home": home, "model": "openai/scripted", "model_base": upstream.base}
            )
        )
        cookies = {}
        for login in WHO:
            made = app.people.add(login, None, name=f"Sample {login}", roles=[ROLES[login]])
            cookies[login] = app.identity.begin(made)
        close(app)
        with product(Path(home), upstream) as running:
            yield running, cookies


@contextlib.contextmanager
def at_desk(
    office: tuple[Product, dict[str, str]], browser: Browser, who: str
) -> Iterator[tuple[Visit, Page]]:
    """One officer's browser."""
    house, cookies = office
    with visit(browser, house.address) as visitor:
        visitor.context.add_cookies(
            [{"name": "atelier_session", "value": cookies[who], "url": house.address}]
        )
        yield visitor, visitor.page()


def test_a_rule_is_changed_by_forms_and_comes_into_force_by_two_people(
    office: tuple[Product, dict[str, str]], browser: Browser
) -> None:
    with at_desk(office, browser, "first") as (visitor, page):
        visitor.open(page, "/en/policies")
        page.get_by_role("button", name="Change the rules").click()
        page.wait_for_url("**/en/policies?draft=*")
        draft = page.url.split("draft=")[1].split("&")[0]
        saved = page.locator("[data-status]")
        page.get_by_role("checkbox", name="Confidential · United States").uncheck()
        expect(saved).to_have_text("Saved in this draft.")
        page.get_by_label("Phone · Public").select_option("block")
        expect(page.get_by_role("button", name="Ask for approval")).to_be_enabled()
        page.locator("#set-TL-06 summary").click()
        page.locator('[data-add="TL-06"]').fill("send_mail")
        page.locator('[data-add="TL-06"]').press("Enter")
        page.get_by_role("switch", name="DP-06").uncheck()
        expect(page.locator("[data-revision]")).to_have_value("4")
        page.reload()
        expect(page.get_by_role("switch", name="DP-06")).not_to_be_checked()
        assert page.get_by_label("Phone · Public").input_value() == "block"
        page.get_by_role("button", name="Rehearse").click()
        expect(page.get_by_text("No message of that time")).to_be_visible()
        page.get_by_role("button", name="Ask for approval").click()
        expect(page.get_by_text("somebody else has to approve")).to_be_visible()
        assert page.get_by_role("button", name="Approve").count() == 0
    with at_desk(office, browser, "second") as (visitor, page):
        visitor.open(page, f"/en/policies?draft={draft}")
        changes = page.locator(".atl-diff")
        expect(changes).to_contain_text('["send_mail"]')
        page.get_by_role("button", name="Approve").click()
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Put in force").click()
        expect(page.locator("header .atl-chip")).to_contain_text("In force")
        visitor.open(page, "/en/policies")
        expect(page.get_by_text(f"Version {draft} is in force since")).to_be_visible()
        off = page.locator("#rule-DP-06")
        expect(off).to_contain_text("Off")
        visitor.open(page, "/en/policies?view=history")
        page.get_by_role("button", name="Put back in force").click()
        expect(page.locator("tbody tr").last).to_contain_text("In force now")
        visitor.open(page, "/fr/policies")
        expect(page.get_by_text("La version 1 est en vigueur")).to_be_visible()


def test_a_text_says_what_is_wrong_where_and_two_editors_lose_nothing(
    office: tuple[Product, dict[str, str]], browser: Browser
) -> None:
    with at_desk(office, browser, "first") as (visitor, page):
        visitor.open(page, "/en/policies")
        page.get_by_role("button", name="Change the rules").click()
        page.wait_for_url("**/en/policies?draft=*")
        draft = page.url.split("draft=")[1].split("&")[0]
        visitor.open(page, f"/en/policies?draft={draft}&as=text")
        text = page.locator("#rules-text")
        text.press("Control+End")
        text.press_sequentially("\n// mine")
        expect(page.locator("[data-status]")).to_contain_text("No problem found")
        with at_desk(office, browser, "second") as (visitor2, page2):
            visitor2.open(page2, f"/en/policies?draft={draft}&as=text")
            text.press_sequentially(" and more")
            expect(page.locator("[data-status]")).to_contain_text("Saved")
            page2.wait_for_timeout(1500)
            visitor2.wrong.clear()
            page2.locator("#rules-text").press("Control+End")
            page2.locator("#rules-text").press_sequentially("\n// theirs")
            expect(page2.get_by_text("Somebody else has saved")).to_be_visible()
            page2.get_by_role("button", name="Save mine as a new draft").click()
            page2.wait_for_url(lambda url: f"draft={draft}" not in url)
            assert page2.locator("#rules-text").input_value().endswith("// theirs")
            visitor2.wrong.clear()  # the refusal of the save is what was asked for
        text.press_sequentially("\nforbid (principal, action, resource) when { context.data_clas")
        options = page.locator("#rules-words [role=option]")
        expect(options.first).to_have_text("context.data_class")
        text.press("Enter")
        text.press_sequentially(' == "confidental" };')
        problems = page.locator("[data-problems]")
        expect(problems).to_contain_text("Did you mean “confidential”?")
        expect(problems).to_contain_text("Every rule needs an id")
        expect(page.get_by_role("button", name="Ask for approval")).to_be_disabled()
        page.reload()
        assert page.locator("#rules-text").input_value().endswith('"confidental" };')
        page.locator("[data-problems] button").first.click()
        chosen = page.evaluate("getSelection().toString()")
        assert "forbid (principal" in chosen


def test_a_model_is_connected_tested_and_its_key_is_never_shown(
    office: tuple[Product, dict[str, str]], browser: Browser
) -> None:
    house, _ = office
    secret = "sk-sample-not-a-real-key-0003"
    with at_desk(office, browser, "manager") as (visitor, page):
        visitor.open(page, "/en/models")
        page.locator("#model-new summary").click()
        form = page.locator("#model-new form")
        form.get_by_label("Model", exact=False).first.fill("openai/house")
        form.get_by_label("Address").fill(house.upstream.base)
        form.get_by_label("Where it runs").select_option("local")
        form.get_by_label("Key").fill(secret)
        form.get_by_role("button", name="Connect").click()
        card = page.locator("li").filter(has_text="openai/house")
        expect(card).to_contain_text("Set, never shown")
        card.get_by_role("button", name="Test connection").click()
        expect(card).to_contain_text("Answers")
        assert f"Bearer {secret}".encode() in house.upstream.received
        assert secret not in page.content()
        page.locator("#budget-new summary").click()
        budget = page.locator("#budget-new form")
        budget.get_by_label("What is counted").select_option("cost")
        budget.get_by_label("At most").fill("2.5")
        budget.get_by_role("button", name="Set", exact=True).click()
        expect(page.get_by_role("cell", name="$2.5")).to_be_visible()
    with at_desk(office, browser, "first") as (visitor, page):
        visitor.open(page, "/en/models")
        expect(page.get_by_text("openai/house")).to_be_visible()
        assert page.get_by_role("button", name="Test connection").count() == 0
