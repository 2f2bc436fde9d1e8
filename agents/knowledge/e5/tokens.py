"""A text as the model's tokens: the unigram model of SentencePiece (Kudo 2018).

No piece goes on past a space, so that words are cut one by one, and those met lately are known.
The package `tokenizers` gives the same tokens and needs 250 MB for these 250,000 pieces.
"""

import re
from functools import lru_cache

from agents.knowledge.e5.packed import Pieces

_SPACES = re.compile("  +")
_MARK = "\u2581"  # stands for the space before a word
_REMEMBERED = 32_768
_WORD = 400  # characters: a longer one is cut, as no person writes it


class Tokens:
    """Thread-safe."""

    def __init__(self, pieces: Pieces) -> None:
        self.begin, self.end = pieces.begin, pieces.end
        self._unknown = pieces.unknown
        self._rewritten = pieces.rewritten
        self._scores = pieces.scores
        self._worst = min(self._scores) - 10
        self._longest = max(map(len, pieces.texts))
        self._known = {
            piece: number
            for number, piece in enumerate(pieces.texts)
            if piece and number != self._unknown
        }
        self._cut = lru_cache(_REMEMBERED)(self._best)

    def of(self, text: str) -> list[int]:
        """The numbers of the pieces, without the marks of begin and end."""
        plain = _SPACES.sub(" ", text.translate(self._rewritten)).removeprefix(" ")
        found: list[int] = []
        for word in plain.split(" "):
            for at in range(0, max(1, len(word)), _WORD):
                part = word[at : at + _WORD]
                found += self._cut(part if at else _MARK + part)
        return found

    def _best(self, word: str) -> tuple[int, ...]:
        """The likeliest cut of one word: for each place the best way to it."""
        known, scores, unknown = self._known, self._scores, self._unknown
        least = float("-inf")
        best: list[tuple[float, int, int]] = [(0.0, unknown, 0)]
        best += [(least, unknown, 0)] * len(word)
        for start in range(len(word)):
            reached = best[start][0]
            for end in range(start + 1, min(len(word), start + self._longest) + 1):
                number = known.get(word[start:end], -1)
                if number >= 0 and reached + scores[number] > best[end][0]:
                    best[end] = (reached + scores[number], number, start)
            if reached + self._worst > best[start + 1][0]:
                best[start + 1] = (reached + self._worst, unknown, start)
        cut, at = [], len(word)
        while at:
            _, number, start = best[at]
            cut.append(number)
            at = start
        return tuple(reversed(cut))
