"""Stand-ins look real, belong to nobody, and turn back into their placeholders."""

from collections.abc import AsyncIterator

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


@given(
    pieces=st.lists(
        st.one_of(
            st.text(max_size=12),
            st.sampled_from(
                [
                    "Marie Roy",
                    "Camille",
                    "Alex Ashbourne",
                    "m@x.fr",
                    "06 12 34 56 78",
                    "100 Maple Street",
                    "<PERSON_1>",
                    "https://example.org/1",
                    ".",
                    "1",
                    "_",
                    "é",
                ]
            ),
        ),
        max_size=12,
    ),
    marked=st.sets(st.integers(0, 11)),
    region=st.sampled_from(["en", "fr"]),
    kind=st.sampled_from(sorted(MAKERS)),
)
@settings(max_examples=300, deadline=None)
def test_mask_dress_undress_restore_gives_the_text_back(
    pieces: list[str], marked: set[int], region: Region, kind: str
) -> None:
    vault = Vault("c", KEY)
    text, findings = "", []
    for index, piece in enumerate(pieces):
        if index in marked and piece:
            findings.append(Finding(len(text), len(text) + len(piece), kind, 1.0, "t"))
        text += piece
    masked = vault.mask(text, findings)
    surrogates = Surrogates(KEY, region)
    dressed = surrogates.dress(masked, vault.placeholders())
    assert surrogates.undress(dressed) == masked
    assert vault.restore(surrogates.undress(dressed)) == text


@given(size=st.integers(1, 9), region=st.sampled_from(["en", "fr"]))
@settings(max_examples=60, deadline=None)
async def test_a_stand_in_split_anywhere_over_a_stream_comes_back(
    size: int, region: Region
) -> None:
    surrogates = Surrogates(KEY, region)
    masked = "To <PERSON_1>, <EMAIL_ADDRESS_1> or <PERSON_2>: <CREDIT_CARD_1>. <PERSON_1>!"
    kinds = {f"<{kind}_{n}>": kind for kind in MAKERS for n in (1, 2)}
    dressed = surrogates.dress(masked, kinds)
    assert "<" not in dressed

    async def chunks() -> AsyncIterator[str]:
        for at in range(0, len(dressed), size):
            yield dressed[at : at + size]

    out = [piece async for piece in surrogates.undress_stream(chunks())]
    assert "".join(out) == masked


async def test_ordinary_words_of_a_stream_do_not_wait_for_stand_ins() -> None:
    surrogates = Surrogates(KEY)
    surrogates.dress("<PERSON_1>", {"<PERSON_1>": "PERSON"})

    async def chunks() -> AsyncIterator[str]:
        for word in ("the ", "answer ", "is "):
            yield word

    assert [piece async for piece in surrogates.undress_stream(chunks())] == [
        "the ",
        "answer ",
        "is ",
    ]


def test_a_first_name_alone_comes_back_where_it_can_only_mean_one_person() -> None:
    surrogates = Surrogates(KEY)
    name = surrogates.dress("<PERSON_1>", {"<PERSON_1>": "PERSON"})
    assert surrogates.undress(f"Dear {name.split()[0]},") == "Dear <PERSON_1>,"
    other = Surrogates(KEY)
    other.dress(f"{name.split()[0]} asked <PERSON_1>", {"<PERSON_1>": "PERSON"})
    assert other.undress(f"Dear {name.split()[0]},") == f"Dear {name.split()[0]},"


def test_a_stand_in_of_one_message_never_stands_in_another() -> None:
    alone = Surrogates(KEY).dress("<PERSON_1>", {"<PERSON_1>": "PERSON"})
    surrogates = Surrogates(KEY)
    texts = ["Write to <PERSON_1>", f"and to {alone}"]
    dressed = surrogates.dress_all(texts, {"<PERSON_1>": "PERSON"})
    assert [surrogates.undress(text) for text in dressed] == texts
