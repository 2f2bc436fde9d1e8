# ruff: noqa: E501 - tables and patterns read better on one line
"""Check digits, from python-stdnum where it knows them. Each takes the text as it was found."""

import re
from collections.abc import Callable
from datetime import date
from importlib import import_module
from ipaddress import ip_interface

_SEPARATORS = re.compile(r"[\s.\-/·_]+")


def compact(text: str) -> str:
    """Without spaces, dots, dashes and slashes; upper case."""
    return _SEPARATORS.sub("", text).upper()


def stdnum(module: str) -> Callable[[str], bool]:
    """A check by `stdnum.<module>.is_valid` on the compact form; imported at first use."""

    def check(text: str) -> bool:
        return bool(import_module(f"stdnum.{module}").is_valid(compact(text)))

    return check


def luhn(text: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    digits = [int(c) for c in text if c.isdigit()]
    if not digits or len(set(digits)) == 1:
        return False
    total = 0
    for index, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if index % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


# Issuer ranges (first digits) and lengths, ISO/IEC 7812 as published by the schemes.
_CARD = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[0-8]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|6\d{15}(?:\d{3})?|35\d{14}|(?:1800|2131)\d{11}"
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}|62\d{14,17}|2200\d{12}|9792\d{12}"
)


# Thirteen digits are also national numbers in groups: a card's stand together, one by one or as
# they stand on the card.
_SHORT_CARD = re.compile(r"\d{13}|\d(?:[^\d]\d){12}|\d{4}(?:[^\d]\d{3}){3}")


def card(text: str) -> bool:
    """Luhn, a known issuer range, the length of that range."""
    digits = "".join(c for c in text if c.isdigit())
    if len(digits) == 13 and not _SHORT_CARD.fullmatch(text):
        return False
    return bool(_CARD.fullmatch(digits)) and luhn(digits)


def nric(text: str) -> bool:
    """Singapore's identity number: weights 2 7 6 5 4 3 2, an offset by series, a letter per rest."""
    value = compact(text)
    total = sum(int(c) * w for c, w in zip(value[1:8], (2, 7, 6, 5, 4, 3, 2), strict=True))
    offset, letters = {
        "S": (0, "JZIHGFEDCBA"),
        "T": (4, "JZIHGFEDCBA"),
        "F": (0, "XWUTRQPNMLK"),
        "G": (4, "XWUTRQPNMLK"),
        "M": (3, "KLJNPQRTUWX"),
    }[value[0]]
    rest = (total + offset) % 11
    return letters[10 - rest if value[0] == "M" else rest] == value[8]


def nir(text: str) -> bool:
    """French social security number with its key (97 minus the number modulo 97), 2A/2B included."""
    value = compact(text)
    if len(value) != 15 or not value[13:].isdigit():
        return False
    number = value[:13].replace("2A", "19", 1) if value[5:7] == "2A" else value[:13]
    if value[5:7] == "2B":
        number = value[:5] + "18" + value[7:13]
    if not number.isdigit():
        return False
    month = int(value[3:5])
    if not (1 <= month <= 12 or 20 <= month <= 42 or 50 <= month <= 99):
        return False
    return 97 - int(number) % 97 == int(value[13:])


def nir_shape(text: str) -> bool:
    """13 digits without key: only the month and the department can be checked."""
    value = compact(text)
    return len(value) == 13 and 1 <= int(value[3:5]) <= 12


def siret(text: str) -> bool:
    """Luhn over 14 and over the SIREN; La Poste's establishments sum to a multiple of five."""
    digits = "".join(c for c in text if c.isdigit())
    if len(digits) != 14 or len(set(digits)) == 1:
        return False
    if digits.startswith("356000000"):
        return sum(map(int, digits)) % 5 == 0 or luhn(digits)
    return luhn(digits) and luhn(digits[:9])


def siren(text: str) -> bool:
    digits = "".join(c for c in text if c.isdigit())
    return len(digits) == 9 and luhn(digits)


def ssn(text: str) -> bool:
    """US social security number: area, group and serial that were never given out are refused."""
    digits = "".join(c for c in text if c.isdigit())
    if len(digits) != 9 or digits[:3] in ("000", "666") or digits[0] == "9":
        return False
    if digits[3:5] == "00" or digits[5:] == "0000" or len(set(digits)) == 1:
        return False
    return digits not in ("123456789", "987654320", "078051120")


def address_v6(text: str) -> bool:
    try:
        ip_interface(text)
    except ValueError:
        return False
    return True


def calendar(text: str) -> bool:
    """Numbers that can be a day, a month and a year in one of the usual orders."""
    parts = [int(p) for p in re.findall(r"\d+", text)[:3]]
    if len(parts) == 2:
        low, high = sorted(parts)
        return 1 <= low <= 12 and high <= 31
    if len(parts) != 3:
        return False
    a, b, c = parts
    orders = (
        ((a, b, c), (c, b, a), (c, a, b)) if a > 31 or c > 31 else ((c, b, a), (c, a, b), (a, b, c))
    )
    for year, month, day in orders:
        try:
            date(year if year > 99 else 2000 + year, month, day)
        except ValueError:
            continue
        return year < 100 or 1850 <= year <= 2150
    return False
