"""Cut a document's text into passages under its headings. Knows nothing of storage or vectors."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

WORDS = 120  # a passage: long enough to answer from, short enough for four in a small window
OVERLAP = 25  # words of the passage before, so that a sentence cut in two is found from both sides

_HEADING = re.compile(r"^(#{1,6}) (.+)$")
_NUMBERED = re.compile(
    r"^(?:section |article |chapitre |chapter |annexe |§)?\d{1,2}(?:\.\d{1,2}){0,3}\.? \S.{1,78}$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """`text` does not repeat what stands in another chunk; `before` is the overlap."""

    text: str
    page: int | None
    heading: str
    before: str = ""


def chunks(parts: Iterable[Mapping[str, Any]]) -> Iterator[Chunk]:
    """Passages of about 120 words, in order; a new heading or page begins a new one."""
    trail: list[tuple[int, str]] = []
    for part in parts:
        page = part.get("page")
        block: list[str] = []
        for line in [*str(part["text"]).split("\n"), None]:
            level = 0 if line is None else _level(line)
            if line is not None and not level:
                block.append(line)
                continue
            yield from _cut("\n".join(block), page, " › ".join(name for _, name in trail))
            block = []
            if line is not None:
                trail = [one for one in trail if one[0] < level]
                trail.append((level, line.lstrip("# ").strip()))


def _level(line: str) -> int:
    if found := _HEADING.match(line):
        return len(found.group(1))
    # "2.3 Asking for leave" in a text without marks; a sentence or a row of figures is no heading
    if _NUMBERED.match(line) and not line.rstrip().endswith((".", ",", ";", ":", "!", "?")):
        words = line.split()
        figures = sum(any(c.isdigit() for c in word) for word in words[1:])
        if figures == 0 and words[1][0].isupper() and "." in words[0]:
            return 7
    return 0


def _cut(text: str, page: int | None, heading: str) -> Iterator[Chunk]:
    pieces = list(_pieces(text))
    held: list[str] = []
    count = 0
    before = ""
    for piece in pieces:
        size = max(len(piece.split()), len(piece) // 12)
        if held and count + size > WORDS:
            body = "\n".join(held).strip()
            yield Chunk(body, page, heading, before)
            before = " ".join(body.split()[-OVERLAP:])
            held, count = [], 0
        held.append(piece)
        count += size
    body = "\n".join(held).strip()
    if body:
        yield Chunk(body, page, heading, before)


def _pieces(text: str) -> Iterator[str]:
    """Lines; a long line is cut at sentence ends, and a longer sentence between words."""
    for line in text.split("\n"):
        if len(line.split()) <= WORDS and len(line) <= WORDS * 12:
            yield line
            continue
        for sentence in re.split(r"(?<=[.!?…;]) +(?=\S)", line):
            words = sentence.split(" ")
            for start in range(0, len(words), WORDS):
                # a "word" may have no end: cut it as well
                piece = " ".join(words[start : start + WORDS])
                for at in range(0, len(piece), WORDS * 12):
                    yield piece[at : at + WORDS * 12]
