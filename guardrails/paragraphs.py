"""Cut a text into pieces that detectors see one at a time. Knows nothing of what they look for."""

import re
from collections.abc import Iterator

_BLANK = re.compile(r"\n[ \t\r]*\n")
LARGEST = 8_000  # characters; a deadline is checked between pieces
OVERLAP = 400  # characters that two cuts of one long paragraph share, more than any finding is long


def pieces(text: str) -> Iterator[tuple[int, str]]:
    """(offset, piece) for each paragraph; a very long one is cut with overlaps.

    Paragraphs are what is resent unchanged with every turn, so they are what a cache can know.
    """
    at = 0
    for gap in _BLANK.finditer(text):
        yield from _cut(text, at, gap.start())
        at = gap.end()
    yield from _cut(text, at, len(text))


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    while end - start > LARGEST + OVERLAP:
        space = text.rfind(" ", start + LARGEST - OVERLAP, start + LARGEST)
        cut = space if space > 0 else start + LARGEST
        yield start, text[start : cut + OVERLAP]
        start = cut
    if text[start:end].strip():
        yield start, text[start:end]
