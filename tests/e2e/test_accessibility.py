"""axe-core finds no violation of WCAG 2.2 A and AA on any page (desktop, phone, dark, French)."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import Product, visit
from tests.upstream import Say
from ui.web import nav

AXE = Path(os.environ.get("AXE_CORE", ".tools/node_modules/axe-core/axe.min.js"))
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = 390

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize(
    ("language", "phone", "dark"),
    [("en", False, False), ("fr", True, False), ("en", False, True)],
    ids=["desktop", "phone-french", "dark"],
)
def test_no_page_has_a_violation(
    house: Product, browser: Browser, language: str, phone: bool, dark: bool
) -> None:
    house.upstream.script = [Say("# Answer\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |")]
    found = []
    with visit(browser, house.address, phone=phone, dark=dark) as visitor:
        page = visitor.page()
        for each in nav.PAGES:
            visitor.open(page, nav.address(language, each.id))  # type: ignore[arg-type]
            if each.id == "playground":
                page.wait_for_selector("[data-atl-chat=ready]")
                page.locator("[data-atl-text]").fill("Hello Marie Tremblay, how are you?")
                page.locator("[data-atl-send]").click()
                page.locator(".atl-answer[aria-busy=false]").wait_for(timeout=60_000)
                page.locator("[data-atl-how] summary").first.click()
            if each.id == "audit":
                page.locator("[data-record-trace]").first.click()
                page.locator("#atl-detail .atl-water summary").first.click()
            page.wait_for_timeout(400)
            # nothing may be wider than a phone: the page would shrink to fit it
            wide = page.evaluate("document.documentElement.scrollWidth")
            if phone and wide > PHONE:
                found.append(f"{each.id}: {wide} pixels wide")
            page.evaluate(AXE.read_text("utf-8"))
            result: Any = page.evaluate(
                "tags => axe.run(document, { runOnly: { type: 'tag', values: tags } })", TAGS
            )
            found += [
                f"{each.id}: {one['id']} ({one['impact']}): "
                + "; ".join(node["html"][:140] for node in one["nodes"][:3])
                for one in result["violations"]
            ]
    assert found == []
