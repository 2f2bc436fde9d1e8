"""Which sentences of a reply the retrieved passages support. Knows nothing of how they were found.

Three signs per sentence: the nearest passage by embedding (multilingual, so a French answer may
rest on an English document), the share of its telling words that stand in the passages, and whether
its numbers stand there. Shown as "not found in your documents"; never a reason to drop a reply.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from guardrails.detect.injection_features import fold

Vectors = npt.NDArray[np.float32]

_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?!\s|$)[^.!?\n]+)*[.!?]?")
_WORD = re.compile(r"[^\W\d_]{4,}")
_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f ]\d+)*")
_CITATION = re.compile(r"\[\d{1,3}\]|<[A-Z_]+_\d+[A-Z]{0,2}>")
_LEAD_IN = re.compile(r":\s*$|^\W*(?:here (?:is|are)|voici|based on|according to your|selon vos)\b")
# multilingual-e5-small puts unrelated sentences near .78 and paraphrases above .86
NEAR, FAR = 0.88, 0.80
_COMMON = (
    "that this with from have will your their they them which when where what about also been were"
    " into more than must should could would there these those only over such very each other"
    " dans pour avec vous nous elle elles leur leurs cette cela sont etre avoir fait plus moins"
    " tout tous toute toutes mais donc ainsi comme selon votre notre document documents"
)
_STOP = frozenset(_COMMON.split())


class Embed(Protocol):
    """Rows of unit vectors, one per text."""

    def passages(self, texts: Sequence[str]) -> Vectors: ...


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence `[start, end)` of the reply. `score` is in 0..1; `supported` from 0.5 on."""

    start: int
    end: int
    score: float

    @property
    def supported(self) -> bool:
        return self.score >= 0.5


def check(reply: str, passages: Sequence[str], embed: Embed) -> list[Statement]:
    """Every sentence of `reply` that states something, with how far `passages` support it.

    Questions, greetings, headings and sentences of fewer than three telling words are left out.
    Without passages the list is empty: there is nothing to compare with.
    """
    if not passages:
        return []
    spans = [match.span() for match in _SENTENCE.finditer(reply) if _states(match[0])]
    if not spans:
        return []
    units = [unit for passage in passages for unit in _units(passage)] or list(passages)
    clean = [_CITATION.sub("", reply[start:end]).strip() for start, end in spans]
    nearest = (embed.passages(clean) @ embed.passages(units).T).max(axis=1)
    stems = {stem for passage in passages for stem in _stems(passage)}
    numbers = {_digits(number) for passage in passages for number in _NUMBER.findall(passage)}
    return [
        Statement(start, end, _score(text, float(near), stems, numbers))
        for (start, end), text, near in zip(spans, clean, nearest, strict=True)
    ]


def _score(text: str, near: float, stems: set[str], numbers: set[str]) -> float:
    own = _stems(text)
    shared = len(own & stems) / len(own) if own else 1.0
    close = min(max((near - FAR) / (NEAR - FAR), 0.0), 1.0)
    score = max(0.6 * close + 0.4 * shared, shared - 0.15)
    told = {_digits(number) for number in _NUMBER.findall(text)}
    if told - numbers:
        # a figure that stands nowhere is the mistake that costs people most
        score = min(score, 0.4)
    return round(score, 3)


def _states(sentence: str) -> bool:
    flat = fold(sentence).strip()
    if flat.endswith("?") or _LEAD_IN.search(flat):
        return False
    return len(_stems(sentence)) >= 3 or bool(_NUMBER.search(_CITATION.sub("", sentence)[3:]))


def _units(passage: str) -> list[str]:
    """Pairs of neighbouring sentences: a statement often rests on two."""
    sentences = [match[0].strip() for match in _SENTENCE.finditer(passage) if match[0].strip()]
    pairs = [f"{one} {two}" for one, two in pairwise(sentences)]
    return (sentences + pairs)[:200]


def _stems(text: str) -> set[str]:
    return {word[:6] for word in _WORD.findall(fold(text)) if word not in _STOP}


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number).lstrip("0") or "0"
