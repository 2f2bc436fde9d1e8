"""A second reading of a text, with a map back to the text it was made from. Knows no disguise."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

# a pattern, and what stands there really: None where it is no disguise after all
Change = tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]]


@dataclass(frozen=True)
class Reading:
    """`text` and, for each of its characters, its span in the text it was made from."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    sure: float = 0.0  # the score below which what is found in this reading is a guess

    def span(self, start: int, end: int) -> tuple[int, int]:
        return min(self.starts[start:end]), max(self.ends[start:end])


def changed(text: str, changes: Sequence[Change], sure: float = 0.0) -> Iterator[Reading]:
    """The text with all changes made, one after the other; nothing when there are none.

    Offset maps are built at the first change only: most texts have none.
    """
    current = text
    starts: Sequence[int] = range(len(text))
    ends: Sequence[int] = range(1, len(text) + 1)
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
        if pieces:
            pieces.append(current[at:])
            current = "".join(pieces)
            starts = (*new_starts, *starts[at:])
            ends = (*new_ends, *ends[at:])
    if current != text:
        yield Reading(current, tuple(starts), tuple(ends), sure)
