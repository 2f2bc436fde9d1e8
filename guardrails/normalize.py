"""Undo unicode evasions once, with a map back to the original offsets.

Knows nothing of what is looked for. Plain ASCII costs one `str.isascii` and one scan for the few
ASCII-only tricks; nothing is copied when nothing changes.
"""

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from guardrails.confusables import CONFUSABLES

# Invisible or layout-only: soft hyphen, combining grapheme joiner, zero-width, bidi, variation
# selectors, word joiner, BOM, interlinear marks. Dropped: they never carry a value.
_SINGLE = (0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x3164, 0xFEFF, 0xFFA0)
_RANGES = (
    (0x180B, 0x180E),
    (0x200B, 0x2010),
    (0x202A, 0x202F),
    (0x2060, 0x2070),
    (0xFE00, 0xFE10),
    (0xFFF9, 0xFFFC),
    (0xE0100, 0xE01F0),
)
_DROPPED = frozenset({*_SINGLE, *(code for low, high in _RANGES for code in range(low, high))})
_DASHES = frozenset(range(0x2010, 0x2016)) | {0x2212, 0xFE58, 0xFE63, 0xFF0D, 0x2043}
_POINTS = frozenset({0x00B7, 0x2027, 0x30FB, 0x2024, 0x3002, 0xFF0E, 0xFF61})
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,24});")
# characters that may be one half of a pair which NFKC composes (e + U+0301)
_TAG_LOW, _TAG_HIGH = 0xE0020, 0xE007E


@dataclass(frozen=True, slots=True)
class Normalized:
    """A text without evasions. `offsets[i]` is where `text[i]` begins in the original.

    `offsets` has `len(text) + 1` items; the last is the original's length.
    """

    text: str
    offsets: Sequence[int]
    original_length: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original's span for `text[start:end]`, invisible characters inside included."""
        if end <= start:
            return self.offsets[start], self.offsets[start]
        # up to where the next visible character begins, but not across dropped ones at the end:
        # those belong to nobody and masking them too is harmless, so they are taken
        return self.offsets[start], self.offsets[end]


# everything but ASCII, Latin letters with accents and the usual typography, which stay as they are
_ODD = re.compile(r"[^\x00-\x7f\u00c0-\u024f’“”«»€…°]")


def normalize(text: str) -> Normalized:
    """Fold compatibility forms, homoglyphs, digits of any script and entities to plain text."""
    if not _ODD.search(text):
        if "&" not in text or not _ENTITY.search(text):
            return Normalized(text, range(len(text) + 1), len(text))
        return _entities(text, range(len(text) + 1))
    characters, offsets = _fold(text)
    folded = Normalized("".join(characters), [*offsets, len(text)], len(text))
    if "&" in folded.text and _ENTITY.search(folded.text):
        return _entities(folded.text, folded.offsets)
    return folded


def _fold(text: str) -> tuple[list[str], list[int]]:
    characters: list[str] = []
    offsets: list[int] = []
    mixed = _mixed_words(text)
    index, length = 0, len(text)
    while index < length:
        character = text[index]
        code = ord(character)
        if code < 0x80:
            end = index + 1
            # a letter with combining marks after it is one letter (NFD)
            while end < length and ord(text[end]) >= 0x300 and unicodedata.combining(text[end]):
                end += 1
            piece = character if end == index + 1 else _compose(text[index:end])
        else:
            end = index + 1
            while end < length and ord(text[end]) >= 0x300 and unicodedata.combining(text[end]):
                end += 1
            piece = _piece(text[index:end], code, bool(mixed and mixed[index]))
        for part in piece:
            characters.append(part)
            offsets.append(index)
        index = end
    return characters, offsets


def _compose(cluster: str) -> str:
    composed = unicodedata.normalize("NFKC", cluster)
    # marks that compose with nothing ("j̶o̶h̶n̶") are decoration
    return "".join(c for c in composed if not unicodedata.combining(c)) or composed[:1]


def _piece(cluster: str, code: int, mixed: bool) -> str:
    if code in _DROPPED:
        return ""
    if _TAG_LOW <= code <= _TAG_HIGH:
        return chr(code - 0xE0000)
    if code in _DASHES:
        return "-"
    if len(cluster) > 1:
        return _compose(cluster)
    if code in _POINTS:
        return "."
    digit = unicodedata.decimal(cluster, None)
    if digit is not None:
        return str(digit)
    if 0xC0 <= code < 0x250:  # Latin letters with accents stay what they are
        return cluster
    if mixed and cluster in CONFUSABLES:
        return CONFUSABLES[cluster]
    if 0x370 <= code < 0x600:
        return cluster
    if 0xE0000 <= code <= 0xE007F:
        return ""
    folded = unicodedata.normalize("NFKC", cluster)
    if folded == cluster:
        return CONFUSABLES.get(cluster, cluster) if mixed else cluster
    return folded


_WORD = re.compile(r"[^\s]{1,256}")


def _mixed_words(text: str) -> bytearray | None:
    """A flag per character: stands in a word that mixes scripts (or looks like an address).

    A word that is wholly Greek or Cyrillic is a word of that language; one Cyrillic letter among
    Latin ones is a homoglyph.
    """
    if not any(
        0x370 <= ord(c) < 0x600
        or 0x1D00 <= ord(c) < 0x2000
        or 0x2100 <= ord(c) < 0x2200
        or ord(c) in (0x0261, 0x0131, 0x0251)
        or 0xA4D0 <= ord(c) < 0xA800
        for c in text
        if ord(c) >= 0x80
    ):
        return None
    flags = bytearray(len(text))
    doubtful: list[tuple[int, int]] = []
    latin_words, foreign_words = 0, 0
    for match in _WORD.finditer(text):
        word = unicodedata.normalize("NFKC", match.group())
        letters = [c for c in word if c.isalpha()]
        if any(c.isascii() for c in letters) or any(c == "@" or c.isdigit() for c in word):
            latin_words += 1
            flags[match.start() : match.end()] = b"\1" * (match.end() - match.start())
        elif letters and all(c in CONFUSABLES for c in letters):
            doubtful.append(match.span())
        elif any(0x370 <= ord(c) < 0x600 for c in letters):
            foreign_words += 1
    if latin_words and not foreign_words:
        # among Latin words, one that consists of look-alikes only is a disguise
        for start, end in doubtful:
            flags[start:end] = b"\1" * (end - start)
    return flags


def _entities(text: str, offsets: Sequence[int]) -> Normalized:
    characters: list[str] = []
    mapped: list[int] = []
    at = 0
    for match in _ENTITY.finditer(text):
        decoded = html.unescape(match.group())
        if decoded == match.group():
            continue
        characters.extend(text[at : match.start()])
        mapped.extend(offsets[at : match.start()])
        # no-break spaces and full-width forms hide in entities too
        for part in "".join(_piece(c, ord(c), mixed=False) if ord(c) > 127 else c for c in decoded):
            characters.append(part)
            mapped.append(offsets[match.start()])
        at = match.end()
    characters.extend(text[at:])
    mapped.extend(offsets[at:])  # includes the closing offset
    length = offsets[len(text)]
    return Normalized("".join(characters), mapped, length)
