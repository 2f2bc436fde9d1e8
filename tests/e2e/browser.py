"""The real product in a real browser: server process, scripted upstream, Debian's Chromium."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.upstream import Upstream

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
START_SECONDS = 150.0
expect.set_options(timeout=30_000)  # a busy machine is slow; it costs nothing when it is not


@dataclass(frozen=True)
class Product:
    """A running server: where it is, and what the model's server received."""

    address: str
    home: Path
    upstream: Upstream


@contextlib.contextmanager
def product(home: Path, upstream: Upstream, **settings: str) -> Iterator[Product]:
    """Start `atelier serve` on `home` with `upstream` as its model; stop it at the end."""
    given = {
        "ATELIER_HOME": str(home),
        "ATELIER_PORT": "0",
        "ATELIER_MODEL": "openai/scripted",
        "ATELIER_MODEL_BASE": upstream.base,
        "ATELIER_MODEL_LOCATION": "local",
        **{f"ATELIER_{name.upper()}": value for name, value in settings.items()},
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ATELIER_")}
    log = home.parent / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "ui.cli", "serve"],
            env={**kept, **given, "OPENAI_API_KEY": "none"},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Product(_address(server, log), home, upstream)
        finally:
            server.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(20)
            server.kill()
            server.wait()


def _address(server: "subprocess.Popen[bytes]", log: Path) -> str:
    """Wait until the pages are up and the house is warm; gives the address it announced."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        told = log.read_text("utf-8", "replace")
        address = next((word for word in told.split() if word.startswith("http://127.0.0.1:")), "")
        if server.poll() is not None:
            raise RuntimeError(f"the server ended: {told[-2000:]}")
        if address and _warm(address):
            return address
        time.sleep(0.2)
    raise RuntimeError(f"the server did not start: {log.read_text('utf-8', 'replace')[-2000:]}")


def _warm(address: str) -> bool:
    try:
        with urlopen(f"{address}/sign-in", timeout=5) as page:  # noqa: S310  (loopback)
            pages = page.status == 200
        with urlopen(f"{address}/api/v1/health", timeout=5) as health:  # noqa: S310
            return pages and b'"warming":false' in health.read()
    except (URLError, ConnectionError, TimeoutError):
        return False


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, never one that playwright would download."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """One visitor: pages that fail on any request to another origin and on any page error."""

    context: BrowserContext
    address: str
    wrong: list[str] = field(default_factory=list)

    def page(self) -> Page:
        """A new tab that watches itself."""
        page = self.context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: self.wrong.append(f"page error: {error}"))
        page.on("request", lambda request: self._asked(request.url))
        page.on(
            "console",
            lambda message: (
                self.wrong.append(f"console: {message.text}") if message.type == "error" else None
            ),
        )
        return page

    def open(self, page: Page, path: str) -> None:
        """Go to a page and wait until its content is there."""
        page.goto(self.address + path)
        page.wait_for_selector("html[data-atl-ready]", state="attached")
        page.wait_for_selector("[data-atl-page]")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(f"request to another origin: {url}")


@contextlib.contextmanager
def visit(
    browser: Browser, address: str, *, phone: bool = False, dark: bool = False
) -> Iterator[Visit]:
    """A visitor with their own cookies; at the end nothing may have gone wrong."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844} if phone else {"width": 1440, "height": 900},
        color_scheme="dark" if dark else "light",
        is_mobile=phone,
        has_touch=phone,
    )
    try:
        visitor = Visit(context, address)
        yield visitor
        assert visitor.wrong == []
    finally:
        context.close()
