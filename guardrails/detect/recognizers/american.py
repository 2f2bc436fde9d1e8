"""Identifiers of the United States."""

from guardrails.detect.recognizers import checks
from guardrails.detect.recognizers.shape import Shape

SHAPES = (
    Shape(
        "US_SSN",
        "ssn",
        r"(?<![\w.\-])\d{3}([ \-])\d{2}\1\d{4}(?![\w]|[.\-]\d)",
        "It has the form of a US social security number.",
        0.85,
        0.95,
        check=checks.ssn,
        context=("ssn", "social security", "social", "sécurité sociale"),
        needs="0",
    ),
    Shape(
        "US_SSN",
        "ssn-irregular",
        r"(?<![\w.\-])(?:\d{3}-\d{6}|\d{5}-\d{4})(?![\w]|[.\-]\d)",
        "It has the digits of a US social security number.",
        0.55,
        0.9,
        check=checks.ssn,
        context=("ssn", "social security"),
        needs="0",
    ),
    Shape(
        "US_SSN",
        "ssn-otherwise-separated",
        r"(?<![\w.\-])\d{3} ?([./_\-]) ?\d{2} ?\1 ?\d{4}(?![\w]|[.\-]\d)",
        "It has the digits of a US social security number, and the text says so.",
        0.0,
        0.85,
        check=checks.ssn,
        context=("ssn", "ssns", "social security"),
        reach=40,
        needs="0",
    ),
    Shape(
        "US_SSN",
        "ssn-compact",
        r"(?<![\w.\-])\d{9}(?![\w]|[.\-]\d)",
        "Nine digits that the text calls a social security number.",
        0.0,
        0.85,
        check=checks.ssn,
        context=("ssn", "ssns", "social security"),
        reach=40,
        needs="0",
    ),
)
