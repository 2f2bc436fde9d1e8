"""Templates are shared and read-only; drafts are private, versioned and undone."""

import pytest
import sqlalchemy as sa

from agents.catalog import Catalog, sample_path, templates
from agents.spec import AgentSpec, Text
from agents.tools.registry import TOOLS
from guardrails.errors import BadInput

SIX = (
    "email-drafter", "meeting-summariser", "hr-policy-helper", "invoice-reader",
    "spreadsheet-analyst", "supplier-comparison",
)  # fmt: skip


@pytest.fixture
def catalog(engine: sa.Engine) -> Catalog:
    return Catalog(engine)


def draft(words: str = "Tea", id: str = "tea") -> AgentSpec:
    return AgentSpec(id=id, title=Text(en=words))


def test_the_first_six_templates_are_there_in_order() -> None:
    assert tuple(templates())[:6] == SIX


@pytest.mark.parametrize("spec", templates().values(), ids=str)
def test_a_template_is_complete_in_both_languages(spec: AgentSpec) -> None:
    assert spec.missing() == ()
    assert spec.not_for.en and spec.not_for.fr
    assert len(spec.starters.en) == len(spec.starters.fr) >= 3
    assert len(spec.cases) >= 5 and {case.language for case in spec.cases} == {"en", "fr"}
    assert spec.saves.minutes > 0 and spec.saves.measured.en and spec.saves.measured.fr
    assert set(spec.tools) <= set(TOOLS)
    assert spec.sample is not None
    for name in (*spec.knowledge, spec.sample.en, spec.sample.fr):
        assert sample_path(name).is_file()
    for case in spec.cases:
        assert all(sample_path(name).is_file() for name in case.files)
        assert set(case.expect.calls) <= set(spec.tools)


@pytest.mark.parametrize("name", ["../catalog.py", "en/none.md", "/etc/passwd", ""])
def test_a_sample_outside_the_samples_is_not_given(name: str) -> None:
    with pytest.raises(BadInput, match="no-such-sample"):
        sample_path(name)


def test_a_draft_is_its_owners_alone(catalog: Catalog) -> None:
    catalog.save(draft(), "p1")
    assert catalog.get("tea", "p1").spec.title.en == "Tea"
    assert catalog.mine("p2") == []
    for act in (catalog.get, catalog.undo, catalog.delete, catalog.versions):
        with pytest.raises(BadInput, match="agent-not-found"):
            act("tea", "p2")
    with pytest.raises(BadInput, match="agent-not-found"):
        catalog.save(draft("Mine now"), "p2")
    with pytest.raises(BadInput, match="agent-not-found"):
        catalog.restore("tea", "p2", 1)


def test_a_template_cannot_be_overwritten(catalog: Catalog) -> None:
    with pytest.raises(BadInput, match="agent-id-taken"):
        catalog.save(draft(id="email-drafter"), "p1")


def test_a_copy_of_a_template_is_a_private_draft(catalog: Catalog) -> None:
    record = catalog.from_template("email-drafter", "p1")
    assert record.status == "draft" and record.base == "email-drafter"
    assert record.id != "email-drafter" and catalog.mine("p1") == [record]
    assert record.spec.instructions == templates()["email-drafter"].instructions


def test_saving_the_same_again_makes_no_version(catalog: Catalog) -> None:
    first = catalog.save(draft(), "p1")
    assert catalog.save(draft(), "p1").number == first.number == 1
    assert catalog.save(draft("Green tea"), "p1").number == 2


def test_undo_goes_back_and_typing_on_drops_the_undone(catalog: Catalog) -> None:
    for words in ("A", "B", "C"):
        catalog.save(draft(words), "p1")
    assert catalog.undo("tea", "p1").spec.title.en == "B"
    assert catalog.undo("tea", "p1").spec.title.en == "A"
    with pytest.raises(BadInput, match="nothing-to-undo"):
        catalog.undo("tea", "p1")
    assert catalog.save(draft("D"), "p1").number == 2
    assert [one.number for one in catalog.versions("tea", "p1")] == [2, 1]
    assert catalog.undo("tea", "p1").spec.title.en == "A"


def test_what_was_just_undone_is_known_until_something_else_is_kept(catalog: Catalog) -> None:
    for words in ("A", "B"):
        catalog.save(draft(words), "p1")
    assert catalog.undone("tea", "p1", 60) == ""
    catalog.undo("tea", "p1")
    assert catalog.undone("tea", "p1", 60) == draft("B").content_hash()
    assert catalog.undone("tea", "p1", -60) == ""  # long ago
    catalog.save(draft("C"), "p1")
    assert catalog.undone("tea", "p1", 60) == ""


def test_an_old_version_comes_back_as_the_newest(catalog: Catalog) -> None:
    for words in ("A", "B"):
        catalog.save(draft(words), "p1")
    record = catalog.restore("tea", "p1", 1)
    assert (record.number, record.spec.title.en) == (3, "A")
    with pytest.raises(BadInput, match="no-such-version"):
        catalog.restore("tea", "p1", 99)


def test_a_deleted_draft_is_gone(catalog: Catalog) -> None:
    catalog.save(draft(), "p1")
    catalog.delete("tea", "p1")
    assert catalog.mine("p1") == []
    assert catalog.save(draft(), "p2").owner == "p2"
