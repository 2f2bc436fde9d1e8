# ruff: noqa: E501 - tables and patterns read better on one line
"""Bank accounts, cards and wallets."""

import re

from guardrails.detect.recognizers.checks import card, stdnum
from guardrails.detect.recognizers.shape import Shape

_iban = stdnum("iban")


def iban(text: str) -> bool:
    """The country's structure and ISO 7064 mod 97, upper-case or lower-case, not mixed."""
    letters = [c for c in text if c.isalpha()]
    if not (all(c.isupper() for c in letters) or all(c.islower() for c in letters)):
        return False
    return _iban(re.sub(r"[\s.\-_/]", "", text))


_CARD_WORDS = (
    "card",
    "visa",
    "mastercard",
    "amex",
    "credit",
    "debit",
    "carte",
    "cb",
    "bancaire",
    "cvv",
    "paiement",
    "payment",
)

SHAPES = (
    Shape(
        "IBAN_CODE",
        "iban",
        r"(?<![A-Za-z0-9])(?:[A-Z]{2}[ .\-_/]?|[a-z]{2})\d{2}(?:[ .\-_/]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])",
        "It has the structure and the check digits of a bank account number.",
        1.0,
        1.0,
        check=iban,
        shrinks=True,
        cased=True,
        needs="0",
    ),
    Shape(
        "CREDIT_CARD",
        "card",
        r"(?=\d)(?:(?<![\w.\-])(?<![+])|(?<=card)|(?<=carte)|(?<=visa))\d(?:[ \-.]?\d){11,18}(?![\w]|[.\-]\d)",
        "It has a card issuer's range and check digit.",
        0.9,
        1.0,
        check=card,
        context=_CARD_WORDS,
        needs="0",
    ),
)
