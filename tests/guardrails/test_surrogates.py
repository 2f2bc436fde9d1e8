"""Stand-ins look real, belong to nobody, and turn back into their placeholders."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iban, luhn
from stdnum.fr import nir, siren, siret

from guardrails.findings import Finding
from guardrails.surrogates import MAKERS, Region, Surrogates
from guardrails.vault import Vault

KEY = b"k" * 32
CHECKS = {
    "CREDIT_CARD": luhn.is_valid,
    "IBAN_CODE": iban.is_valid,
    "FR_NIR": nir.is_valid,
    "FR_SIREN": siren.is_valid,
    "FR_SIRET": siret.is_valid,
}


@pytest.mark.parametrize("kind", CHECKS)
@given(seed=st.integers(0, 2**96))
@settings(max_examples=60)
def test_numbers_pass_their_check_digits(kind: str, seed: int) -> None:
    value = MAKERS[kind](seed, "fr")
    assert CHECKS[kind](value.replace(" ", "")), value


@pytest.mark.parametrize("region", ["en", "fr"])
def test_a_dressed_text_reads_naturally_and_comes_back(region: Region) -> None:
    vault = Vault("c", KEY)
    text = "Marie Roy, 4111 1111 1111 1111, m@x.fr, Marie"
    kinds = {"Marie Roy": "PERSON", "4111 1111 1111 1111": "CREDIT_CARD", "m@x.fr": "EMAIL_ADDRESS"}
    findings = [
        Finding(text.index(value), text.index(value) + len(value), kind, 1.0, "t")
        for value, kind in kinds.items()
    ]
    masked = vault.mask(text, findings)
    surrogates = Surrogates(KEY, region)
    dressed = surrogates.dress(masked, vault.placeholders())
    assert "<" not in dressed
    assert "Roy" not in dressed
    assert surrogates.dress(masked, vault.placeholders()) == dressed
    reply = f"Dear {dressed.split(',')[0]}, done."
    assert surrogates.undress(reply) == "Dear <PERSON_1>, done."
    assert vault.restore(surrogates.undress(dressed)) == text


def test_different_people_get_different_names() -> None:
    surrogates = Surrogates(KEY, "fr")
    masked = " ".join(f"<PERSON_{number}>" for number in range(1, 60))
    kinds = {f"<PERSON_{number}>": "PERSON" for number in range(1, 60)}
    dressed = surrogates.dress(masked, kinds)
    assert surrogates.undress(dressed) == masked


def test_a_stand_in_that_already_stands_in_the_text_is_not_used() -> None:
    first = Surrogates(KEY).dress("<PERSON_1>", {"<PERSON_1>": "PERSON"})
    surrogates = Surrogates(KEY)
    text = f"<PERSON_1> met {first}"
    dressed = surrogates.dress(text, {"<PERSON_1>": "PERSON"})
    assert surrogates.undress(dressed) == text


def test_kinds_without_a_stand_in_keep_their_placeholder() -> None:
    assert Surrogates(KEY).dress("<US_SSN_1>", {"<US_SSN_1>": "US_SSN"}) == "<US_SSN_1>"
