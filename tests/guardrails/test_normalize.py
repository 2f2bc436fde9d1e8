"""Evasions are undone, and every offset leads back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.normalize import normalize

ROWS = [
    ("plain text", "plain text"),
    ("ｊｏｈｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "john@example.com"),
    ("jo\u200bhn\u2060 do\u00ade", "john doe"),
    ("ex\u0430mple.c\u043em", "example.com"),
    ("𝓜𝓪𝓻𝔂", "Mary"),
    ("٤١١١", "4111"),
    ("4111\u20111111", "4111-1111"),
    ("He\u0301le\u0300ne", "Hélène"),
    ("a&#64;b&commat;c", "a@b@c"),
    ("\U000e0041\U000e0042", "AB"),
    ("Λεωφόρος Συγγρού", "Λεωφόρος Συγγρού"),
    ("Москва", "Москва"),
]


@pytest.mark.parametrize(("given_text", "expected"), ROWS)
def test_a_disguise_is_undone(given_text: str, expected: str) -> None:
    assert normalize(given_text).text == expected


@given(st.text(max_size=80))
def test_offsets_rise_and_end_at_the_original_end(text: str) -> None:
    normalized = normalize(text)
    offsets = list(normalized.offsets)
    assert len(offsets) == len(normalized.text) + 1
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(text) == normalized.original_length


@given(st.text(alphabet=st.characters(max_codepoint=127, exclude_characters="&"), max_size=80))
def test_plain_ascii_is_left_alone(text: str) -> None:
    assert normalize(text).text == text
