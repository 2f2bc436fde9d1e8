"""The engine that everything is kept through."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.findings import Finding
from guardrails.store import cut_log, metadata, open_engine
from guardrails.vault import Vault
from guardrails.vault_store import SqlVaultStore, erase_owner, vault_entries


def test_an_error_of_the_store_does_not_repeat_what_it_was_given(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 's.db'}")
    with pytest.raises(sa.exc.OperationalError) as caught, engine.begin() as db:
        db.execute(sa.text("insert into missing values (:name)"), {"name": "Claire Fontaine"})
    engine.dispose()
    assert "Fontaine" not in str(caught.value)


def test_what_was_erased_is_in_no_file_any_more(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 's.db'}")
    metadata.create_all(engine, [vault_entries])
    vault = Vault("c1", b"k" * 32, SqlVaultStore(engine, "p_1"))
    vault.mask("Claire Fontaine", [Finding(0, 15, "PERSON", 1.0, "test")])
    with engine.connect() as db:
        sealed = db.scalar(sa.select(vault_entries.c.value))
        assert sealed is not None and erase_owner(engine, "p_1") == 1
        cut_log(engine)  # somebody reads: nothing waits for them
    cut_log(engine)
    assert not [file for file in tmp_path.iterdir() if sealed in file.read_bytes()]
    engine.dispose()
