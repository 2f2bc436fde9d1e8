# ruff: noqa: E501 - tables and patterns read better on one line
"""Which dates are personal data: those of birth, and those that stand in a text about somebody.

"The report is due on 3 May" is nobody's date; "Marie was admitted on 3 May" is Marie's. So dates
count beside a birth word, in a paragraph with a name or place, and in a text that is little else.
"""

import re
from collections.abc import Sequence

_WEAK = re.compile(
    r"(?<![\w\-/.,$€£])(?:(?P<year>(?:1[89]|20)\d{2})(?![\w\-/%]|[.,]\d| ?(?:€|\$|eur|usd|mb|gb|mo|go|users|personnes|employees)\b)"
    r"|(?<!black )(?<!cyber )(?<!casual )(?<!patch )(?<!good )(?<!easter )(?P<day>monday|tuesday|wednesday|thursday|friday|saturday|sunday)(?!\w)"
    r"|(?P<month>january|february|april|june|july|august|september|october|november|december"
    r"|janvier|février|avril|juin|juillet|août|septembre|octobre|novembre|décembre)(?!\w))",
    re.IGNORECASE,
)
_BEFORE_YEAR = re.compile(
    r"(?:\b(?:in|since|during|of|from|until|till|by|after|before|between|and|early|late|en|depuis|année|l'an|de|à|"
    r"jusqu'en|dès|vers|avant|après|a|the|entre|et|class of|born)|[(\[–-])\s?$",
    re.IGNORECASE,
)
BIRTH = 0.9  # score from which a date stands alone
SHORT = 60  # characters: a text this short that holds a date is about the date


def weak(text: str) -> list[tuple[int, int, float, str]]:
    """Years, weekdays and months alone: `(start, end, score, name)`; they count only by company."""
    found = []
    for match in _WEAK.finditer(text):
        start, end = match.span()
        if match.group("year") and not _BEFORE_YEAR.search(text[max(0, start - 12) : start]):
            continue
        name = "year" if match.group("year") else "weekday" if match.group("day") else "month"
        found.append((start, end, 0.45, name))
    return found


def personal(text: str, kinds: Sequence[str]) -> bool:
    """Whether dates in this paragraph are somebody's, by the other kinds found in it."""
    company = {
        "PERSON",
        "LOCATION",
        "ORGANIZATION",
        "EMAIL_ADDRESS",
        "PHONE_NUMBER",
        "FR_NIR",
        "US_SSN",
    }
    return len(text) <= SHORT or any(kind in company for kind in kinds)
