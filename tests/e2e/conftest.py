"""One server without and one with accounts, and one browser, for all stories of this folder.

Not for the whole session: Playwright's loop would still run under the asyncio tests that follow.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.upstream import Say, Upstream


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    from tests.e2e.browser import product

    home = tmp_path_factory.mktemp("e2e") / "home"
    with Upstream(Say("Hello.")) as upstream, product(home, upstream) as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[object]:
    from tests.e2e.browser import CHROMIUM, chromium

    if not Path(CHROMIUM).exists():
        pytest.fail("needs Debian's package chromium: apt-get install chromium")
    with chromium() as started:
        yield started


@pytest.fixture(scope="package")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    from tests.e2e.office import office

    home = tmp_path_factory.mktemp("desk") / "home"
    with Upstream(Say("Hello.")) as upstream, office(home, upstream) as running:
        yield running
