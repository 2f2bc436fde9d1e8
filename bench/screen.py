"""The screen in a real Chromium: paint, usable, weight, a builder step. `python -m bench.screen`.

Pages are opened with an empty cache and again with a full one. Times are the browser's own
(`performance`), so that driving it costs nothing of what is measured.
"""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page

from bench.table import Row, show
from tests.e2e.browser import Visit, chromium
from tests.e2e.office import Office, office
from tests.upstream import Say, Upstream

VISITS = 7  # of each page; the median is shown
STEPS = 40
# pages, and what has to stand on them before somebody can use them
PAGES = {
    "": "[data-atl-gallery] a",
    "playground": "[data-atl-chat=ready]",
    "build": "#atl-passport .atl-passport",
    "conversations": "html[data-atl-ready] main",
}
# `performance.now()` at which the wanted part stands on the page, read again after each change
_WATCH = """(wanted) => new Promise((done) => {
  const see = () => {
    if (document.querySelector(wanted)) { watch.disconnect(); done(performance.now()); }
  };
  const watch = new MutationObserver(see);
  watch.observe(document, { subtree: true, childList: true, attributes: true });
  see();
})"""
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
# click, then the milliseconds until `changed` is true
_CLICK = """([target, result]) => new Promise((done) => {
  const shown = () => document.querySelector(result);
  const before = shown()?.outerHTML;
  const began = performance.now();
  const see = () => {
    if (!shown() || shown().outerHTML === before) return;
    watch.disconnect();
    done(performance.now() - began);
  };
  const watch = new MutationObserver(see);
  watch.observe(document.documentElement, {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
  document.querySelector(target).click();
  see();
})"""


def main() -> None:
    """Print the table."""
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Upstream(Say("Hello.")) as upstream,
        office(Path(folder) / "home", upstream) as here,
        chromium() as browser,
    ):
        for page, part in PAGES.items():
            rows += _page(here, browser, page, part)
        rows += _steps(here, browser)
    show("The screen", rows)


def _page(here: Office, browser: Browser, path: str, part: str) -> Iterator[Row]:
    """One page: times and weight, cold and warm."""
    name = path or "home"
    paints, usable, cold, warm = [], [], 0.0, 0.0
    for _ in range(VISITS):
        with here.window(browser, "author", "en") as at:
            paint, ready, cold = _visited(at.visitor, path, part)
            paints.append(paint)
            usable.append(ready)
            _, _, warm = _visited(at.visitor, path, part)
    yield Row(f"{name}: first paint, cold, p50", statistics.median(paints) / 1000, "s", 0.5)
    yield Row(f"{name}: usable, cold, p50", statistics.median(usable) / 1000, "s", 1.5)
    yield Row(f"{name}: weight, cold", cold, "KB", 350)
    yield Row(f"{name}: weight, warm", warm, "KB", 60)


def _visited(visitor: Visit, path: str, part: str) -> tuple[float, float, float]:
    """First paint and usable in ms, KB over the wire, of one visit in a tab of its own."""
    page = visitor.page()
    network = visitor.context.new_cdp_session(page)
    network.send("Network.enable")
    sizes: list[float] = []
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(f"{visitor.address}/en/{path}", wait_until="commit")
    ready = float(page.evaluate(_WATCH, part))
    page.wait_for_timeout(800)  # what is fetched after it can be used weighs as well
    paint = float(page.evaluate(_PAINT))
    page.close()
    return paint, ready, sum(sizes) / 1024


def _steps(here: Office, browser: Browser) -> list[Row]:
    """The builder: from one step to the next, and a choice whose effect the server shows."""
    with here.window(browser, "author", "en") as at:
        at.open("build")
        at.page.wait_for_selector("#atl-passport .atl-passport")
        moves = [
            _took(at.page, f'.atl-stepper a[href="#{step}"]', f'.atl-stepper a[href="#{step}"]')
            for step in ("tools", "guards", "test", "purpose") * (STEPS // 4)
        ]
        at.page.evaluate("location.hash = 'guards'")
        choice = '#atl-step-guards input[type=radio][value="{}"]'
        previews = [
            _took(at.page, choice.format(value), "#atl-seen .atl-ribbon p")
            for value in ("surrogates", "placeholders") * (STEPS // 2)
        ]
    return [
        Row("builder: next step, click to result, p95", _p95(moves), "ms", 120),
        Row("builder: choice, click to what the model sees, p95", _p95(previews), "ms", 120),
    ]


def _took(page: Page, target: str, result: str) -> float:
    took = float(page.evaluate(_CLICK, [target, result]))
    page.wait_for_timeout(60)  # a person's next click comes later than this
    return took


def _p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


if __name__ == "__main__":
    main()
