"""Tables in the code and tables in the migrations are the same, on both stores."""

import importlib
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from guardrails.errors import GuardrailError
from guardrails.migrate import upgrade
from guardrails.store import metadata, open_engine

ROOT = Path(__file__).parents[3]


def import_every_table() -> None:
    """Import each module of the product that defines a table."""
    for package in ("guardrails", "agents", "sandbox", "ui"):
        for file in (ROOT / package).rglob("*.py"):
            if "migrations" not in file.parts and " sa.Table(" in file.read_text("utf-8"):
                importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


def test_migrations_make_the_tables_that_the_code_uses(store: sa.Engine) -> None:
    import_every_table()

    def known(_object: object, name: str | None, kind: str, reflected: bool, *_: object) -> bool:
        # shadow tables of full-text indexes are made by sqlite-utils and FTS5 themselves
        return not (kind == "table" and reflected and name and "_fts" in name)

    with store.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": known})
        differences = compare_metadata(context, metadata)
    # the full-text index of PostgreSQL is an expression and no part of the metadata
    assert [d for d in differences if "ix_traces_words" not in str(d)] == []


def test_an_upgrade_may_run_again(store: sa.Engine) -> None:
    upgrade(store)
    upgrade(store)


def test_a_store_of_a_later_release_is_refused(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(GuardrailError, match="store-newer"):
        upgrade(engine)


def test_sqlite_is_durable_and_shared(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
    assert open_engine(str(engine.url)).dialect.name == "sqlite"
