"""Tables in the code and tables in the migrations are the same, on both stores."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from guardrails.audit import tables
from guardrails.migrate import upgrade
from guardrails.policy import tables as policy_tables
from guardrails.store import metadata, open_engine

OURS = {
    table.name
    for module in (tables, policy_tables)
    for table in vars(module).values()
    if isinstance(table, sa.Table)
}


def test_migrations_make_the_tables_that_the_code_uses(store: sa.Engine) -> None:
    def ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
        return kind != "table" or name in OURS

    with store.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        differences = compare_metadata(context, metadata)
    # the full-text index is made by sqlite-utils on SQLite and is no part of the metadata
    assert [d for d in differences if "ix_traces_text" not in str(d)] == []


def test_an_upgrade_may_run_again(store: sa.Engine) -> None:
    upgrade(store)
    upgrade(store)


def test_a_store_of_a_later_release_is_refused(engine: sa.Engine) -> None:
    import pytest

    from guardrails.errors import GuardrailError

    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(GuardrailError, match="store-newer"):
        upgrade(engine)


def test_sqlite_is_durable_and_shared(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
    assert open_engine(str(engine.url)).dialect.name == "sqlite"
