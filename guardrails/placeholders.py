"""The grammar of placeholders: `<PERSON_1>`, and the forms a model makes of it.

Knows nothing of values. A vault escapes in its input exactly what `scan` would read as a key, and
restores exactly what `scan` reads, so the two can never disagree.

Every quantifier is bounded and token and separator classes are disjoint: time is linear.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

SECRET = "<SECRET>"  # noqa: S105  a placeholder, not a password
LITERAL = "LITERAL"  # kind of a placeholder-looking string that stood in the input
LONGEST = 112  # characters of the longest readable form, see `_GENERIC`

# What models write for a kind: Presidio's name, or a common word in English or French.
_WORDS: dict[str, str] = {
    kind.lower(): kind
    for kind in (
        "PERSON",
        "LOCATION",
        "EMAIL_ADDRESS",
        "PHONE_NUMBER",
        "CREDIT_CARD",
        "IBAN_CODE",
        "IP_ADDRESS",
        "DATE_TIME",
        "FR_NIR",
        "FR_SIRET",
        "FR_SIREN",
        "FR_VAT",
        "FR_PLATE",
        "PASSPORT",
        "US_SSN",
        "URL",
        "ORGANIZATION",
        LITERAL,
    )
} | {
    "personne": "PERSON",
    "persona": "PERSON",
    "nom": "PERSON",
    "name": "PERSON",
    "lieu": "LOCATION",
    "adresse": "LOCATION",
    "address": "LOCATION",
    "email": "EMAIL_ADDRESS",
    "e_mail": "EMAIL_ADDRESS",
    "courriel": "EMAIL_ADDRESS",
    "adresse_email": "EMAIL_ADDRESS",
    "adresse_e_mail": "EMAIL_ADDRESS",
    "adresse_courriel": "EMAIL_ADDRESS",
    "phone": "PHONE_NUMBER",
    "telephone": "PHONE_NUMBER",
    "téléphone": "PHONE_NUMBER",
    "numéro_de_téléphone": "PHONE_NUMBER",
    "numero_de_telephone": "PHONE_NUMBER",
    "carte": "CREDIT_CARD",
    "carte_bancaire": "CREDIT_CARD",
    "iban": "IBAN_CODE",
    "adresse_ip": "IP_ADDRESS",
    "date": "DATE_TIME",
    "organisation": "ORGANIZATION",
}
# Words that may stand as plain prose ("personne 1"): only those few that rarely label a list.
_PLAIN = frozenset(
    {"person", "personne", "email_address", "phone_number", "credit_card", "iban_code"}
    | {"adresse_e_mail", "numéro_de_téléphone", "fr_nir", "us_ssn"}
)
_SEPARATOR = r"(?:\\?_|[ \u00a0\u202f-])"
_NUMBER = r"[0-9]{1,5}"
_VARIANT = r"[A-Za-z]{0,2}"
_OPEN, _CLOSE = r"(?:<|&lt;|‹|⟨)", r"(?:>|&gt;|›|⟩)"


def _spelled(words: dict[str, str]) -> str:
    longest_first = sorted(words, key=len, reverse=True)
    spelled = (word.replace("_", _SEPARATOR) for word in longest_first)
    # re.ASCII keeps case folding to ASCII, so the one accented letter is spelled out
    return "(?:" + "|".join(item.replace("é", "[éÉ]") for item in spelled) + ")"


_KNOWN = (
    rf"(?:{_OPEN}|\[|\{{\{{?) ?(?P<bk>{_spelled(_WORDS)}){_SEPARATOR}?"
    rf"(?P<bn>{_NUMBER})(?P<bv>{_VARIANT}) ?(?:{_CLOSE}|\]|\}}\}}?)"
)
_GENERIC = (
    rf"{_OPEN} ?(?P<ak>[A-Za-z][A-Za-z0-9]{{0,15}}(?:\\?_[A-Za-z0-9]{{1,15}}){{0,4}}?)\\?_"
    rf"(?P<an>{_NUMBER})(?P<av>{_VARIANT}) ?{_CLOSE}"
)
_BARE = (
    rf"(?<![A-Za-z0-9_])(?P<pk>{_spelled(_WORDS)})(?P<ps>{_SEPARATOR})"
    rf"(?P<pn>{_NUMBER})(?P<pv>{_VARIANT})(?![A-Za-z0-9_])"
)
_FORMS = re.compile("|".join((_KNOWN, _GENERIC, _BARE)), re.ASCII | re.IGNORECASE)
_KIND = re.compile(r"[A-Z][A-Z0-9]{0,15}(?:_[A-Z0-9]{1,15}){0,4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span `[start, end)` that reads as the placeholder `name`, e.g. `PERSON_1B`.

    `plain` is empty, or the form in canonical spelling ("personne_1") where it is ordinary prose
    that may also be a placeholder: the vault decides by what it has seen in the input.
    """

    start: int
    end: int
    name: str
    plain: str = ""


def scan(text: str, start: int = 0) -> Iterator[Candidate]:
    """All readable placeholders from `start`, left to right, never overlapping."""
    for match in _FORMS.finditer(text, start):
        found = match.groupdict()
        form = next(form for form in ("b", "a", "p") if found[form + "k"])
        word = _canonical(found[form + "k"])
        number, variant = found[form + "n"], found[form + "v"].upper()
        if form == "a" and f"{word}".upper() == "SECRET":
            continue
        name = f"{_WORDS.get(word, word.upper())}_{int(number)}{variant}"
        plain = ""
        if form == "p" and not found["ps"].endswith("_"):
            if word not in _PLAIN:
                continue
            plain = f"{word}_{int(number)}{variant}"
        yield Candidate(match.start(), match.end(), name, plain)


def _canonical(word: str) -> str:
    return re.sub(_SEPARATOR, "_", word).lower()


def kind_name(kind: str) -> str:
    """`kind` as it may stand in a placeholder; anything else becomes `DATA`."""
    upper = kind.upper().replace("-", "_").replace(" ", "_")
    return upper if _KIND.fullmatch(upper) and upper != "SECRET" else "DATA"


def suffix(variant: int) -> str:
    """The letters of a surface form: 0 is none, 1 is B, ... 25 is Z, 26 is AA, at most ZZ."""
    if variant == 0:
        return ""
    if variant < 26:
        return chr(ord("A") + variant)
    first, second = divmod(variant - 26, 26)
    return chr(ord("A") + first) + chr(ord("A") + second)


VARIANTS = 26 + 26 * 26  # surface forms that one number can carry

_PREFIXES = frozenset(word[:size] for word in _WORDS for size in range(1, len(word) + 1))
_OPENED = re.compile(r"(?:<|&(?:l(?:t;?)?)?|‹|⟨|\[|\{\{?)[A-Za-zéÉ0-9_\\ \u00a0\u202f-]{0,104}$")
_CLOSING = re.compile(r"(?:<|&lt;|‹|⟨|\[|\{\{?)[A-Za-zéÉ0-9_\\ \u00a0\u202f-]{0,104}(?:&g?t?|\})$")
_COUNTED = re.compile(rf"(.+?){_SEPARATOR}[0-9]{{1,5}}[A-Za-z]{{0,2}}$")
_WORD_START = re.compile(r"(?<![A-Za-z0-9_])[A-Za-zéÉ]", re.ASCII)


def open_tail(text: str, start: int = 0) -> int:
    """Where a form begins that more text could still complete or change; `len(text)` if none.

    Never further than `LONGEST` characters before the end.
    """
    floor = max(start, len(text) - LONGEST)
    held = len(text)
    for pattern in (_OPENED, _CLOSING):
        if match := pattern.search(text, floor):
            held = min(held, match.start())
    for match in _WORD_START.finditer(text, floor):
        if match.start() >= held:
            break
        tail = _canonical(text[match.start() :].replace("\\", ""))
        counted = _COUNTED.match(tail)
        if tail in _PREFIXES or tail.rstrip("_") in _WORDS or (counted and counted[1] in _WORDS):
            held = match.start()
            break
    return held
