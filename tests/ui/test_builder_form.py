"""The builder's form: what leaving a field keeps, and what it does not."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from agents.catalog import Catalog
from guardrails.store import metadata, open_engine
from ui.web.pages.form import EMPTY, form_of, save, taken_back


def test_leaving_the_field_for_undo_does_not_keep_what_is_undone(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'store.db'}")
    metadata.create_all(engine)
    catalog = Catalog(engine)
    context: Any = SimpleNamespace(app=SimpleNamespace(catalog=catalog), language="en")
    person: Any = SimpleNamespace(id="p_1")
    first, second = replace(EMPTY, title="Tea"), replace(EMPTY, title="Tea time")
    draft = save(context, person, first, "", "").id
    save(context, person, second, draft, "")
    assert not taken_back(context, person, second, draft)
    assert form_of(catalog.undo(draft, "p_1").spec, "en") == first
    assert taken_back(context, person, second, draft)
    assert not taken_back(context, person, first, draft)
    engine.dispose()
