"""Every page, Gradio handler, mount and plain route, as every role and as nobody.

What each role may see stands in `ui.web.nav.PAGES` and `ui.access.MAY`; what is open to everybody
stands here, and nothing else may exist.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from tests.ui.api_client import with_accounts
from tests.ui.fake_house import House, open_house
from ui.access import MAY, ROLES, Permission, Role
from ui.identity import Identity
from ui.messages import LANGUAGES
from ui.web import nav
from ui.web.app import build
from ui.web.markup import static_version

# what answers beside the pages: address → who may; None is everybody, "key" a provisioning key
ROUTES: dict[str, str | None] = {
    "/": None,
    "/sign-in": None,
    "/password": None,
    "/metrics": None,  # a token of its own, or this machine: tests of the record
    "/samples/{name:path}": "agents.use",
    "/api/v1": "walked by test_access_walk",
    "/scim/v2": "key",
    "/static": None,
}
SCIM = ("Users", "Users/1", "Groups", "Groups/1", "ServiceProviderConfig", "ResourceTypes")
WHO: tuple[Role | None, ...] = (None, *ROLES)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = open_house(tmp_path_factory.mktemp("walk"))
    house.people.add("first", None, roles=["staff"])  # accounts, before the identity is made
    assert house.identity.mode == "accounts" and isinstance(house.identity, Identity)
    yield house
    house.close()


@pytest.fixture(scope="module")
def app(house: House) -> Any:
    return build(house)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def cookies(house: House) -> dict[Role, str]:
    return with_accounts(house)


@pytest.fixture(scope="module")
def site(app: Any) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as site:
        yield site


def headers(cookies: dict[Role, str], role: Role | None) -> dict[str, str]:
    return {"cookie": f"atelier_session={cookies[role]}"} if role else {}


def expected(role: Role | None, permission: Permission) -> bool:
    return role is not None and role in MAY[permission]


def leaves(routes: Iterable[Any]) -> Iterator[Any]:
    """Routes, those of included routers too (FastAPI keeps these behind an object of its own)."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from leaves(inner.routes)


def test_nothing_answers_that_is_not_in_a_table(app: Any) -> None:
    found = set()
    for route in leaves(app.routes):
        assert isinstance(route, Mount | Route), route
        path = route.path.replace(f"/{static_version()}", "")
        found.add(path)
    gradio = {
        f"/{language}{page.path}"
        for language in LANGUAGES
        for page in nav.PAGES
        if page.kind == "gradio"
    }
    assert found == set(ROUTES) | gradio


@pytest.mark.parametrize("page", nav.PAGES, ids=lambda page: page.id)
def test_a_page_is_shown_to_whom_the_table_names(
    site: TestClient, cookies: dict[Role, str], page: nav.Page
) -> None:
    for language in LANGUAGES:
        for role in WHO:
            site.cookies.clear()
            where = nav.address(language, page.id)
            answer = site.get(where, headers=headers(cookies, role))
            if role is None:
                assert answer.status_code == 303, (where, role)
                assert answer.headers["location"].startswith("/sign-in?next=")
            else:
                wanted = 200 if expected(role, page.permission) else 403
                assert answer.status_code == wanted, (where, role, answer.text[-300:])


@pytest.mark.parametrize(
    "page", [page for page in nav.PAGES if page.kind == "gradio"], ids=lambda page: page.id
)
def test_a_gradio_handler_answers_whom_the_table_names(
    site: TestClient, cookies: dict[Role, str], page: nav.Page
) -> None:
    able = next(role for role in ROLES if role in MAY[page.permission])
    html = site.get(nav.address("en", page.id), headers=headers(cookies, able)).text
    start = html.index("window.gradio_config = ") + len("window.gradio_config = ")
    config, _ = json.JSONDecoder().raw_decode(html, start)
    indices = [each["id"] for each in config["dependencies"]]
    assert indices
    for language in LANGUAGES:
        for role in WHO:
            for index in [*indices, max(indices) + 1]:
                site.cookies.clear()
                answer = site.post(
                    f"/{language}{page.path}/gradio_api/run/predict",
                    json={"data": [], "fn_index": index, "session_hash": "walk"},
                    headers=headers(cookies, role),
                )
                shut = answer.status_code in (401, 403)
                assert shut is not expected(role, page.permission), (index, role, answer.text)


GRADIO = next(page for page in nav.PAGES if page.kind == "gradio")
CALL = {"data": [], "fn_index": 0, "session_hash": "walk"}


def test_a_role_that_is_taken_away_is_gone_in_the_next_request(
    site: TestClient, house: House
) -> None:
    account = house.people.add("short", None, roles=["security"])
    session = {"cookie": f"atelier_session={house.identity.begin(account)}"}
    handler = f"/en{GRADIO.path}/gradio_api/run/predict"
    assert site.get("/en/audit", headers=session).status_code == 200
    assert site.post(handler, json=CALL, headers=session).status_code not in (401, 403)
    house.people.change(account.id, roles=["staff"])
    assert site.get("/en/audit", headers=session).status_code == 403
    house.people.change(account.id, disabled=True)
    assert site.get("/en/audit", headers=session).status_code == 303
    assert site.post(handler, json=CALL, headers=session).status_code in (401, 403)


def test_an_api_key_opens_no_page_and_no_handler(site: TestClient, house: House) -> None:
    account = house.people.add("program", None, roles=["security"])
    scopes = ["traces.view", "agents.use", "agents.build"]
    _, secret = house.api_keys.make("k", owner=account.id, maker=account.id, scopes=scopes)
    key = {"authorization": f"Bearer {secret}"}
    site.cookies.clear()
    assert site.get("/api/v1/audit/traces", headers=key).status_code == 200
    for page in nav.PAGES:
        assert site.get(nav.address("en", page.id), headers=key).status_code == 303
    handler = f"/en{GRADIO.path}/gradio_api/run/predict"
    assert site.post(handler, json=CALL, headers=key).status_code in (401, 403)


@pytest.mark.parametrize("role", WHO)
def test_provisioning_is_shut_to_every_role(
    site: TestClient, cookies: dict[Role, str], role: Role | None
) -> None:
    for path in SCIM:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            answer = site.request(
                method, f"/scim/v2/{path}", json={}, headers=headers(cookies, role)
            )
            assert answer.status_code in (401, 404, 405), (method, path)
            assert not answer.is_success


@pytest.mark.parametrize("role", WHO)
def test_what_is_open_is_open_and_samples_are_for_people(
    site: TestClient, cookies: dict[Role, str], role: Role | None
) -> None:
    site.cookies.clear()
    known = headers(cookies, role)
    assert site.get("/", headers=known).status_code == 303
    assert site.get("/sign-in", headers=known).status_code == (200 if role is None else 303)
    assert site.get("/password", headers=known).status_code == 200
    style = f"/static/{static_version()}/css/tokens.css"
    assert site.get(style, headers=known).status_code == 200
    sample = site.get("/samples/en/email-thread.eml", headers=known)
    assert sample.status_code == (401 if role is None else 200)


@pytest.mark.parametrize(
    "path",
    [
        *["/config", "/queue/join", "/gradio_api/queue/join", "/file=/etc/passwd", "/.env"],
        *["/openapi.json", "/docs", "/redoc", "/metrics/x", "/static/", "/static/../app.py"],
        *["/en/gradio_api/upload", "/en/build/gradio_api/queue/data", "/fr/audit/config"],
        *["/api/v1/../../etc/passwd", "/api/v1/docs", "/scim/v2/docs", "/scim/v2/openapi.json"],
    ],
)
def test_other_addresses_do_not_exist_for_anybody(
    site: TestClient, cookies: dict[Role, str], path: str
) -> None:
    for role in WHO:
        site.cookies.clear()
        answer = site.get(path, headers=headers(cookies, role))
        assert answer.status_code in (404, 405), (path, role)
        assert "Traceback" not in answer.text


def test_the_front_pages_headers_are_strict(site: TestClient, cookies: dict[Role, str]) -> None:
    for path in (
        "/sign-in",
        "/password",
        "/en/people",
        "/en/audit",
        "/api/v1/me",
        "/scim/v2/Users",
    ):
        answer = site.get(path, headers=headers(cookies, "administrator"))
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy or "default-src 'none'" in policy
        assert "unsafe-eval" not in policy and "script-src 'self' 'unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "server" not in answer.headers and "x-powered-by" not in answer.headers


def test_the_home_folder_is_not_served(site: TestClient, tmp_path: Path) -> None:
    for path in ("atelier.db", "master.key", "checkpoints.jsonl", "files"):
        for before in ("/", "/static/", f"/static/{static_version()}/", "/samples/", "/en/"):
            assert site.get(before + path).status_code in (401, 404)
