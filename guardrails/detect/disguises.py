# ruff: noqa: E501 - tables and patterns read better on one line
"""Second readings of a text whose values are spelled, spaced out or encoded, with offset maps.

Each reading is made only where its trigger matches, so plain text pays a few microseconds. A
decoded token counts as a whole: what is found inside covers all of it.
"""

import base64
import binascii
import re
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
    r"\s?[\[({<]\s?(?:at|arobase|@)\s?[\])}>]\s?|\s(?:arobase|arobas)\s|\s?<at>\s?", re.I
)
_DOT = re.compile(r"\s?[\[({<]\s?(?:dot|point|\.)\s?[\])}>]\s?", re.I)
_SPOKEN_MAIL = re.compile(
    r"(?<!\w)[\w.+\-]{1,40}(?: (?:dot|point) [\w\-]{1,40}){0,4}(?: (?:at|chez|arobase) |@)[\w\-]{1,40}"
    r"(?: (?:dot|point) [\w\-]{2,40}){1,4}(?!\w)",
    re.I,
)
_SPOKEN_DIGITS = re.compile(
    rf"(?<!\w)(?:{_NUMBER})(?:[\s,\-]{{1,3}}(?:{_NUMBER})){{6,40}}(?!\w)", re.I
)
_SPACED = re.compile(r"(?<!\S)[A-Za-z0-9](?: [A-Za-z0-9]){8,60}(?!\S)")
_SEPARATED = re.compile(r"(?<!\w)\d{1,6}(?:[/_|*~:]\d{1,6}){2,8}(?!\w)")
_PERCENT = re.compile(r"[^\s%]{0,80}(?:%[0-9A-Fa-f]{2}[^\s%]{0,80}){1,60}")
_BACKSLASH = re.compile(r"(?:\\x[0-9A-Fa-f]{2}){4,400}|(?:\\u00[0-9A-Fa-f]{2}){4,400}")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x)?(?:[0-9A-Fa-f]{2}[ :]?){8,400}(?![0-9A-Za-z])")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_=\-])[A-Za-z0-9+/_\-]{15,2000}={0,2}(?![A-Za-z0-9+/_=])")


@dataclass(frozen=True)
class Reading:
    """`text` and, for each of its characters, its span in the text it was made from."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        return min(self.starts[start:end]), max(self.ends[start:end])


def readings(text: str) -> Iterator[Reading]:
    """The second readings that this text gives cause for; usually none."""
    if (
        "[" in text
        or "(" in text
        or "{" in text
        or "<" in text
        or "arobas" in text
        or "hxxp" in text
    ):
        yield from _changed(
            text, ((_AT, lambda _: "@"), (_DOT, lambda _: "."), (_HXXP, lambda _: "http"))
        )
    lower = text.lower()
    if " dot " in lower or " point " in lower:
        yield from _changed(text, ((_SPOKEN_MAIL, _mail),))
    yield from _changed(text, ((_SPOKEN_DIGITS, _digits),))
    yield from _changed(text, ((_SPACED, lambda m: m.group().replace(" ", "")),))
    yield from _changed(text, ((_SEPARATED, _separated),))
    if "%" in text:
        yield from _changed(text, ((_PERCENT, _percent),))
    if "\\" in text:
        yield from _changed(text, ((_BACKSLASH, _backslash),))
    yield from _changed(text, ((_HEX, _hex), (_BASE64, _base64)))


_HXXP = re.compile(r"hxxp", re.I)
_Change = tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]]


def _changed(text: str, changes: tuple[_Change, ...]) -> Iterator[Reading]:
    if not any(pattern.search(text) for pattern, _ in changes):
        return
    current, starts, ends = text, tuple(range(len(text))), tuple(range(1, len(text) + 1))
    for pattern, change in changes:
        pieces: list[str] = []
        new_starts: list[int] = []
        new_ends: list[int] = []
        at = 0
        for match in pattern.finditer(current):
            new = change(match)
            if new is None or new == match.group():
                continue
            a, b = match.span()
            pieces += [current[at:a], new]
            new_starts += [*starts[at:a], *([starts[a]] * len(new))]
            new_ends += [*ends[at:a], *([ends[b - 1]] * len(new))]
            at = b
        if at:
            pieces.append(current[at:])
            current = "".join(pieces)
            starts = (*new_starts, *starts[at:])
            ends = (*new_ends, *ends[at:])
    if current != text:
        yield Reading(current, starts, ends)


def _mail(match: re.Match[str]) -> str:
    value = re.sub(r" (?:dot|point) ", ".", match.group(), flags=re.I)
    return re.sub(r" (?:at|chez|arobase) ", "@", value, flags=re.I)


def _digits(match: re.Match[str]) -> str:
    return "".join(_DIGIT[w] for w in re.findall(_NUMBER, match.group().lower()))


def _separated(match: re.Match[str]) -> str | None:
    value = match.group()
    # shorter runs are dates, times and versions
    return re.sub(r"\D", " ", value) if sum(c.isdigit() for c in value) >= 12 else None


def _percent(match: re.Match[str]) -> str | None:
    try:
        return urllib.parse.unquote(match.group(), errors="strict")
    except UnicodeDecodeError:
        return None


def _backslash(match: re.Match[str]) -> str | None:
    return _printable(
        bytes(int(h, 16) for h in re.findall(r"[0-9A-Fa-f]{2}(?=\\|$)", match.group()))
    )


def _hex(match: re.Match[str]) -> str | None:
    value = re.sub(r"[ :]|^0x", "", match.group())
    return None if value.isdigit() and len(value) < 24 else _printable(bytes.fromhex(value))


def _base64(match: re.Match[str]) -> str | None:
    value = match.group().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return _printable(base64.b64decode(value + "=" * (-len(value) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None


def _printable(data: bytes) -> str | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if len(text) >= 6 and all(c.isprintable() or c in "\r\n\t" for c in text) else None
