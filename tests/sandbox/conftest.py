"""A whole product on a throw-away home, with a real upstream on loopback."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from guardrails.actor import Actor
from tests.house import House, house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """The house, shared by one module: starting it costs seconds."""
    folder: Path = tmp_path_factory.mktemp("home")
    async with house(folder) as one:
        yield one


@pytest.fixture
def marie() -> Actor:
    """An employee (sample data)."""
    return Actor("u_marie", "sales", frozenset({"staff"}))
