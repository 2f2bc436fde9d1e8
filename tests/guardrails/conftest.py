"""Stores that the record and the rules are tested on: `store` runs a test on both."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.keys import Keys
from guardrails.migrate import upgrade
from guardrails.store import open_engine
from tests.guardrails.audit import stores


@pytest.fixture
def keys() -> Keys:
    return Keys(stores.KEY)


@pytest.fixture(scope="session")
def postgres() -> Iterator[sa.Engine]:
    """A migrated PostgreSQL store, shared: `store` empties its tables after each test."""
    with stores.cluster() as server:
        opened = open_engine(stores.new_database(server, "atelier"))
        upgrade(opened)
        yield opened
        opened.dispose()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """A migrated SQLite store at `tmp_path / "atelier.db"`."""
    opened = open_engine(f"sqlite:///{tmp_path / 'atelier.db'}")
    upgrade(opened)
    yield opened
    opened.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """A migrated, empty store of each kind."""
    if request.param == "postgresql":
        opened: sa.Engine = request.getfixturevalue("postgres")
        yield opened
        stores.empty(opened)
        return
    yield request.getfixturevalue("engine")
