"""The lines of a document that are closest to a question, for small models.

A small model that has read two pages answers from the wrong line, or says what usually stands in
such a document. The lines that share the question's rare words, put just before it, are what it
then reads last. Knows words, not meaning: a question in other words finds no line.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.knowledge.retrieve import words

MOST = 4  # lines
SHARE = 0.5  # of the best line's worth, which a line must have to stand beside it
LEAST = 0.2  # of the question's worth, which the best line must have: else it is about other things
LONG = 220  # characters; a longer line is a paragraph, taken by sentences
TITLE = 80  # characters of a section's name at most
_SENTENCE = re.compile(r"(?<=[.!?»])\s+(?=[A-ZÀ-Ý«<“\"])")
_SAYS = re.compile(r":\s|[.:;,!?]$")  # a line that tells something, and no title
_ROOT = 6  # letters that two forms of a word share


@dataclass(frozen=True)
class Line:
    """A line or sentence, and the section that it stands in."""

    section: str
    text: str

    @property
    def told(self) -> str:
        """With its section: the rows of two offers are told apart by nothing else."""
        return f"{self.section}: {self.text}" if self.section else self.text


def closest(texts: Sequence[str], asked: str) -> list[str]:
    """At most `MOST` lines of `texts`, in their order; none when no line is about what is asked."""
    lines = [line for text in texts for line in _lines(text)]
    held = [_roots(line.told) for line in lines]
    spread = Counter(word for one in held for word in one)
    wanted = {
        word: math.log1p((len(lines) - spread[word] + 0.5) / (spread[word] + 0.5))
        for word in _roots(asked)
    }
    worth = [sum(wanted[word] for word in wanted.keys() & one) for one in held]
    # lines of the same worth stand together or not at all: four rows of a table's seven would hide
    # that the answer is in the others
    beyond = sorted(worth, reverse=True)[MOST : MOST + 1]
    best = max(worth, default=0.0)
    least = max([0.0, *beyond])
    if best < LEAST * sum(wanted.values()):
        return []
    return [
        line.told
        for line, one in zip(lines, worth, strict=True)
        if one >= SHARE * best and one > least
    ]


def _lines(text: str) -> Iterator[Line]:
    """Without titles. A title follows an empty line, or one that heads every page."""
    plain = [line.strip() for line in text.split("\n")]
    times = Counter(plain)
    section, before = "", ""
    if plain and _is_title(plain[0]):
        before = plain.pop(0)  # the document's own title tells no line from another
    for line in plain:
        if line and (not before or times[before] > 1) and _is_title(line):
            section = line.lstrip("# ")
        elif line and times[line] == 1:
            parts = _SENTENCE.split(line) if len(line) > LONG and line[0] not in "-|" else [line]
            yield from (Line(section, part) for part in parts)
        before = line


def _is_title(line: str) -> bool:
    return 0 < len(line) <= TITLE and line[0] not in "-|>`" and not _SAYS.search(line)


def _roots(text: str) -> set[str]:
    return {word if word[0].isdigit() else word[:_ROOT] for word in words(text)}
