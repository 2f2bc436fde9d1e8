"""Own checks of a scanner's kind on the pages: headers on every answer, nothing to list, nobody let
out to another site, no origin let in, no word of the inside.
"""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from tests.ui.api_client import with_accounts
from tests.ui.fake_house import House, open_house
from ui.access import Role
from ui.messages import LANGUAGES
from ui.routes.session import inside
from ui.web import nav
from ui.web.app import build

ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
# each must stand in the policy of every answer that a browser could show
POLICY = ("default-src 'self'", "object-src 'none'", "base-uri 'self'", "frame-ancestors 'none'")
OUTSIDE = (
    "//evil.example",
    "///evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n//evil.example",
    "/%0a/evil.example\r\nset-cookie: a=b",
    "/..//evil.example\\@",
    "https://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    " //evil.example",
    "@evil.example",
    ".evil.example",
)
NO_FILES = (
    "/static/",
    "/samples/",
    "/samples/en/",
    "/samples/..%2f..%2fcatalog.py",
    "/samples/%2e%2e/%2e%2e/pyproject.toml",
    "/.git/config",
    "/.env",
    "/master.key",
    "/atelier.db",
    "/home/",
    "/en/..%2f..%2fetc/passwd",
    "/api/v1/../../etc/passwd",
    "/en/assets/../../../../etc/passwd",
    "/en/static/..%2f..%2fconfig.json",
)
TOLD = ("Traceback", 'File "', "sqlalchemy", "site-packages", "/work/", '.py"')


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = open_house(tmp_path_factory.mktemp("security"))
    opened.people.add("first", None, roles=["staff"])  # accounts, before the identity is made
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def cookies(house: House) -> dict[Role, str]:
    return with_accounts(house)


@pytest.fixture(scope="module")
def site(house: House) -> Iterator[TestClient]:
    with TestClient(
        build(house),  # type: ignore[arg-type]
        base_url="http://127.0.0.1",
        raise_server_exceptions=False,
    ) as client:
        yield client


def places() -> list[str]:
    """Every page in both languages, and what else answers."""
    pages = [nav.address(language, page.id) for language in LANGUAGES for page in nav.PAGES]
    return [
        *pages,
        "/",
        "/sign-in",
        "/password",
        "/metrics",
        "/samples/en/email-thread.eml",
        "/nothing",
        "/en/nothing",
        "/static/nothing",
        "/scim/v2/Users",
        "/api/v1/health",
        "/api/v1/me",
        "/api/v1/nothing",
        "/api/v1/branding/look.css",
        "/api/v1/openapi.json",
    ]


def headed(role: str, cookies: dict[Role, str], **more: str) -> dict[str, str]:
    cookie = {"cookie": f"atelier_session={cookies[role]}"} if role in cookies else {}
    return {"accept": "text/html", **cookie, **more}


@pytest.mark.parametrize("role", ["administrator", "security", "nobody"])
def test_every_answer_has_the_headers_and_a_policy_without_a_hole(
    site: TestClient, cookies: dict[Role, str], role: str
) -> None:
    for where in places():
        answer = site.get(where, headers=headed(role, cookies), follow_redirects=False)
        for name, value in ALWAYS.items():
            stricter = (where, name) == ("/password", "referrer-policy")
            wanted = "no-referrer" if stricter else value
            assert answer.headers.get(name) == wanted, (where, name)
        policy = answer.headers["content-security-policy"]
        for part in POLICY:
            assert part in policy, (where, part)
        scripts = policy.partition("script-src")[2].partition(";")[0]
        assert "unsafe" not in scripts and "*" not in policy and "http" not in policy, where
        assert "server" not in answer.headers and "x-powered-by" not in answer.headers, where


@pytest.mark.parametrize("role", ["administrator", "nobody"])
def test_what_is_personal_is_kept_by_no_cache(
    site: TestClient, cookies: dict[Role, str], role: str
) -> None:
    for page in nav.PAGES:
        answer = site.get(
            nav.address("en", page.id), headers=headed(role, cookies), follow_redirects=False
        )
        if answer.status_code != 303:  # to sign in: the same for everybody
            assert answer.headers["cache-control"] == "no-store", page.id
    for where in ("/api/v1/me", "/api/v1/conversations", "/api/v1/people"):
        answer = site.get(where, headers=headed(role, cookies))
        assert "no-store" in answer.headers["cache-control"], where


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"]
)
def test_no_origin_is_let_in(site: TestClient, cookies: dict[Role, str], origin: str) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "x"}
    for where in places():
        headers = headed("administrator", cookies, origin=origin)
        for answer in (
            site.get(where, headers=headers, follow_redirects=False),
            site.options(where, headers={**headers, **asked}),
        ):
            found = [name for name in answer.headers if name.startswith("access-control-")]
            assert found == [], (where, found)


@pytest.mark.parametrize("target", OUTSIDE)
def test_a_link_after_sign_in_never_leads_to_another_site(site: TestClient, target: str) -> None:
    assert inside(target) == "/"
    form = site.get(f"/sign-in?next={quote(target)}").text
    assert 'name="next" value="/"' in form
    assert "evil.example" not in form


@pytest.mark.parametrize("target", ["/en/audit?open=1&days=all", "/fr/", "/en/policies?draft=2"])
def test_a_link_of_ours_is_kept(site: TestClient, target: str) -> None:
    assert inside(target) == target


def test_a_parameter_that_is_too_long_is_a_page_and_not_a_list_of_errors(site: TestClient) -> None:
    answer = site.get(f"/sign-in?next=/{'a' * 600}", headers={"accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "max_length" not in answer.text


@pytest.mark.parametrize("where", NO_FILES)
def test_no_folder_is_listed_and_no_file_beside_is_read(
    site: TestClient, cookies: dict[Role, str], where: str
) -> None:
    answer = site.get(where, headers=headed("administrator", cookies))
    assert answer.status_code in (400, 403, 404), (where, answer.status_code)
    assert not any(word in answer.text for word in (*TOLD, "root:", "[project]")), where


@pytest.mark.parametrize("role", ["administrator", "nobody"])
@pytest.mark.parametrize("where", ["/nothing", "/en/nothing", "/fr/audit/x", "/en/build/zzz"])
def test_a_browser_gets_a_page_where_nothing_is_and_a_program_gets_a_code(
    site: TestClient, cookies: dict[Role, str], role: str, where: str
) -> None:
    page = site.get(where, headers=headed(role, cookies))
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert ('class="atl-side"' in page.text) is (role == "administrator")
    told = site.get(where, headers=headed(role, cookies, accept="application/json"))
    assert (told.status_code, told.json()["code"]) == (404, "no-such-page")


def test_a_failure_is_a_page_that_says_nothing_of_the_inside(
    site: TestClient, house: House, cookies: dict[Role, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(type(house.brand), "current", broken)
    page = site.get("/en/", headers=headed("staff", cookies))
    assert page.status_code == 500
    assert page.headers["content-type"].startswith("text/html")
    assert "secret inside" not in page.text and not any(word in page.text for word in TOLD)


def test_another_name_in_the_host_header_is_said_nowhere(
    site: TestClient, cookies: dict[Role, str]
) -> None:
    # addresses that a provider or a service sends back to, where no public address is set, for the
    # administrator who types them in there; what Gradio asks itself by
    told = ("access", "tools", "build")
    for page in nav.PAGES:
        if page.id in told:
            continue
        for role in ("administrator", "security"):
            headers = headed(role, cookies, host="evil.example")
            answer = site.get(nav.address("en", page.id), headers=headers, follow_redirects=False)
            assert "evil.example" not in answer.text, page.id
            assert "evil.example" not in answer.headers.get("location", ""), page.id


def test_a_body_that_is_too_large_is_told_as_a_page_to_a_form(
    site: TestClient, house: House
) -> None:
    body = b"login=" + b"a" * ((house.settings.upload_limit_mib + 2) * 1024 * 1024)
    headers = {"accept": "text/html", "content-type": "application/x-www-form-urlencoded"}
    answer = site.post("/api/v1/session", content=body, headers=headers)
    assert answer.status_code == 413
    assert answer.headers["content-type"].startswith("text/html")
