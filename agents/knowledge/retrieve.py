"""Find the passages that answer a question: words (BM25) and meaning (vectors) together.

BM25 as in Robertson & Zaragoza 2009 with k1 = 1.2, b = 0.75. Knows nothing of storage.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.knowledge.embed import Embedder, Vectors
from agents.tools.base import Passage

K1, B = 1.2, 0.75
# Reciprocal ranks (Cormack et al. 2009) with a small constant: the first few places count.
# Words weigh little for a question in other words, and much when they cover all of the query, as a
# number or a name does. Constants from the 100 questions of bench/retrieval.yaml.
NEAR, WORDS, COVERED = 5.0, 0.2, 1.0
# e5's cosines crowd between 0.7 and 0.9: below this floor two texts have nothing in common
FLOOR, CEILING = 0.72, 0.92
WORDS_ALONE = 0.8  # of a fit by words, as long as a passage has no vector
LEAST = 0.33  # when even the best passage stays below this, the documents do not answer

_WORD = re.compile(r"[a-z0-9]+(?:[.,][0-9]+)*")
_STOP_WORDS = """
a an and are as at be by can do does for from has have how i if in is it its may me my not of on or
our that the their there this to was what when where which who will with you your much many
au aux avec ce ces cette combien comment dans de des du elle en est et faut il ils je l la le les
leur leurs ma mes mon ne nos notre nous on ou par pas peut peux plus pour puis qu que quel quelle
quelles quels qui sa se ses si son sont sur ta tes ton tu un une vos votre vous d c s n j m t y
"""
_STOP = frozenset(_STOP_WORDS.split())
_ENDINGS = ("ement", "ation", "ing", "ed", "ee", "er", "ez", "e")


def words(text: str) -> list[str]:
    """Words without accents, case, stop words and common endings (English and French)."""
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return [_stem(word) for word in _WORD.findall(plain) if word not in _STOP]


def _stem(word: str) -> str:
    if len(word) < 4 or word[0].isdigit():
        return word
    word = word.removesuffix("s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word[: -len(ending)]
            break
    return word[:-1] + "i" if word.endswith("y") else word


@dataclass(frozen=True, slots=True)
class Stored:
    """A passage with what the search needs to know of it."""

    document: str
    page: int | None
    heading: str
    before: str
    text: str

    @property
    def indexed(self) -> str:
        """The text that is searched: with its headings and the words before it."""
        return "\n".join(one for one in (self.heading, self.before, self.text) if one)

    @property
    def shown(self) -> str:
        """The text that is cited."""
        head = f"{self.heading}\n" if self.heading else ""
        lead = f"… {self.before}\n" if self.before else ""
        return f"{head}{lead}{self.text}"


class Index:
    """An immutable index over passages; about 3 KB a passage."""

    def __init__(self, passages: Sequence[Stored], vectors: Vectors, embedder: Embedder) -> None:
        self._passages = passages
        self._vectors = vectors
        self._waiting = bool(len(vectors)) and not vectors.any(axis=1).all()
        self._embedder = embedder
        counts = [Counter(words(one.indexed)) for one in passages]
        lengths = np.array([sum(count.values()) for count in counts], dtype=np.float32)
        self._norm = K1 * (1 - B + B * lengths / max(1.0, float(lengths.mean()) if counts else 1.0))
        postings: dict[str, list[tuple[int, int]]] = {}
        for row, count in enumerate(counts):
            for word, times in count.items():
                postings.setdefault(word, []).append((row, times))
        self._postings: dict[str, npt.NDArray[np.int32]] = {
            word: np.array(rows, dtype=np.int32) for word, rows in postings.items()
        }

    def __len__(self) -> int:
        return len(self._passages)

    def search(self, query: str, k: int = 5) -> list[Passage]:
        """The best `k`, best first; none when neither the words nor the meaning fit."""
        if not self._passages or not query.strip():
            return []
        meaning = self._vectors @ self._embedder.queries([query[:1000]])[0]
        by_words = ~self._vectors.any(axis=1) if self._waiting else None
        said = self._bm25(query)
        close = np.clip((meaning - FLOOR) / (CEILING - FLOOR), 0, 1)
        fit = 0.6 * close + 0.4 * said
        if by_words is not None:  # its vector is still to come: the words alone decide
            fit = np.where(by_words, WORDS_ALONE * said, fit)
        if float(fit.max()) < LEAST:
            return []
        order = _places(meaning, meaning > 0) + (WORDS + COVERED * said**2) * _places(
            said, said > 0
        )
        order *= NEAR / (1 + WORDS + COVERED)  # 1 when both ways put it first
        best = np.argsort(-order, kind="stable")[:k]
        return [
            Passage(one.document, one.page, one.shown, round(float(order[row]), 4), one.heading)
            for row in best
            if fit[row] > 0 and (one := self._passages[row])
        ]

    def _bm25(self, query: str) -> npt.NDArray[np.float32]:
        """BM25 as a share of a passage that mentions every word of the query once, 0..1."""
        score = np.zeros(len(self._passages), dtype=np.float32)
        most = 0.0
        for word in set(words(query)):
            rows = self._postings.get(word)
            found = 0 if rows is None else len(rows)
            rarity = float(np.log1p((len(self._passages) - found + 0.5) / (found + 0.5)))
            most += rarity  # what one mention in a passage of usual length gives
            if rows is not None:
                at, times = rows[:, 0], rows[:, 1].astype(np.float32)
                score[at] += rarity * times * (K1 + 1) / (times + self._norm[at])
        return np.minimum(score / most, 1.0) if most else score


def _places(score: npt.NDArray[np.float32], counts: npt.NDArray[np.bool_]) -> Vectors:
    """1 / (NEAR + place) by falling score; 0 where it does not count."""
    places = np.empty(len(score), dtype=np.float32)
    places[np.argsort(-score, kind="stable")] = np.arange(len(score), dtype=np.float32)
    return np.where(counts, 1 / (NEAR + places), 0).astype(np.float32)
