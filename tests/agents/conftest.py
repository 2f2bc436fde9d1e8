"""A throw-away store."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import agents.catalog
import agents.conversations
import agents.knowledge.tables  # noqa: F401 - the tables register themselves
from guardrails.store import metadata, open_engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_engine(f"sqlite:///{tmp_path / 'store.db'}")
    metadata.create_all(made)
    yield made
    made.dispose()
