# ruff: noqa: E501 - tables and patterns read better on one line
"""Second readings of a text whose values are spelled, spaced out or encoded, with offset maps.

Each reading is made only where its trigger matches, so plain text pays a few microseconds. A
decoded token counts as a whole: what is found inside covers all of it.
"""

import base64
import binascii
import html
import re
import urllib.parse
from collections.abc import Iterator

from guardrails.detect.reading import Reading, changed

_DEPTH = 3  # encodings inside encodings that are undone
# what a second reading may report: forms with structure; names would be guesses
KINDS_LEFT_OUT = frozenset(
    {"PERSON", "LOCATION", "ORGANIZATION", "DATE_TIME", "UUID", "UK_POSTCODE"}
)

_DIGIT = {
    **dict.fromkeys(("zero", "oh", "zéro"), "0"), **dict.fromkeys(("one", "un", "une"), "1"),
    **dict.fromkeys(("two", "deux"), "2"), **dict.fromkeys(("three", "trois"), "3"),
    **dict.fromkeys(("four", "quatre"), "4"), **dict.fromkeys(("five", "cinq"), "5"),
    **dict.fromkeys(("six",), "6"), **dict.fromkeys(("seven", "sept"), "7"),
    **dict.fromkeys(("eight", "huit"), "8"), **dict.fromkeys(("nine", "neuf"), "9"),
}  # fmt: skip
_NUMBER = "|".join(sorted(_DIGIT, key=len, reverse=True))
_AT = re.compile(
    r"\s?[\[({<]\s?(?:at|arobase?|@)\s?[\])}>]\s?|\s(?:arobase|arobas)\s|\s?<at>\s?|(?<=\w)\(a\)(?=\w)",
    re.I,
)
_DOT = re.compile(
    r"\s?[\[({<]\s?(?:dot|point|\.)\s?[\])}>]\s?|(?<=\d) (?:\.|dot|point) (?=\d)", re.I
)
_TLD = "com|org|net|edu|gov|int|info|biz|io|dev|eu|fr|de|uk|us|ca|ch|be|lu|es|it|pt|nl|at|pl|se|no|fi|dk|ie|gouv"
_SPOKEN_MAIL = re.compile(
    r"(?<!\w)[\w.+\-]{1,40}(?: (?:dot|point) [\w\-]{1,40}){0,4}(?: (?:at|chez|arobase?) |@)[\w\-]{1,40}"
    r"(?: (?:dot|point) [\w\-]{2,40}){1,4}(?!\w)",
    re.I,
)
_JOINED_MAIL = re.compile(
    r"(?<![\w.+\-])[\w.+\-]{1,60}?[_\-](?:at|arobase)[_\-][\w\-]{1,60}?[_\-](?:dot|point)[_\-][\w\-]{2,40}(?![\w\-])",
    re.I,
)
# "ann . lee @ example . com", "ann.lee@" and the rest on the next line, "ann.lee at example.com"
_LOOSE_MAIL = re.compile(
    rf"(?<![\w.+\-])(?:[\w+\-]{{1,40}}(?: ?\. ?[\w+\-]{{1,40}}){{0,4}}(?: @ |@)[\w\-]{{1,40}}(?: ?\. ?[\w\-]{{1,40}}){{0,3}} ?\. ?"
    rf"|[\w.+\-]{{1,60}} ?(?:\n ?@|@ ?\n) ?[\w.\-]{{1,60}}\.|[\w.+\-]{{1,60}}@[\w.\-]{{1,40}}\n[\w.\-]{{1,40}}\.|[\w.+\-]{{1,60}}@[\w\-]{{1,40}},|[\w\-]{{1,40}}[._][\w.\-]{{1,40}} at [\w.\-]{{1,60}}\.)(?:{_TLD})(?![\w@])",
    re.I,
)
# one of these must be there for the next two to change anything
_LOOSE = re.compile(
    r" @|@[ \n*_`~|]|[\n*_`~|]@|@[\w.\-]{1,40}[\n,]\w|@[\w\-]{1,40} \.| \. [\w\-]{1,40}@|[._]\w[\w.\-]{0,40} [aA][tT] "
)
_WHOLE_MAIL = re.compile(rf"[\w.+\-]+@[\w.\-]+\.(?:{_TLD})\n", re.I)
_MARKED_AT = re.compile(r"[*_`~|]{1,3}@[*_`~|]{0,3}|@[*_`~|]{1,3}")
_TAG = re.compile(r"</?(?:b|i|u|em|strong|span|wbr|a|font|code|mark)\b[^<>]{0,60}>", re.I)
_COLON = re.compile(r"\[:\]")
_SPOKEN_DIGITS = re.compile(
    rf"(?<!\w)(?:{_NUMBER})(?:[\s,\-]{{1,3}}(?:{_NUMBER})){{6,40}}(?!\w)", re.I
)
_SPACED = re.compile(r"(?<!\S)[\w@.+\-](?: [\w@.+\-]){8,80}(?!\S)")
_SEPARATED = re.compile(r"(?<!\w)\d{1,6}(?:[/_|*~:]\d{1,6}){2,8}(?!\w)")
# groups of digits with anything between them that is no digit and no sentence
_BETWEEN = r"(?:<[a-z/ ]{1,6}>|\\[nrt]|[^\w\s.]{1,3} ?[^\w\s.]{0,3}| [^\w\s.]{1,3} |[ \t]{2,4}|\t| (?:then|puis) )"
_APART = re.compile(rf"(?<![\w,])\d{{2,6}}(?:(?:{_BETWEEN}| )\d{{2,6}}){{2,6}}(?![\w,])")
_LINES = re.compile(
    r"(?<!\w)(?:[A-Z]{2})?\d[\dA-Z]{1,20}(?: {0,2}\n {0,2}[\dA-Z]{2,20}){1,3}(?![\w])"
)
_LETTERED = re.compile(r"(?<!\w)[\dOo](?:[ .\-]?[\dOoIl]){8,18}(?!\w)")
_PERCENT = re.compile(r"[^\s%]{0,80}(?:%[0-9A-Fa-f]{2}[^\s%]{0,80}){1,200}")
_BACKSLASH = re.compile(r"(?:\\x[0-9A-Fa-f]{2}){1,400}|(?:\\u00[0-9A-Fa-f]{2}){1,400}")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x)?(?:[0-9A-Fa-f]{2}[ :]?){8,400}(?![0-9A-Za-z])")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_=\-])[A-Za-z0-9+/_\-]{15,2000}={0,2}(?![A-Za-z0-9+/_=])")


def _french_numbers() -> dict[str, str]:
    """The numbers to 99 as they are said, with hyphens, each with its digits as in "06 12"."""
    ones = [
        "zéro",
        "un",
        "deux",
        "trois",
        "quatre",
        "cinq",
        "six",
        "sept",
        "huit",
        "neuf",
        "dix",
        "onze",
        "douze",
        "treize",
        "quatorze",
        "quinze",
        "seize",
    ]
    ones += ["dix-sept", "dix-huit", "dix-neuf"]
    said = dict(enumerate(ones))
    for ten, word in (
        (20, "vingt"),
        (30, "trente"),
        (40, "quarante"),
        (50, "cinquante"),
        (60, "soixante"),
    ):
        said |= {ten + n: f"{word}-{ones[n]}" for n in range(2, 20 if ten == 60 else 10)}
        said |= {ten: word, ten + 1: f"{word} et un"}
    said |= {71: "soixante et onze", 80: "quatre-vingts"}
    said |= {80 + n: f"quatre-vingt-{ones[n]}" for n in range(1, 20)}
    return {word: str(number) for number, word in said.items()} | {"quatre-vingt": "80"}


_PAIRS = _french_numbers()
_TENS = ("vingt", "trente", "quarante", "cinquante", "soixante")
_PAIR = "|".join(sorted(_PAIRS, key=len, reverse=True))
_SPOKEN_PAIRS = re.compile(rf"(?<!\w)(?:{_PAIR})(?:[\s,]{{1,3}}(?:{_PAIR})){{4,20}}(?!\w)", re.I)


def readings(text: str) -> Iterator[Reading]:
    """The second readings that this text gives cause for; usually none."""
    if (
        "[" in text
        or "(" in text
        or "{" in text
        or "<" in text
        or "arobas" in text
        or "hxxp" in text
        or " . " in text
        or " dot " in text
        or " point " in text
    ):
        yield from changed(
            text,
            (
                (_AT, lambda _: "@"),
                (_DOT, lambda _: "."),
                (_COLON, lambda _: ":"),
                (_HXXP, lambda _: "http"),
            ),
        )
    if "<" in text and "@" in text:
        yield from changed(text, ((_TAG, lambda _: ""),))
    lower = text.lower()
    if " dot " in lower or " point " in lower:
        yield from changed(text, ((_SPOKEN_MAIL, _mail),))
    if any(word in lower for word in _JOINED):
        yield from changed(text, ((_JOINED_MAIL, _joined_mail),))
    if _LOOSE.search(text):
        yield from changed(text, ((_MARKED_AT, lambda _: "@"), (_LOOSE_MAIL, _loose_mail)))
    yield from changed(text, ((_SPOKEN_DIGITS, _digits),))
    if any(ten in lower for ten in _TENS):
        yield from changed(text, ((_SPOKEN_PAIRS, _pairs),))
    yield from changed(text, ((_SPACED, lambda m: m.group().replace(" ", "")),))
    if sum(map(text.count, "0123456789")) >= 10:
        yield from changed(text, ((_SEPARATED, _separated),))
        yield from changed(text, ((_APART, _apart),), sure=0.95)
    if "\n" in text:
        yield from changed(text, ((_LINES, lambda m: re.sub(r"\s+", "", m.group())),), sure=0.95)
    if "O" in text or "o" in text or "l" in text or "I" in text:
        yield from changed(text, ((_LETTERED, _lettered),))
    if "%" in text:
        yield from changed(text, ((_PERCENT, _percent),))
    if "\\" in text:
        yield from changed(text, ((_BACKSLASH, _backslash),))
    yield from changed(text, ((_HEX, _hex), (_BASE64, _base64)))


_HXXP = re.compile(r"hxxp", re.I)
_JOINED = ("-dot-", "_dot_", "-point-", "_point_")


def _mail(match: re.Match[str]) -> str:
    value = re.sub(r" (?:dot|point) ", ".", match.group(), flags=re.I)
    return re.sub(r" (?:at|chez|arobase?) ", "@", value, flags=re.I)


def _joined_mail(match: re.Match[str]) -> str:
    value = re.sub(r"[_\-](?:dot|point)[_\-]", ".", match.group(), flags=re.I)
    return re.sub(r"[_\-](?:at|arobase)[_\-]", "@", value, count=1, flags=re.I)


def _loose_mail(match: re.Match[str]) -> str | None:
    value = match.group()
    if _WHOLE_MAIL.match(value):
        return None  # what stands on the next line is another thing
    return re.sub(r"\s+", "", re.sub(r" at ", "@", value, flags=re.I)).replace(",", ".")


def _pairs(match: re.Match[str]) -> str:
    return "".join(_PAIRS[w] for w in re.findall(_PAIR, match.group().lower()))


def _lettered(match: re.Match[str]) -> str | None:
    """Capital O for a zero, I for a one; most of it must be digits, or all letters that one."""
    value = match.group()
    digits = sum(c.isdigit() for c in value)
    zeros = digits + value.count("O")
    if value.isdigit() or (digits < 8 and not (digits >= 3 and zeros == 16)):
        return None
    return value.translate(str.maketrans("OoIl", "0011"))


def _digits(match: re.Match[str]) -> str:
    return "".join(_DIGIT[w] for w in re.findall(_NUMBER, match.group().lower()))


def _separated(match: re.Match[str]) -> str | None:
    value = match.group()
    # shorter runs are dates, times and versions
    least = 10 if "_" in value else 12
    return re.sub(r"\D", " ", value) if sum(c.isdigit() for c in value) >= least else None


def _apart(match: re.Match[str]) -> str | None:
    value = match.group()
    # groups with a blank between them are read without this
    plain = all(c.isdigit() or c == " " for c in value) and "  " not in value
    if plain or sum(c.isdigit() for c in value) < 12:
        return None
    return re.sub(r"\D+", " ", value)


def _percent(match: re.Match[str]) -> str | None:
    value = match.group()
    for _ in range(_DEPTH):
        if "%" not in value:
            break
        try:
            value = urllib.parse.unquote(value, errors="strict")
        except UnicodeDecodeError:
            return None
    return _BASE64.sub(lambda m: _base64(m) or m.group(), value)


def _backslash(match: re.Match[str]) -> str | None:
    raw = bytes(int(h, 16) for h in re.findall(r"[0-9A-Fa-f]{2}(?=\\|$)", match.group()))
    if len(raw) < 6:  # a letter or a sign inside a word
        return (
            raw.decode("latin-1") if raw.isascii() and raw.decode("ascii").isprintable() else None
        )
    return _printable(raw)


def _hex(match: re.Match[str]) -> str | None:
    value = re.sub(r"[ :]|^0x", "", match.group())
    return None if value.isdigit() and len(value) < 24 else _printable(bytes.fromhex(value))


def _base64(match: re.Match[str]) -> str | None:
    value = match.group().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return _printable(base64.b64decode(value + "=" * (-len(value) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None


def _printable(data: bytes, depth: int = 1) -> str | None:
    """What the bytes say, when it is text; an encoding inside the encoding is undone too."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "&" in text:
        text = html.unescape(text)
    if "%" in text:
        text = urllib.parse.unquote(text)
    if depth < _DEPTH and _BASE64.fullmatch(text):
        try:
            return _printable(base64.b64decode(text + "=" * (-len(text) % 4)), depth + 1) or text
        except (binascii.Error, ValueError):
            return text
    return text if len(text) >= 6 and all(c.isprintable() or c in "\r\n\t" for c in text) else None
