"""Names in tables: each cell by itself, so that columns and headings stay what they are."""

import pytest

from guardrails.detect import pii
from guardrails.detect.injection import fence
from guardrails.findings import Finding
from guardrails.screen import Screen
from guardrails.vault import Vault

ENGLISH = """Item | Warehouse | Stock | Reorder point | Supplier
Screen 24 | Bristol | 8 | 15 | Hannah Pike
Desk 140 | Leeds | 0 | 10 | Martin Osei
Foot rest | Bristol | 12 | 20 | Hannah Pike"""
FRENCH = """Article | Entrepôt | Seuil | Prix unitaire | Responsable
Lampe | Lyon | 60 | 38,50 | Élodie Garnier
Casque | Rennes | 50 | 64,00 | Karim Benali
Bureau 140 | Lyon | 10 | 367,00 | Élodie Garnier"""


def words(text: str) -> set[str]:
    return {text[one.start : one.end] for one in pii.find(text) if one.score >= 0.5}


@pytest.mark.parametrize(
    ("table", "people"),
    [(ENGLISH, {"Hannah Pike", "Martin Osei"}), (FRENCH, {"Élodie Garnier", "Karim Benali"})],
)
def test_people_are_found_and_headings_and_goods_are_not(table: str, people: set[str]) -> None:
    found = words(table)
    assert people <= found
    assert not any("|" in one or "\n" in one for one in found)
    goods = {"Screen 24", "Desk 140", "Foot rest", "Lampe", "Casque", "Bureau 140"}
    assert not (set(table.split("\n")[0].split(" | ")) | goods) & found


def test_what_stands_in_a_column_twice_is_one_thing() -> None:
    kinds = {
        (ENGLISH[one.start : one.end], one.kind) for one in pii.find(ENGLISH) if one.score >= 0.5
    }
    assert len(kinds) == len({text for text, _ in kinds})


def test_a_name_that_a_question_hid_is_hidden_in_the_document_too() -> None:
    def find(text: str, _language: str | None) -> list[Finding]:
        at = text.find("Bergmann")
        asked = text.startswith("What") and at >= 0  # the question only
        return [Finding(at, at + 8, "PERSON", 0.9, "test")] if asked else []

    screen, vault = Screen(find_pii=find), Vault("one", b"k" * 32)
    asked = screen.text("What does a chair of Bergmann cost?", vault)
    read = screen.text("Bergmann Office: 239 euros. Bergmanns: no.", vault, provenance="document")
    assert asked.text == "What does a chair of <PERSON_1> cost?"
    assert read.text == "<PERSON_1> Office: 239 euros. Bergmanns: no."
    assert vault.restore(read.text) == "Bergmann Office: 239 euros. Bergmanns: no."
    again = screen.text("Bergmann", vault, provenance="system", masked=True)
    assert again.text == "Bergmann"  # our own words are read as they are


def test_a_french_document_is_read_as_french_inside_our_english_fence() -> None:
    screen, vault = Screen(), Vault("one", b"k" * 32)
    read = screen.text(FRENCH, vault, provenance="document").text
    told = f"Only the first rows of file stock.csv:\n{fence(read, 'document')}\nDo not answer."
    assert read in screen.text(told, vault, masked=True).text
