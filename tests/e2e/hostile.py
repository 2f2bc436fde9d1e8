"""Text that tries to be script, and every place where people and programs may write it."""

from typing import Any

from playwright.sync_api import Page

from agents.catalog import SAMPLES, templates
from agents.package import export_agent
from agents.spec import Lines, Text

PAYLOADS = (
    "<script>window.__xss=1</script>",
    "<img src=x onerror=window.__xss=2>",
    '"><svg onload=window.__xss=3>',
    "' onmouseover='window.__xss=4' autofocus onfocus='window.__xss=4",
    "</textarea></title></style><script>window.__xss=5</script>",
    "<iframe srcdoc='<script>parent.__xss=6</script>'></iframe>",
    "[click](javascript:window.__xss=7) ![p](https://evil.example/p.png)",
    "<a href='javascript:window.__xss=8'>x</a><base href='https://evil.example/'>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "{{constructor.constructor('window.__xss=9')()}} ${window.__xss=9}",
    "<math><mtext></mtext><mglyph><svg><mtext><style><img src=x onerror=window.__xss=10>",
    "&lt;script&gt;window.__xss=11&lt;/script&gt;",
)
WATCH = """
window.__csp = [];
document.addEventListener("securitypolicyviolation",
  (event) => window.__csp.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


def api(page: Page, method: str, path: str, body: Any = None) -> Any:
    """Ask the API as the page itself would."""
    return page.evaluate(
        """async ([method, path, body]) => {
          const answer = await fetch(`/api/v1${path}`, {
            method, headers: { "content-type": "application/json" },
            body: body === null ? undefined : JSON.stringify(body) });
          const text = await answer.text();
          try { return { status: answer.status, ...JSON.parse(text) }; }
          catch { return { status: answer.status, text }; }
        }""",
        [method, path, body],
    )


def planted(page: Page) -> list[str]:
    """Payloads wherever else people or programs may write; gives the agents that carry them."""
    for number, text in enumerate(PAYLOADS):
        short = text[:60]
        assert api(page, "POST", "/audit/views", {"name": short, "verdict": "masked"})["done"]
        model = {"name": f"openai/hostile-{number}", "label": text, "location": "local"}
        assert api(page, "POST", "/models/connections", model)["status"] == 200
        hold = {"field": "agent", "value": text, "reason": f"{text} is why"}
        assert api(page, "POST", "/retention/holds", hold)["status"] == 200
        budget = {"scope": "department", "name": text, "unit": "calls", "period": "day", "most": 9}
        assert api(page, "PUT", "/budgets", budget)["status"] == 200
    api(page, "POST", "/policies/drafts", {"note": PAYLOADS[3]})
    key = api(page, "POST", "/access/scim", {"name": "directory"})["secret"]
    for number, text in enumerate(PAYLOADS):
        user = {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": f"{number}-{text}",
            "displayName": text,
            "name": {"formatted": text, "givenName": text, "familyName": text},
            "externalId": text,
            "emails": [{"value": f"s{number}@example.com", "primary": True}],
        }
        assert scim(page, key, "Users", user) == 201, text
        assert scim(page, key, "Groups", {"displayName": f"{number} {text}"}) == 201, text
    return [carrier(page, text) for text in PAYLOADS[1:3]]


def scim(page: Page, key: str, what: str, body: dict[str, Any]) -> int:
    """What a directory's request is answered with; no cookie goes along."""
    status: int = page.evaluate(
        """async ([key, what, body]) => (await fetch(`/scim/v2/${what}`, {
          method: "POST", credentials: "omit", body: JSON.stringify(body),
          headers: { "content-type": "application/scim+json", authorization: `Bearer ${key}` },
        })).status""",
        [key, what, body],
    )
    return status


def carrier(page: Page, text: str) -> str:
    """An agent, brought as a package, whose every field is the text; gives its id."""
    words = Text(en=text, fr=text)
    spec = templates()["email-drafter"].model_copy(
        update={
            "id": "carrier",
            "title": words,
            "purpose": words,
            "instructions": words,
            "starters": Lines(en=(text,), fr=(text,)),
        }
    )
    package = export_agent(spec, lambda name: (SAMPLES / name).read_bytes())
    made = page.evaluate(
        """async (bytes) => {
          const form = new FormData();
          form.append("file", new File([new Uint8Array(bytes)], "a.agent.zip"));
          return (await fetch("/api/v1/agents/import", { method: "POST", body: form })).json();
        }""",
        list(package),
    )
    return str(made["id"])
