"""Canonical JSON as RFC 8785 has it, and a chain body that equals it."""

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.audit.canonical import canonical, storable
from guardrails.audit.chain import Body, body_text

# RFC 8785, appendix B: IEEE 754 bits and their text
NUMBERS = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
]


@pytest.mark.parametrize(("bits", "text"), NUMBERS)
def test_numbers_of_the_rfc(bits: str, text: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(number) == text


def test_keys_are_ordered_by_utf16_units() -> None:
    # RFC 8785, 3.2.3
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = list(json.loads(canonical(dict.fromkeys(keys, 0))))
    assert ordered == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_big_integers_travel_as_text() -> None:
    assert canonical([2**53, 2**53 + 1, -(2**60)]) == (
        '[9007199254740992,"9007199254740993","-1152921504606846976"]'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"x"])
def test_what_json_cannot_carry_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        canonical(value)


def _number(text: str) -> int | float:
    """As a JSON reader takes it: beyond 2**53 a double."""
    return int(text) if abs(int(text)) <= 2**53 else float(text)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(deadline=None, max_examples=50)
@given(values)
def test_canonical_text_reads_back_as_the_value(value: object) -> None:
    assert json.loads(canonical(value), parse_int=_number) == value


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(max_size=20), min_size=12, max_size=12), st.none() | st.integers(1, 99))
def test_a_row_s_body_is_canonical_json(texts: list[str], intent: int | None) -> None:
    body = Body(7, 5, texts[0], intent, *texts[1:])
    assert body_text(body) == canonical(body._asdict())


@settings(deadline=None, max_examples=50)
@given(st.text(alphabet=st.characters(codec=None)))
def test_storable_text_is_valid_utf8_without_nul(text: str) -> None:
    kept = storable(text)
    kept.encode()
    assert "\0" not in kept
    assert storable(kept) == kept
