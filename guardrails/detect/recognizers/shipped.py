# ruff: noqa: E501 - tables and patterns read better on one line
"""The recognisers that Presidio ships for national identifiers, ranked by what the text says.

Most of them match bare digits and were made to be ranked by context. In prose such a match counts
only beside one of its own context words, or when its form is unmistakable and its check digit
holds. A text that is nothing but identifiers (somebody pastes a number) is told what it may be.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import re2

if TYPE_CHECKING:
    from presidio_analyzer import PatternRecognizer

# ours are better, or the same kind would be found twice
_REPLACED = frozenset(
    [
        "CreditCardRecognizer",
        "EmailRecognizer",
        "IbanRecognizer",
        "IpRecognizer",
        "MacAddressRecognizer",
        "UrlRecognizer",
        "UuidRecognizer",
        "DateRecognizer",
        "UsSsnRecognizer",
        "EsNifRecognizer",
        "EsNieRecognizer",
        "ItFiscalCodeRecognizer",
        "PlPeselRecognizer",
        "DeTaxIdRecognizer",
        "ZaPhoneNumberRecognizer",
    ]
)
# kinds whose written form is found in prose without a word beside it, when the check holds
_DISTINCT = frozenset(
    [
        "CRYPTO",
        "MEDICAL_LICENSE",
        "IN_PAN",
        "IN_GSTIN",
        "UK_NINO",
        "UK_DRIVING_LICENCE",
        "FI_PERSONAL_IDENTITY_CODE",
        "SE_PERSONNUMMER",
        "DE_VAT_ID",
        "DE_SOCIAL_SECURITY",
        "DE_ID_CARD",
        "KR_RRN",
        "KR_FRN",
        "US_MBI",
        "US_ITIN",
        "ZA_COMPANY_REGISTRATION",
        "DE_HANDELSREGISTER",
    ]
)
_NEEDS_CHECK = frozenset(
    [
        "CRYPTO",
        "MEDICAL_LICENSE",
        "IN_GSTIN",
        "FI_PERSONAL_IDENTITY_CODE",
        "SE_PERSONNUMMER",
        "DE_VAT_ID",
        "DE_SOCIAL_SECURITY",
        "DE_ID_CARD",
        "KR_RRN",
        "KR_FRN",
    ]
)
# context words that say nothing
_EMPTY = frozenset(
    [
        "us",
        "id",
        "card",
        "check",
        "account",
        "number",
        "tax",
        "pass",
        "pi",
        "cf",
        "states",
        "united",
        "personal",
        "identity",
        "medical",
        "provider",
        "order",
        "approval",
        "sin",
        "fin",
        "pan",
        "nie",
        "registration",
        "billing",
        "member",
        "policy",
        "insurance",
        "certificate",
        "vehicle",
        "plate",
        "lic",
        "carta",
        "trade",
        "claim",
        "auth",
        "authorization",
        "referral",
        "specialty",
        "permit",
        "adresse",
        "company",
        "saving",
        "debit",
        "bank",
    ]
)
# what people call them besides, in English, French and the country's own language
_KIND_WORDS = {
    "US_BANK_NUMBER": ("bank account", "account number", "account no"),
    "SG_NRIC_FIN": ("nric",),
    "CA_SIN": ("social insurance", "sin", "nas", "assurance sociale"),
    "CA_POSTAL_CODE": (
        "code postal",
        "québec",
        "toronto",
        "montréal",
        "montreal",
        "vancouver",
        "ottawa",
    ),
    "IN_PAN": ("pan card", "pan number"),
    "IN_VEHICLE_REGISTRATION": (
        "vehicle",
        "plate",
        "registration",
        "véhicule",
        "plaque",
        "immatriculation",
        "immatriculé",
    ),
    "UK_VEHICLE_REGISTRATION": (
        "registration",
        "plate",
        "registered",
        "véhicule",
        "plaque",
        "immatriculation",
        "immatriculé",
    ),
    "US_DRIVER_LICENSE": (
        "driver license",
        "driver's license",
        "drivers license",
        "driver licence",
    ),
    "US_ITIN": ("taxpayer identification", "w-7"),
    "US_PASSPORT": (
        "us passport",
        "u.s. passport",
        "american passport",
        "united states passport",
        "passeport américain",
    ),
    "IT_VAT_CODE": ("p.iva", "p. iva", "partita iva"),
    "DE_KFZ": ("kennzeichen",),
    "DE_VAT_ID": ("tva", "vat", "ust", "umsatzsteuer"),
}
# A passport is a country's only where the text names the country: the bare word calls for PASSPORT,
# which is ours. What "passport" is called elsewhere names the country too.
_PASSPORTS = {
    "DE_PASSPORT": ("reisepass", "reisepassnummer", "german", "allemand", "deutsch"),
    "ES_PASSPORT": ("pasaporte", "spanish", "espagnol"),
    "IN_PASSPORT": ("indian", "indien"),
    "IT_PASSPORT": ("passaporto", "italian", "italien"),
    "KR_PASSPORT": ("korean", "coréen", "여권", "대한민국 여권"),
    "PH_PASSPORT": ("philippine", "filipino", "philippin"),
    "UK_PASSPORT": ("uk passport", "british", "britannique"),
    "US_PASSPORT": _KIND_WORDS["US_PASSPORT"],
    "ZA_PASSPORT": ("south african", "rsa passport", "sud-africain"),
}
# a letter and a digit or two would match half of all codes: below this a pattern needs its check
_WEAKEST = {"IN_VEHICLE_REGISTRATION": 0.2, "UK_VEHICLE_REGISTRATION": 0.2}
_LONE_WORD = re.compile(r"(?<![\w])[^\W\d_]{2,}(?![\w])")
_DECIMAL = re.compile(r"(?<![\w.,])[-+]?\d+[.,]\d+(?![\w.,])")
_SOME_ID = re.compile(
    r"\d{4,}|[A-Za-z]\d[A-Za-z] ?\d[A-Za-z]\d|[A-Za-z]{1,6}[ \-]?\d{2,}|\d{2,}[ \-]?[A-Za-z]|\d{2,}[ \-./]\d{2,}|[13][a-km-zA-HJ-NP-Z1-9]{25}"
)


# an identifier with letters: upper case and at least four digits, or a wallet
_MIXED = re.compile(
    r"(?<![A-Za-z])[A-Z]{1,6}[ \-]?\d{2,}|\d{4,}[ \-]?[A-Z](?![a-zà-ÿ])|\d{6}[\-+]\d{3}|[13][a-km-zA-HJ-NP-Z1-9]{25}|bc1|\d-\d{2}-\d{4}"
)


@dataclass(frozen=True, eq=False)
class Entry:
    recognizer: "PatternRecognizer"
    kind: str
    words: re.Pattern[str]
    literals: str


@cache
def catalogue() -> tuple[Entry, ...]:
    """All shipped pattern recognisers but the replaced ones, in the order of their names."""
    import presidio_analyzer.predefined_recognizers as shipped
    from presidio_analyzer import PatternRecognizer

    entries = []
    for name in sorted(vars(shipped)):
        cls = getattr(shipped, name)
        if name in _REPLACED or not isinstance(cls, type) or cls is PatternRecognizer:
            continue
        if not issubclass(cls, PatternRecognizer):
            continue
        recognizer = cls(supported_language="en")
        kind = recognizer.supported_entities[0]
        words = {w.lower() for w in recognizer.context or []} - _EMPTY
        if kind in _PASSPORTS:
            words = set(_PASSPORTS[kind])
        words |= {kind.lower().replace("_", " "), *_KIND_WORDS.get(kind, ())}
        pattern = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
        compiled = re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.I)
        entries.append(Entry(recognizer, kind, compiled, pattern))
    return tuple(entries)


@cache
def _gate() -> "re2.Set":
    """All context words of all entries at once; answers with the entries' numbers."""
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.max_mem = 64 << 20  # a ceiling, not what it takes
    gate = re2.Set.SearchSet(options)
    for entry in catalogue():
        gate.Add(rf"(?:^|[^\pL\pN_])(?:{entry.literals})(?:$|[^\pL\pN_])")
    gate.Compile()
    return gate


@cache
def _cheap() -> tuple[Entry, ...]:
    return tuple(e for e in catalogue() if e.kind in _DISTINCT)


def find(text: str) -> list[tuple[int, int, str, float, str]]:
    """`(start, end, kind, score, recogniser)` for what stands up in this text."""
    if not _SOME_ID.search(text):
        return []
    lone = len(text) <= 200 and not _LONE_WORD.search(text)
    spoken: set[Entry] = set()
    entries = catalogue()
    if not lone:
        spoken = {catalogue()[number] for number in _gate().Match(text) or ()}
        cheap = _cheap() if _MIXED.search(text) else ()
        entries = (*spoken, *(e for e in cheap if e not in spoken))
    found = []
    for entry in entries:
        near: list[tuple[int, int]] | None = (
            [m.span() for m in entry.words.finditer(text)] if entry in spoken else []
        )
        if lone:
            near = None
        if not lone and not near and entry.kind not in _DISTINCT:
            continue
        for r in entry.recognizer.analyze(text, [entry.kind]):
            if r.score < _WEAKEST.get(entry.kind, 0):
                continue
            score = _score(entry.kind, r.start, r.end, r.score, text, near)
            if score > 0:
                found.append((r.start, r.end, entry.kind, score, entry.recognizer.name))
    return found


def _is_part_of_a_decimal(start: int, end: int, text: str) -> bool:
    """Whether a match is the whole or the broken part of an amount: sums are no postcodes."""
    return text[start:end].isdigit() and any(
        one.start() <= start and end <= one.end() for one in _DECIMAL.finditer(text)
    )


def _score(
    kind: str, start: int, end: int, score: float, text: str, near: list[tuple[int, int]] | None
) -> float:
    """What the match is worth here; 0 drops it."""
    checked = score >= 1.0
    if near is None:
        if not checked and _is_part_of_a_decimal(start, end, text):
            return 0.0
        return 0.7 if checked else 0.2 + score / 4
    if any(start - 60 <= e <= start or end <= s <= end + 24 for s, e in near):
        close = any(start - 30 <= e <= start for _, e in near)
        if checked or score >= 0.3:
            return 0.9 if checked else 0.8
        return 0.7 if close else 0.0
    if kind not in _DISTINCT or (kind in _NEEDS_CHECK and not checked):
        return 0.0
    # letters are upper case in identifiers; the shipped patterns ignore case
    value = text[start:end]
    if any(c.islower() for c in value) and kind != "CRYPTO":
        return 0.0
    return 0.85 if checked else (0.65 if score >= 0.5 else 0.0)
