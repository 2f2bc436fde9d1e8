"""What a model writes is hostile: the renderer makes text of everything that is not its subset."""

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import Product, visit

pytestmark = pytest.mark.timeout(300)

PAYLOADS = [
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    "[a](javascript:window.hit=1)",
    "[a](JaVaScRiPt:window.hit=1)",
    "[a](data:text/html,<script>window.hit=1</script>)",
    "![x](https://evil.example/pixel.png)",
    "`<svg onload=window.hit=1>`",
    "```html\n<iframe src=https://evil.example></iframe>\n```",
    "| a |\n|---|\n| <img src=x onerror=window.hit=1> |",
    "# <style>body{display:none}</style>",
    "> <base href=https://evil.example>",
    "- <form action=https://evil.example><input></form>",
    '[x](https://a.example" onmouseover="window.hit=1)',
    "&lt;script&gt;window.hit=1&lt;/script&gt;",
    "**<b onclick=window.hit=1>x</b>**",
    "[click](vbscript:x) <a href=//evil.example>y</a>",
]
RENDER = """async (text) => {
  const shell = document.querySelector('script[type=module][src*="/js/shell.js"]').src;
  const { blocks, render } = await import(new URL('markdown.js', shell));
  const box = document.createElement('div');
  document.body.append(box);
  for (const block of blocks(text)) box.append(...render(block));
  await new Promise((done) => setTimeout(done, 30));
  const tags = [...box.querySelectorAll('*')].map((node) => node.tagName.toLowerCase());
  const links = [...box.querySelectorAll('[href]')].map((node) => node.getAttribute('href'));
  const handlers = [...box.querySelectorAll('*')].flatMap((node) => [...node.attributes])
    .map((each) => each.name).filter((name) => name.startsWith('on'));
  const shown = box.innerText;
  box.remove();
  return { tags, links, handlers, shown, hit: window.hit };
}"""


def test_no_payload_becomes_markup(house: Product, browser: Browser) -> None:
    with visit(browser, house.address) as visitor:
        page = visitor.page()
        visitor.open(page, "/en/")
        for payload in PAYLOADS:
            drawn = page.evaluate(RENDER, payload)
            bad = {"script", "img", "iframe", "style", "base", "form", "input", "svg", "b"}
            assert bad.isdisjoint(drawn["tags"]), payload
            assert drawn["handlers"] == [], payload
            assert drawn.get("hit") is None, payload
            for link in drawn["links"]:
                assert link.startswith(("https://", "http://", "mailto:")), payload


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("A **bold** and *soft* `code`.", ["p", "strong", "em", "code"]),
        ("1. one\n2. two\n   - inner", ["ol", "li", "li"]),
        ("- one\n- two", ["ul", "li", "li"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["div", "table", "thead", "tr", "th", "th"]),
        ("```python\nx = 1\n\ny = 2\n```", ["pre", "code"]),
        ("## Title\n\ntext", ["p", "p"]),
        ("see https://example.org/a_b_c.", ["p", "a"]),
        ("2 * 3 * 4 and snake_case_name", ["p"]),
    ],
)
def test_the_subset_is_drawn(house: Product, browser: Browser, text: str, tags: list[str]) -> None:
    with visit(browser, house.address) as visitor:
        page = visitor.page()
        visitor.open(page, "/en/")
        drawn = page.evaluate(RENDER, text)
        assert drawn["tags"][: len(tags)] == tags
        if text.startswith("2 *"):
            assert drawn["tags"] == ["p"]
