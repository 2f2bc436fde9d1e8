"""The layer around the pages: who may see what, in which language, under which policy."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from agents.catalog import templates
from guardrails.actor import Actor
from guardrails.audit.tables import ledger
from tests.ui.fake_house import House, open_house
from ui.identity import VIEW_COOKIE
from ui.web import nav
from ui.web.app import build
from ui.web.pages import audit


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = open_house(tmp_path_factory.mktemp("home"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def site(house: House) -> Iterator[TestClient]:
    with TestClient(build(house), base_url="http://127.0.0.1") as client:  # type: ignore[arg-type]
        yield client


@pytest.fixture(autouse=True)
def nobody_chose(site: TestClient) -> None:
    site.cookies.clear()


def get(site: TestClient, path: str, **cookies: str) -> str:
    for name, value in cookies.items():
        site.cookies.set(name, value)
    answer = site.get(path)
    assert answer.status_code == 200, (path, answer.text[:300])
    return answer.text


@pytest.mark.parametrize(("wish", "language"), [("fr-CA,en;q=0.5", "fr"), ("de", "en")])
def test_the_bare_address_leads_home_in_the_browsers_language(
    site: TestClient, wish: str, language: str
) -> None:
    answer = site.get("/", headers={"accept-language": wish}, follow_redirects=False)
    assert answer.headers["location"] == f"/{language}/"


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("page", [page.id for page in nav.PAGES])
def test_every_page_has_its_frame_and_names_no_other_host(
    site: TestClient, language: str, page: str
) -> None:
    html = get(site, nav.address(language, page))  # type: ignore[arg-type]
    assert f'<html lang="{language}"' in html
    assert 'class="atl-skip"' in html
    assert 'aria-current="page"' in html
    foreign = [
        address
        for address in re.findall(r"https?://[\w.-]+", html)
        if address not in ("http://127.0.0.1", "http://www.w3.org")
        and not address.endswith(".example")  # placeholders in forms
    ]
    assert foreign == []


def test_every_script_carries_the_nonce_of_the_policy(site: TestClient) -> None:
    answer = site.get("/en/build")
    policy = answer.headers["content-security-policy"]
    found = re.search(r"'nonce-([\w-]+)'", policy)
    assert found is not None
    assert "unsafe-eval" not in policy
    scripts = re.findall(r"<script\b[^>]*>", answer.text)
    assert scripts
    assert all(f'nonce="{found[1]}"' in script for script in scripts)
    assert site.get("/en/").headers["content-security-policy"] != policy


def test_a_page_that_a_role_may_not_see_is_refused_and_not_linked(site: TestClient) -> None:
    site.cookies.set(VIEW_COOKIE, "staff")
    assert "/en/audit" not in site.get("/en/").text
    answer = site.get("/fr/audit")
    assert answer.status_code == 403
    assert "Sécurité" in answer.text
    assert "gradio-app" not in answer.text


def test_gradios_own_routes_of_a_page_are_refused_to_the_wrong_role(site: TestClient) -> None:
    site.cookies.set(VIEW_COOKIE, "champion")
    for index in range(12):
        body = {"data": [], "fn_index": index, "session_hash": "x"}
        answer = site.post("/en/audit/gradio_api/run/predict", json=body)
        assert answer.status_code in (401, 403, 404), answer.text
        assert "tr_" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "config",
        "gradio_api/info",
        "gradio_api/upload",
        "gradio_api/queue/join",
        "gradio_api/file=/etc/passwd",
        "gradio_api/proxy=http://a.example",
        "gradio_api/call/x",
        "gradio_api/component_server",
        "gradio_api/mcp/",
        "%67radio_api/upload",
        "monitoring",
        "login",
    ],
)
def test_gradio_routes_that_no_page_uses_do_not_exist(site: TestClient, path: str) -> None:
    for mount in ("/en", "/fr/build", "/en/audit"):
        assert site.get(f"{mount}/{path}").status_code == 404, (mount, path)
        assert site.post(f"{mount}/{path}", json={}).status_code == 404, (mount, path)


def test_another_site_cannot_call_a_handler(site: TestClient) -> None:
    answer = site.post(
        "/en/gradio_api/run/predict",
        json={"data": [], "fn_index": 0, "session_hash": "x"},
        headers={"origin": "http://evil.example", "sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_the_language_of_the_address_wins_and_is_remembered(site: TestClient) -> None:
    html = get(site, "/fr/", atelier_language="en")
    assert "Propriétaire" in html
    assert site.get("/", follow_redirects=False).headers["location"] == "/fr/"


def test_static_files_are_kept_for_a_year_and_nothing_else_is_readable(site: TestClient) -> None:
    html = get(site, "/en/")
    sheet = re.search(r'href="(/static/[^"]+tokens\.css)"', html)
    assert sheet is not None
    assert "immutable" in site.get(sheet[1]).headers["cache-control"]
    folder = sheet[1].rpartition("/css/")[0]
    for path in ("/../app.py", "/%2e%2e/app.py", "/css/", "/css/../../shell.py"):
        assert site.get(folder + path).status_code == 404, path


def test_samples_come_as_downloads_and_only_samples(site: TestClient) -> None:
    answer = site.get("/samples/en/email-thread.eml")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert site.get("/samples/../email-drafter.yaml").status_code == 404
    assert site.get("/samples/%2e%2e/email-drafter.yaml").status_code in (400, 404)


def test_without_a_session_every_page_leads_to_sign_in_and_back(tmp_path: Path) -> None:
    house = open_house(tmp_path)
    house.people.add("amelie", "a long enough password", name="Amélie Roy", roles=("staff",))
    with TestClient(build(house), base_url="http://127.0.0.1") as site:  # type: ignore[arg-type]
        answer = site.get("/en/playground?agent=hr-policy-helper", follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=%2Fen%2Fplayground")
        assert site.get("/samples/en/email-thread.eml").status_code == 401
        form = site.get(answer.headers["location"])
        assert 'value="/en/playground?agent=hr-policy-helper"' in form.text
        given = {"login": "amelie", "password": "a long enough password", "next": "//evil.example"}
        signed = site.post("/api/v1/session", data=given, follow_redirects=False)
        assert signed.headers["location"] == "/"
        assert "Amélie Roy" in site.get("/en/").text
        assert site.get("/en/audit").status_code == 403
    house.close()


def call(site: TestClient, path: str, target: str, data: list[object]) -> list[object]:
    """Call the first Gradio handler of a page whose trigger is `target`, as its script would."""
    page = site.get(path).text
    start = page.index("window.gradio_config = ") + len("window.gradio_config = ")
    config, _ = json.JSONDecoder().raw_decode(page, start)
    found = next(
        each
        for each in config["dependencies"]
        if target in [event for _, event in each["targets"]] and len(each["inputs"]) == len(data)
    )
    body = {"data": data, "fn_index": found["id"], "session_hash": "test"}
    answer = site.post(f"{path}/gradio_api/run/predict", json=body)
    assert answer.status_code == 200, answer.text[:300]
    shown: list[object] = answer.json()["data"]
    return shown


async def test_the_audit_page_pages_searches_and_writes_down_that_it_did(
    house: House, site: TestClient
) -> None:
    agent = templates()["email-drafter"]
    for _ in range(audit.PAGE + 3):
        async for _event in house.sessions.send(actor=Actor("p1"), agent=agent, text="Hello"):
            pass
    house.spans.flush()
    shown = get(site, "/en/audit")
    assert shown.count("data-record-trace") == audit.PAGE
    assert f"{audit.PAGE} of {audit.PAGE + 3} shown" in shown
    older = re.search(r'href="([^"]*after=[^"]*)"', shown)
    assert older is not None
    assert get(site, older[1].replace("&amp;", "&")).count("data-record-trace") == 3
    assert "No trace fits" in get(site, "/en/audit?text=nothingofthekind")
    trace = house.traces.page().rows[0].trace_id
    detail = get(site, f"/fr/audit?open={trace}&part=detail")
    assert "Nom 1" in detail
    assert "Claire" not in detail
    assert site.post("/api/v1/audit/verify").json()["ok"]
    assert 'id="atl-ledger"' in shown
    assert 'data-kind="ok"' in get(site, "/en/audit")
    with house.engine.connect() as db:
        kinds = {row.kind for row in db.execute(sa.select(ledger.c.kind))}
    assert {"audit.search", "trace.view", "audit.verify"} <= kinds
    words = db_text(house)
    assert "nothingofthekind" not in words


def db_text(house: House) -> str:
    """Every byte of the store's files, to show what was not written."""
    files = sorted(house.settings.home.glob("atelier.db*"))
    return b"".join(file.read_bytes() for file in files).decode("latin-1")
