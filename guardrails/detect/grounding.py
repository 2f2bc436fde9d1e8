"""Which sentences of a reply the retrieved passages support. Knows nothing of how they were found.

Three signs per sentence: the share of its telling words that stand in the passages, whether its
numbers stand there, and, only where these two do not decide, the nearest sentence of the passages
by embedding (multilingual, so a French answer may rest on an English document). An embedded
sentence costs some 25 ms of CPU, its words cost nothing. Shown as "not found in your documents";
never a reason to drop a reply.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

import numpy as np
import numpy.typing as npt

from guardrails.detect import language
from guardrails.detect.injection_features import fold

Vectors = npt.NDArray[np.float32]

_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?!\s|$)[^.!?\n]+)*[.!?]?")
_WORD = re.compile(r"[^\W\d_]{4,}")
_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f ]\d+)*")
_CITATION = re.compile(r"\[\d{1,3}\]|<[A-Z_]+_\d+[A-Z]{0,2}>")
_LEAD_IN = re.compile(r":\s*$|^\W*(?:here (?:is|are)|voici|based on|according to your|selon vos)\b")
# multilingual-e5-small puts unrelated sentences near .78 and paraphrases above .86
NEAR, FAR = 0.88, 0.80
CANDIDATES = 2  # sentences of the passages that are embedded for one sentence of the reply
MOST = 64  # of them when the languages differ
# from here words alone support a sentence; below it the meaning is asked
ENOUGH = 0.65
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


class Remembering:
    """An `Embed` that keeps what it embedded last: passages come back in the next turns.

    Keeps hashes and vectors, no text; 4,096 vectors are 6 MB. Thread-safe.
    """

    def __init__(self, embed: Embed, most: int = 4096) -> None:
        self._embed = embed
        self._most = most
        self._kept: OrderedDict[bytes, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def passages(self, texts: Sequence[str]) -> Vectors:
        keys = [blake2b(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        with self._lock:
            known = {key: self._kept[key] for key in keys if key in self._kept}
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if fresh:
            known.update(zip(fresh, self._embed.passages(list(fresh.values())), strict=True))
        with self._lock:
            for key in keys:
                self._kept[key] = known[key]
                self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return np.stack([known[key] for key in keys])


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence `[start, end)` of the reply. `score` is in 0..1; `supported` from 0.5 on.

    Where words or numbers decide alone, `score` is what they say.
    """

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
    clean = [_CITATION.sub("", reply[start:end]).strip() for start, end in spans]
    stems = {stem for passage in passages for stem in _stems(passage)}
    numbers = {_digits(number) for passage in passages for number in _NUMBER.findall(passage)}
    scores = [_by_words(text, stems, numbers) for text in clean]
    undecided = [at for at, score in enumerate(scores) if score is None]
    if undecided:
        asked = [clean[at] for at in undecided]
        for at, near in zip(undecided, _nearest(asked, passages, embed), strict=True):
            scores[at] = _by_meaning(clean[at], near, stems)
    return [
        Statement(start, end, round(score or 0.0, 3))
        for (start, end), score in zip(spans, scores, strict=True)
    ]


def _shared(text: str, stems: set[str]) -> float:
    own = _stems(text)
    return len(own & stems) / len(own) if own else 1.0


def _by_words(text: str, stems: set[str], numbers: set[str]) -> float | None:
    """The score where the words are enough; None where the meaning has to be asked."""
    shared = _shared(text, stems)
    told = {_digits(number) for number in _NUMBER.findall(text)}
    if told - numbers:
        # a figure that stands nowhere is the mistake that costs people most
        return min(shared, 0.4)
    return shared - 0.15 if shared >= ENOUGH else None


def _by_meaning(text: str, near: float, stems: set[str]) -> float:
    close = min(max((near - FAR) / (NEAR - FAR), 0.0), 1.0)
    return 0.6 * close + 0.4 * _shared(text, stems)


def _nearest(texts: Sequence[str], passages: Sequence[str], embed: Embed) -> Sequence[float]:
    """How near the nearest of its candidates comes to each text, -1..1.

    Candidates are the sentences that share most beginnings of words with it, and at least one; all
    of them where reply and passages are in different languages, so that words say little.
    """
    chosen: list[list[int]] = []
    if language.of(" ".join(texts)) != language.of(" ".join(passages)):
        units = [unit for one in passages for unit in _sentences(one) if len(_stems(unit)) > 1]
        units = units[:MOST] or list(passages)
        chosen = [list(range(len(units)))] * len(texts)
    else:
        units = list(dict.fromkeys(unit for one in passages for unit in _sentences(one)))
        units = units or list(passages)
        begun = [_beginnings(unit) for unit in units]
        for text in texts:
            own = _beginnings(text)
            fit = [len(own & one) / (2 + len(one)) ** 0.5 for one in begun]
            best = sorted(range(len(units)), key=fit.__getitem__, reverse=True)
            chosen.append([row for row in best[:CANDIDATES] if fit[row]])
    asked = [at for at, some in enumerate(chosen) if some]
    rows = sorted({row for some in chosen for row in some})
    nearest = [-1.0] * len(texts)
    if asked:
        place = {row: at for at, row in enumerate(rows)}
        wanted = [*(texts[at] for at in asked), *(units[row] for row in rows)]
        vectors = embed.passages(wanted)
        near = vectors[: len(asked)] @ vectors[len(asked) :].T
        for one, at in enumerate(asked):
            nearest[at] = float(max(near[one, place[row]] for row in chosen[at]))
    return nearest


def _states(sentence: str) -> bool:
    flat = fold(sentence).strip()
    if flat.endswith("?") or _LEAD_IN.search(flat):
        return False
    return len(_stems(sentence)) >= 3 or bool(_NUMBER.search(_CITATION.sub("", sentence)[3:]))


def _sentences(passage: str) -> list[str]:
    return [match[0].strip() for match in _SENTENCE.finditer(passage) if match[0].strip()]


def _stems(text: str) -> set[str]:
    return {word[:6] for word in _WORD.findall(fold(text)) if word not in _STOP}


def _beginnings(text: str) -> set[str]:
    folded = fold(text)
    words = {word[:4] for word in _WORD.findall(folded) if word not in _STOP}
    return words | {_digits(number) for number in _NUMBER.findall(folded)}


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number).lstrip("0") or "0"
