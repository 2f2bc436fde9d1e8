"""Canonical JSON (RFC 8785): one text for one value, so that hashes can be compared.

Integers beyond 2**53 become strings, because JSON's numbers cannot carry them (RFC 8785, 3.2.2.3).
"""

import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from json.encoder import encode_basestring as quote

LARGEST_INTEGER = 2**53


def storable(text: str) -> str:
    """`text` as both stores can keep it: NUL and lone surrogates become U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\ufffd")


def canonical(value: object) -> str:
    """The canonical text of strings, numbers, booleans, None, mappings and sequences of them.

    Raises ValueError for NaN and infinities and TypeError for any other type.
    """
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, int):
        return str(value) if abs(value) <= LARGEST_INTEGER else f'"{value}"'
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        texts = {str(key): canonical(item) for key, item in value.items()}
        # RFC 8785 orders keys by UTF-16 code units
        order = sorted(texts, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{quote(key)}:{texts[key]}" for key in order) + "}"
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    if isinstance(value, set | frozenset):
        return canonical(sorted(value))
    raise TypeError(f"no canonical JSON for {type(value).__name__}")


def _number(value: float) -> str:
    """ECMAScript's shortest round-trip form (ECMA-262, Number::toString)."""
    if not math.isfinite(value):
        raise ValueError("no canonical JSON for NaN or infinity")
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + int(exponent)  # where the decimal point falls
    if 0 < point <= 21:
        text = text.ljust(point, "0")
        body = text[:point] + ("." + text[point:] if text[point:] else "")
    elif -6 < point <= 0:
        body = "0." + "0" * -point + text
    else:
        power = point - 1
        body = text[0] + ("." + text[1:] if text[1:] else "") + f"e{power:+d}"
    return ("-" if sign else "") + body
