"""The main finds in both languages, through the real models."""

import pytest

from guardrails.detect import pii

ROWS = [
    ("fr", "Bonjour, je m'appelle Marie Tremblay.", "PERSON", "Marie Tremblay"),
    ("fr", "Mon numéro : 06 12 34 56 78.", "PHONE_NUMBER", "06 12 34 56 78"),
    ("fr", "SIRET 732 829 320 00074", "FR_SIRET", "732 829 320 00074"),
    ("en", "Please write to john@example.com today.", "EMAIL_ADDRESS", "john@example.com"),
    ("en", "My card is 4111 1111 1111 1111.", "CREDIT_CARD", "4111 1111 1111 1111"),
    ("fr", "Ma carte est 2221 0000 0000 0009.", "CREDIT_CARD", "2221 0000 0000 0009"),
]


@pytest.mark.parametrize(("language", "text", "kind", "value"), ROWS)
def test_the_common_kinds_are_found(language: str, text: str, kind: str, value: str) -> None:
    assert (kind, value) in [(f.kind, text[f.start : f.end]) for f in pii.find(text, language)]


def test_offsets_point_into_the_original_when_characters_hide() -> None:
    text = "mail: jo\u200bhn@ex\u0430mple.com now"
    spans = [text[f.start : f.end] for f in pii.find(text) if f.kind == "EMAIL_ADDRESS"]
    assert spans == ["jo\u200bhn@ex\u0430mple.com"]


@pytest.mark.parametrize(
    "sum_", ["65028.6", "65028.600000000006", "-65028,60", "65028.6\n10115.25\n"]
)
def test_an_amount_alone_is_no_identifier(sum_: str) -> None:
    assert not pii.find(sum_)


def test_a_number_that_may_be_a_postcode_is_one_when_it_stands_alone() -> None:
    assert [one.kind for one in pii.find("65028")] == ["DE_PLZ"]


def test_a_sum_in_a_sentence_is_no_address_and_a_dot_no_part_of_a_date() -> None:
    said = (
        "Our offer of 214 euros a chair is valid until 30 April 2026. "
        "Liam Doyle has another offer of 205 euros."
    )
    assert {said[f.start : f.end] for f in pii.find(said, "en")} == {"30 April 2026", "Liam Doyle"}
    met = "Liam Doyle comes on 19 February, 10:00."
    assert {met[f.start : f.end] for f in pii.find(met, "en")} == {"19 February", "Liam Doyle"}


def test_a_price_by_the_hour_or_the_kilometre_is_no_address() -> None:
    said = "You get 0.42 euros a kilometre. More work is paid with 31 pounds an hour.\n\n## 2 Term"
    assert not pii.find(said, "en")
    assert not pii.find("It is for 40 office chairs, model Stuttgart Plus.", "en")


def test_the_name_of_a_thing_is_no_persons() -> None:
    for line, language in (("Desk lamp Lumo", "en"), ("Lampe Lumo", "fr")):
        assert not pii.find(line, language)
