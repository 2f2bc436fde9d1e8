"""Titles, headings and names of templates are nobody's; a day of the week beside a name neither."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from guardrails.detect import language, pii
from guardrails.findings import Finding

TITLES: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[1] / "corpus" / "titles.yaml").read_text(encoding="utf-8")
)


def masked(text: str, spoken: str | None = None) -> list[Finding]:
    """Findings that are more than a suspicion."""
    return [found for found in pii.find(text, spoken) if found.score >= 0.5]


@pytest.mark.parametrize("spoken", ["en", "fr"])
def test_office_titles_hold_no_personal_data(spoken: str) -> None:
    texts = TITLES[spoken]
    assert len(texts) >= 60
    wrong = [text for text in texts if masked(text) or masked(text, spoken)]
    assert wrong == []


@pytest.mark.parametrize("spoken", ["en", "fr"])
def test_few_titles_that_the_rules_never_saw_are_taken_for_names(spoken: str) -> None:
    texts = TITLES["unseen"][spoken]
    wrong = [text for text in texts if masked(text)]
    assert len(wrong) <= len(texts) // 10, wrong


@pytest.mark.parametrize("row", [*TITLES["days"]["en"], *TITLES["days"]["fr"]], ids=lambda r: r[0])
def test_the_name_beside_a_day_is_found_and_the_day_is_not_masked(row: list[str]) -> None:
    text, name = row
    found = masked(text)
    assert name in [text[one.start : one.end] for one in found]
    assert {one.kind for one in found} == {"PERSON"}


@pytest.mark.parametrize(
    "text",
    ["CV Marie Dupont.pdf", "Contrat Jean Moreau.docx", "Lettre de Marie Dupont", "Manuel Garcia"],
)
def test_a_name_in_a_title_is_still_found(text: str) -> None:
    assert "PERSON" in [one.kind for one in masked(text)]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Comptes rendus d’équipe", "fr"),
        ("Garantie commerciale", "fr"),
        ("Team minutes", "en"),
        ("Site Visit Notes", "en"),
        ("D'Angelo Russell", "en"),
    ],
)
def test_the_language_of_a_title_is_told(text: str, spoken: str) -> None:
    assert language.of(text) == spoken
