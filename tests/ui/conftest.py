"""A house without model and seal behind the routes, for the tests that need no more."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from guardrails.screen import Screen
from tests.ui.api_client import client, served
from tests.ui.fake_house import House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """With the real screen."""
    opened = open_house(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def quiet_house(tmp_path: Path) -> Iterator[House]:
    """With a screen that finds nothing: no language model is loaded."""
    opened = open_house(
        tmp_path, Screen(lambda text, language: [], lambda text: [], lambda text, provenance: 0.0)
    )
    yield opened
    opened.close()


@pytest.fixture
async def web(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the served house."""
    async with client(served(house)) as opened:
        yield opened
