"""axe-core finds no violation of WCAG 2.2 A and AA on any page (desktop, phone, dark, French)."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.browser import Product, visit
from tests.e2e.office import Office
from tests.installed import node_package
from tests.upstream import Say
from ui.messages import Language
from ui.web import nav

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = 390
ANSWER = Say("# Answer\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |")

pytestmark = pytest.mark.timeout(900)  # many pages; a busy machine is no violation


def violations(page: Page, name: str, *, phone: bool) -> list[str]:
    """What axe finds on a page, and whether it is wider than a phone (it would shrink to fit)."""
    page.wait_for_timeout(400)
    page.evaluate((node_package("axe-core") / "axe.min.js").read_text("utf-8"))
    result: Any = page.evaluate(
        "tags => axe.run(document, { runOnly: { type: 'tag', values: tags } })", TAGS
    )
    found = [
        f"{name}: {one['id']} ({one['impact']}): "
        + "; ".join(node["html"][:140] for node in one["nodes"][:3])
        for one in result["violations"]
    ]
    wide = page.evaluate("document.documentElement.scrollWidth")
    if phone and wide > PHONE:
        found.append(f"{name}: {wide} pixels wide")
    return found


@pytest.mark.parametrize(
    ("language", "phone", "dark"),
    [("en", False, False), ("fr", True, False), ("en", False, True)],
    ids=["desktop", "phone-french", "dark"],
)
def test_no_page_has_a_violation(
    house: Product, browser: Browser, language: Language, phone: bool, dark: bool
) -> None:
    house.upstream.script = [ANSWER]
    found = []
    with visit(browser, house.address, phone=phone, dark=dark) as visitor:
        page = visitor.page()
        for each in nav.PAGES:
            visitor.open(page, nav.address(language, each.id))
            if each.id == "playground":
                page.wait_for_selector("[data-atl-chat=ready]")
                page.locator("[data-atl-text]").fill("Hello Marie Tremblay, how are you?")
                page.locator("[data-atl-send]").click()
                page.locator(".atl-answer[aria-busy=false]").wait_for(timeout=60_000)
                page.locator("[data-atl-how] summary").first.click()
            if each.id == "audit":
                page.locator("[data-record-trace]").first.click()
                page.locator("#atl-detail .atl-water summary").first.click()
            found += violations(page, each.id, phone=phone)
    assert found == []


@pytest.mark.parametrize(
    ("language", "phone", "dark"),
    [("en", False, False), ("fr", True, True)],
    ids=["desktop", "phone-french-dark"],
)
def test_nor_has_what_opens_from_a_page(
    desk: Office, browser: Browser, language: Language, phone: bool, dark: bool
) -> None:
    desk.script(ANSWER)
    made = content(desk, browser, language)
    found = []
    for who, paths in opened(made).items():
        with desk.window(browser, who, language, phone=phone, dark=dark) as at:
            for path in paths:
                at.open(path)
                at.page.evaluate(
                    "document.querySelectorAll('main details').forEach(one => { one.open = true })"
                )
                found += violations(at.page, path, phone=phone)
            if who == "author":
                at.page.goto(f"{desk.house.address}/{language}/people")  # not theirs to see
                found += violations(at.page, "refused", phone=phone)
                at.visitor.wrong.clear()
    with visit(browser, desk.house.address, phone=phone, dark=dark) as visitor:
        page = visitor.page()
        page.goto(f"{desk.house.address}/sign-in?failed=1")
        found += violations(page, "sign-in", phone=phone)
    assert found == []


def content(desk: Office, browser: Browser, language: Language) -> dict[str, str]:
    """One draft, its request, a conversation with an opinion, a draft of the rules; their ids."""
    made = {}
    with desk.window(browser, "author", language) as at:
        at.open("playground?agent=email-drafter")
        at.page.wait_for_selector("[data-atl-chat=ready]")
        at.send("Thank Marie Tremblay.")
        at.page.wait_for_url("**conversation=*")
        made["conversation"] = at.page.url.partition("conversation=")[2]
        found = at.api("GET", f"conversations/{made['conversation']}")
        made["trace"] = found["messages"][-1]["trace_id"]
        last = found["messages"][-1]["number"]
        opinion = {"message": last, "kind": "wrong", "note": "Too short."}
        at.api("POST", f"conversations/{made['conversation']}/feedback", opinion)
        made["agent"] = at.api("POST", "agents/email-drafter/copy", {})["id"]
        ask = {"audience": "everyone", "bump": "minor", "notes": "Notes.", "tests": False}
        made["request"] = at.api("POST", f"agents/{made['agent']}/requests", ask)["id"]
    with desk.window(browser, "officer", language) as at:
        made["draft"] = str(at.api("POST", "policies/drafts", {"note": "A note."})["number"])
    made["person"] = desk.accounts["colleague"].id
    return made


def opened(made: dict[str, str]) -> dict[str, list[str]]:
    """Addresses with something in them, by who may open them."""
    agent, request, draft = made["agent"], made["request"], made["draft"]
    return {
        "author": [
            f"build?agent={agent}#tools",
            f"build?agent={agent}#guards",
            f"build?agent={agent}#test",
            f"playground?agent=email-drafter&conversation={made['conversation']}",
            f"publish?agent={agent}",
            f"evaluation?agent={agent}",
            "playground?agent=email-drafter&tour=1",
        ],
        "champion": ["publish", f"publish?request={request}", "reports"],
        "officer": [
            f"audit?days=all&open={made['trace']}",
            *(f"policies?draft={draft}&as={one}" for one in ("forms", "text", "changes")),
            "policies?view=history",
            "policies?view=exceptions",
        ],
        "manager": [
            f"people?person={made['person']}",
            "people?tab=groups",
            *(f"access?tab={one}" for one in ("directory", "programs", "roles")),
        ],
    }
