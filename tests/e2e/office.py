"""A running product with accounts: one browser window per person, wordings in either language."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page

from tests.e2e.browser import Product, Visit, product, visit
from tests.upstream import Say, Upstream
from ui.accounts import Account
from ui.messages import Language, say
from ui.running import close
from ui.settings import Settings
from ui.wiring import build

PASSWORD = "correct horse battery"
STAFF: dict[str, str] = {
    "author": "staff",
    "colleague": "staff",
    "champion": "champion",
    "officer": "security",
    "second": "security",
    "manager": "administrator",
}


@dataclass(frozen=True)
class Office:
    """The product, and a session cookie for each login of STAFF."""

    house: Product
    accounts: dict[str, Account]
    cookies: dict[str, str]

    def script(self, *says: Say) -> None:
        """What the model answers from now on, in order; the last one repeats."""
        upstream = self.house.upstream
        upstream.calls.clear()
        upstream.requests.clear()
        upstream.script = list(says)

    @contextlib.contextmanager
    def window(
        self,
        browser: Browser,
        who: str,
        language: Language,
        *,
        phone: bool = False,
        dark: bool = False,
    ) -> Iterator["Window"]:
        """One person's browser. Questions of the page ("are you sure?") are answered with yes."""
        with visit(browser, self.house.address, phone=phone, dark=dark) as visitor:
            visitor.context.add_cookies(
                [
                    {"name": "atelier_session", "value": self.cookies[who]} | self._where(),
                    {"name": "atelier_language", "value": language} | self._where(),
                ]
            )
            page = visitor.page()
            page.on("dialog", lambda dialog: dialog.accept())
            yield Window(visitor, page, language)

    def _where(self) -> dict[str, str]:
        return {"url": self.house.address}


@dataclass(frozen=True)
class Window:
    """One person's tab and the language it is in."""

    visitor: Visit
    page: Page
    language: Language

    def say(self, key: str, **data: object) -> str:
        """The wording that stands on the page."""
        return say(self.language, key, **data)

    def open(self, path: str) -> None:
        """Go to a page of this language, e.g. `audit?days=1`."""
        self.visitor.open(self.page, f"/{self.language}/{path}")

    def api(self, method: str, path: str, body: object = None) -> Any:
        """What the person's own call to the API answers, e.g. `api("GET", "me")`."""
        answer = self.page.request.fetch(
            f"{self.visitor.address}/api/v1/{path}",
            method=method,
            data=json.dumps(body) if body is not None else None,
            headers={"content-type": "application/json", "origin": self.visitor.address},
        )
        assert answer.ok, f"{path}: {answer.status} {answer.text()}"
        return answer.json()

    def button(self, key: str, **data: object) -> Locator:
        """The button with this wording."""
        return self.page.get_by_role("button", name=self.say(key, **data), exact=True)

    def link(self, key: str, **data: object) -> Locator:
        """The link with this wording."""
        return self.page.get_by_role("link", name=self.say(key, **data), exact=True)

    def send(self, text: str) -> Locator:
        """Send one message to the agent of this page; gives its whole answer."""
        answers = self.page.locator(".atl-answer[aria-busy=false]")
        before = answers.count()
        self.page.locator("[data-atl-text]").fill(text)
        self.page.locator("[data-atl-send]").click()
        answers.nth(before).wait_for(timeout=60_000)
        return answers.nth(before)


@contextlib.contextmanager
def office(home: Path, upstream: Upstream) -> Iterator[Office]:
    """Make the accounts of STAFF in `home`, then start the product on it."""
    app = build(
        Settings.model_validate(
            {"home": home, "model": "openai/scripted", "model_base": upstream.base}
        )
    )
    accounts, cookies = {}, {}
    for login, role in STAFF.items():
        password = PASSWORD if login == "colleague" else None  # argon2 is slow on purpose
        name = f"Sample {login.capitalize()}"
        accounts[login] = app.people.add(
            login, password, name=name, department="Sales", roles=[role]
        )
        cookies[login] = app.identity.begin(accounts[login])
    close(app)
    with product(home, upstream) as house:
        yield Office(house, accounts, cookies)
