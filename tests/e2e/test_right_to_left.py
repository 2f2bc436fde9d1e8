"""Every page in a language that is written from right to left: the frame turns, nothing sticks out.

There is no such language yet: the direction alone is set.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import Product
from ui.web.nav import PAGES

CSS = Path("ui/web/static/css")
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border)-(?:left|right)|left:|right:"
    r"|text-align: (?:left|right)|float: (?:left|right)|border-(?:top|bottom)-(?:left|right))"
)
FOUR = re.compile(
    r"(?<![\w-])(?:margin|padding|inset): ([\w.-]+) ([\w.-]+) ([\w.-]+) ([\w.-]+)(?=[;}])"
)
LOOK = """
() => {
  document.documentElement.dir = "rtl";
  const root = document.documentElement, side = document.querySelector(".atl-side");
  const box = side.getBoundingClientRect();
  return {
    over: root.scrollWidth - root.clientWidth,
    out: [...document.querySelectorAll(".atl-main *")].filter(one => {
      const at = one.getBoundingClientRect();
      return at.width && (at.left < -1 || at.right > innerWidth + 1);
    }).slice(0, 5).map(one => one.outerHTML.slice(0, 120)),
    side: getComputedStyle(side).display === "none" ? null : [box.left, innerWidth - box.right],
    main: document.querySelector(".atl-main").getBoundingClientRect().right,
  };
}
"""


def test_style_sheets_name_no_side_of_the_screen() -> None:
    for file in CSS.glob("*.css"):
        text = file.read_text("utf-8")
        assert not PHYSICAL.findall(text), file.name
        assert all(each[1] == each[3] for each in FOUR.findall(text)), file.name


@pytest.mark.timeout(300)
def test_every_page_turns_and_nothing_sticks_out(house: Product, browser: Browser) -> None:
    wrong: list[str] = []
    context = browser.new_context()
    try:
        page = context.new_page()
        for one in PAGES:
            page.set_viewport_size({"width": 1280, "height": 900})
            page.goto(f"{house.address}/en{one.path}")
            page.wait_for_selector("html[data-atl-ready]", state="attached")
            wide = page.evaluate(LOOK)
            page.set_viewport_size({"width": 390, "height": 844})
            narrow = page.evaluate(LOOK)
            if wide["over"] > 0 or narrow["over"] > 0:
                wrong.append(f"{one.id}: {wide} {narrow}")
            at = wide["side"]
            if at is None or at[1] > 1 or at[0] < 900 or wide["main"] > at[0] + 1:
                wrong.append(f"{one.id}: the list of pages is not on the right: {wide}")
    finally:
        context.close()
    assert not wrong
