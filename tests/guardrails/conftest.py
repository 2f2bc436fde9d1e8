"""Stores that the record and the rules are tested on: `store` runs a test on both."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.keys import Keys
from guardrails.migrate import upgrade
from guardrails.store import open_engine
from tests.guardrails.audit import stores

_numbers = itertools.count(1)


@pytest.fixture
def keys() -> Keys:
    return Keys(stores.KEY)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with stores.cluster() as server:
        yield server


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """A migrated SQLite store at `tmp_path / "atelier.db"`."""
    opened = open_engine(f"sqlite:///{tmp_path / 'atelier.db'}")
    upgrade(opened)
    yield opened
    opened.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """A migrated store of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'atelier.db'}"
    else:
        url = stores.new_database(request.getfixturevalue("postgres"), f"t{next(_numbers)}")
    opened = open_engine(url)
    upgrade(opened)
    yield opened
    opened.dispose()
