"""The engine that everything is kept through."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.store import open_engine


def test_an_error_of_the_store_does_not_repeat_what_it_was_given(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 's.db'}")
    with pytest.raises(sa.exc.OperationalError) as caught, engine.begin() as db:
        db.execute(sa.text("insert into missing values (:name)"), {"name": "Claire Fontaine"})
    engine.dispose()
    assert "Fontaine" not in str(caught.value)
