"""Names, titles, file names and model output that try to be script are text on every page.

Also: no process of the product asks another host for anything (an audit hook of Python's own sees
every connection and every name that is looked up).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.browser import Product, product, visit
from tests.e2e.hostile import PAYLOADS, WATCH, api, planted
from tests.upstream import Say, Upstream
from ui.messages import LANGUAGES
from ui.web import nav

pytestmark = pytest.mark.timeout(400)
AGENT_PAGES = ("build", "playground", "evaluation")


def harmless(page: Page, where: str) -> None:
    """Nothing ran and nothing was even tried."""
    assert page.evaluate("window.__xss ?? 0") == 0, where
    assert page.evaluate("window.__csp") == [], where
    sought = "main script, main iframe, main base, main img[src='x']"
    assert page.evaluate("(sought) => document.querySelectorAll(sought).length", sought) == 0, where


def test_foreign_text_stays_text_on_every_page(house: Product, browser: Browser) -> None:
    house.upstream.script = [Say("\n\n".join(PAYLOADS))]
    with visit(browser, house.address) as visitor:
        page = visitor.page()
        page.add_init_script(WATCH)
        page.on("dialog", lambda dialog: visitor.wrong.append(f"dialog: {dialog.message}"))
        visitor.open(page, "/en/")
        person = ""
        for number, text in enumerate(PAYLOADS):
            new = {"login": f"{number} {text}", "name": text, "department": text, "invite": "none"}
            made = api(page, "POST", "/people", new)
            assert made["status"] == 200, made
            person = made["person"]
            assert api(page, "POST", "/groups", {"name": text})["status"] == 200
            key = {"name": text, "scopes": ["agents.use"]}
            assert api(page, "POST", "/keys", key)["status"] == 200
            assert api(page, "POST", "/services", {"name": text})["status"] == 200
            assert api(page, "POST", "/access/scim", {"name": text})["status"] == 200
        sent = page.evaluate(
            """async (payloads) => {
              const form = new FormData();
              form.append("text", `Summarise. ${payloads.join(" ")}`);
              form.append("files", new File(["a,b\\n1,2\\n"], `${payloads[1]}.csv`));
              const answer = await fetch("/api/v1/agents/email-drafter/messages",
                { method: "POST", body: form });
              return await answer.text();
            }""",
            list(PAYLOADS),
        )
        assert "data: " in sent, sent
        begun = json.loads(sent.split("data: ", 1)[1].splitlines()[0])
        conversation = begun["conversation"]
        agents = planted(page)
        trace = api(page, "GET", "/audit/traces")["rows"][0]
        more = [
            *(f"/en/{where}?agent={agent}" for agent in agents for where in AGENT_PAGES),
            f"/en/audit?days=all&open={trace.get('trace_id') or trace['id']}",
            "/en/audit?days=all&text=%3Cimg+src%3Dx+onerror%3Dwindow.__xss%3D2%3E",
            "/en/policies?view=history",
            "/en/policies?draft=2",
            "/en/policies?draft=2&as=text",
            "/en/policies?draft=2&as=changes",
            "/en/retention?hold=agent&value=%22%3E%3Csvg+onload%3Dwindow.__xss%3D3%3E",
            "/en/exports?agent=%3Cscript%3Ewindow.__xss%3D1%3C%2Fscript%3E",
            f"/en/people?person={person}",
            "/en/people?tab=groups",
            "/en/people?text=%3Cscript%3Ewindow.__xss%3D1%3C%2Fscript%3E",
            "/en/access?tab=directory",
            "/en/access?tab=programs",
            f"/en/playground?conversation={conversation}",
            "/sign-in?failed=%3Cscript%3Ewindow.__xss%3D1%3C%2Fscript%3E&next=javascript:alert(1)",
        ]
        for where in [*(nav.address("en", each.id) for each in nav.PAGES), *more]:
            page.goto(house.address + where)
            page.wait_for_timeout(250)
            # not by a locator: a form with a field named "matches" breaks Playwright's own engine
            page.evaluate("document.querySelectorAll('main details').forEach((e) => e.open = true)")
            harmless(page, where)
        for where, nth in (("audit", 0), ("models", 1), ("retention", 2), ("policies", 3)):
            visitor.open(page, f"/en/{where}")
            assert PAYLOADS[nth] in page.locator("main").inner_text(), where
        visitor.open(page, "/en/people")
        assert PAYLOADS[0] in page.locator("main").inner_text()
        visitor.open(page, "/en/access?tab=programs")
        assert PAYLOADS[1] in page.locator("main").inner_text()


HOOK = """
import os, sys
def _hook(event, arguments, _file=os.environ["AUDITED"]):
    if event == "socket.connect":
        where = arguments[1]
    elif event == "socket.getaddrinfo":
        where = arguments[0]
    else:
        return
    host = where[0] if isinstance(where, tuple) else where
    if isinstance(where, (str, bytes)) and event == "socket.connect":
        return  # a Unix socket
    with open(_file, "a") as out:
        out.write(f"{event} {host!r}\\n")
sys.addaudithook(_hook)
"""
HERE = ("'127.0.0.1'", "'localhost'", "'::1'", "b'127.0.0.1'", "b'localhost'", "None", "''")


@pytest.mark.heavy
def test_the_server_asks_no_other_host(
    tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks, audited = tmp_path / "hooks", tmp_path / "audited.txt"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(HOOK)
    audited.touch()
    monkeypatch.setenv("PYTHONPATH", str(hooks))
    monkeypatch.setenv("AUDITED", str(audited))
    # the control: the hook does see what leaves (192.0.2.1 is for documentation, RFC 5737)
    outward = "import socket; socket.socket().connect_ex(('192.0.2.1', 9))"
    subprocess.run(
        [sys.executable, "-c", f"import socket; socket.setdefaulttimeout(0.2); {outward}"],
        env=dict(os.environ),
        check=True,
        timeout=60,
    )
    assert "192.0.2.1" in audited.read_text()
    audited.write_text("")
    home = tmp_path / "run" / "home"
    home.parent.mkdir()
    with (
        Upstream(Say("Hello.")) as upstream,
        product(home, upstream) as running,
        visit(browser, running.address) as visitor,
    ):
        page = visitor.page()
        for language in LANGUAGES:
            for each in nav.PAGES:
                page.goto(running.address + nav.address(language, each.id))
                page.wait_for_timeout(300)
        text = {"text": "Write to Marie Tremblay that we meet on Monday."}
        told = api(page, "POST", "/agents/email-drafter/messages", text)
        assert "event: reply" in told["text"]
        assert api(page, "POST", "/backup", {})["status"] == 200
    seen = {line.partition(" ")[2] for line in audited.read_text().splitlines()}
    assert seen and {host for host in seen if host not in HERE} == set()
