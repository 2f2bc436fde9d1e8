# ruff: noqa: E501 - tables and patterns read better on one line
"""Telephone numbers, by phonenumbers' matcher over the regions that matter, behind a digit gate."""

import re

_CANDIDATE = re.compile(
    r"(?<![\w@/=\-])(?:\+|00|\(\+?)?\d(?:[ .\-\u00a0\u202f()/]{0,3}\d){6,16}"
    r"(?: ?(?:x|ext\.?|poste) ?\d{1,6})?(?![\w@]|[.\-/]\d|-[A-Z])"
)
_WORDS = re.compile(
    r"(?<!\w)(?:tel|tél|téléphone|telephone|phone|mobile|cell|cellphone|portable|fax|call|ring|dial|"
    r"numéro|appeler|appelez|rappeler|rappelez|joindre|joignable|whatsapp|sms|text|desk|office|"
    r"contact|number|standard|ligne|gsm|answering|answer|reached|reachable|dialed|voicemail|landline)(?!\w)",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"(?<!\w)(?:card|carte|cb|visa|mastercard|account|compte|iban|rib|bic|order|commande|ref|réf|référence|"
    r"reference|invoice|facture|dossier|ticket|passport|passeport|licen[cs]e|vat|tva|siret|siren|nir|sécu|ssn|"
    r"routing|npi|imei|isbn|serial|série|matricule|contrat|contract|client n°|version|build|port|pid)\b[^.\n]{0,14}$"
    r"|\b[A-Z]{2}\d{2}(?:[ ][A-Z0-9]{2,4}){0,8} ?$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s{0,2}[\[(]?(?:office|desk|fax|mobile|cell|home|work|bureau|portable|domicile)\b",
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}([./-])\d{1,2}\1\d{2,4}")
_NATIONAL_DIGITS = 13  # the longest national number of those regions, trunk prefix included
_NATIONAL = {
    "fr": ("FR", "BE", "CH", "LU", "CA", "US", "GB", "DE", "ES", "IT"),
    "en": (
        "US",
        "GB",
        "FR",
        "DE",
        "IN",
        "AU",
        "ES",
        "IT",
        "NL",
        "BE",
        "CH",
        "SE",
        "DK",
        "CN",
        "BR",
        "IL",
    ),
}


def find(text: str, language: str) -> list[tuple[int, int, float]]:
    """Spans and scores. International numbers stand alone; national ones need shape or a word near."""
    found = []
    for match in _CANDIDATE.finditer(text):
        value = match.group()
        digits = sum(c.isdigit() for c in value)
        if digits < 7 or digits > 18 or _DATE.fullmatch(value.strip()):
            continue
        start, end = match.span()
        before = text[max(0, start - 44) : start]
        score = _score(value, language)
        if score < 0.95 and _OTHER.search(before):
            continue
        if score < 0.7 and (_WORDS.search(before) or _AFTER.match(text, end)):
            score = max(score + 0.35, 0.7) if score else (0.6 if digits <= 15 else 0.0)
        if score >= 0.5:
            found.append((start, end, score))
    return found


def _score(value: str, language: str) -> float:
    import phonenumbers

    international = value.lstrip("(").startswith(("+", "00"))
    plain = value.replace("00", "+", 1) if value.startswith("00") else value
    grouped = bool(re.search(r"\d[ .\-()/\u00a0\u202f]+\d", value))
    if not international and sum(c.isdigit() for c in value) > _NATIONAL_DIGITS:
        return 0.0
    for region in (None,) if international else _NATIONAL[language]:
        try:
            number = phonenumbers.parse(plain, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            if international:
                return 0.95
            if region == "FR" and re.match(r"0[1-9]", value):
                return 0.85 if grouped else 0.7
            if (
                region == "US"
                and grouped
                and re.match(r"\(?\d{3}\)?[ .\-]?\d{3}[ .\-]\d{4}", value)
            ):
                return 0.75
            return 0.45 if grouped else 0.3
    if re.match(r"(?:\+33 ?|0033 ?|0)(?:\(0\))?[1-9](?:[ .\-]?\d\d){4}$", value):
        return 0.9 if international else 0.75  # the form of a French number, range not given out
    return 0.55 if international and 9 <= sum(c.isdigit() for c in value) <= 15 else 0.0
