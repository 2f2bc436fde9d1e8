"""Fit the models, and judge every example by models that never saw its fold."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier

from bench.training_injection import net
from bench.training_injection.rows import FOLDS, Example
from guardrails.detect import injection_model as im
from guardrails.detect.injection_features import CHAR_BITS, WORD_BITS, Grams, grams, windows
from guardrails.detect.injection_sense import Sense, Table, Vectors

Floats = npt.NDArray[np.float64]
LOOKALIKE = re.compile(r"notinject|wildguard|injecguard|bastion|deepset|user_task", re.IGNORECASE)


@dataclass(frozen=True)
class Weights:
    """How much given rows count. In the linear models `linear` multiplies each row's own weight;
    in the stack a given row counts `stack`, a made one 0.7 and a clean document 1.4."""

    linear: float = 1.0
    stack: float = 12.0


def counted(texts: Sequence[Sequence[str]], table: Table) -> tuple[sparse.csr_matrix, Vectors]:
    """N-grams and summed word vectors: one row per list of folded segments, as at inference."""
    data, columns, starts, senses = [], [], [0], []
    for segments in texts:
        seen = grams(tuple(segments))
        for buckets, shift in ((seen.chars, 0), (seen.words, 1 << CHAR_BITS)):
            columns.append((buckets + shift).astype(np.int32))
            data.append(np.full(len(buckets), im.scale(len(buckets)), dtype=np.float32))
        starts.append(starts[-1] + len(seen.chars) + len(seen.words))
        senses.append(table.sums(seen.tokens, seen.token_segment, seen.count)[0])
    shape = (len(texts), (1 << CHAR_BITS) + (1 << WORD_BITS))
    result = sparse.csr_matrix((np.concatenate(data), np.concatenate(columns), starts), shape)
    result.sum_duplicates()
    return result, np.stack(senses)


def linear(
    x: sparse.csr_matrix, y: npt.ArrayLike, weight: npt.ArrayLike, alpha: float, seed: int = 1
) -> Floats:
    """Weights with the bias last."""
    model = SGDClassifier(
        loss="log_loss", alpha=alpha, max_iter=12, tol=None, average=True, random_state=seed
    )
    model.fit(x, y, sample_weight=np.array(weight))
    return np.append(model.coef_[0], model.intercept_[0])


@dataclass(frozen=True)
class Seen:
    """All n-grams that are learned from, counted once for every fold."""

    whole: sparse.csr_matrix  # one row an example
    pieces: sparse.csr_matrix  # one row a part of an example
    table: Table
    whole_sense: Vectors  # word vectors of the same rows
    pieces_sense: Vectors
    owner: npt.NDArray[np.int64]  # whose part
    attack: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64]
    share: Floats  # of its example's weight
    windows: list[list[Grams]]  # of each example; filled when features are first computed


@dataclass(frozen=True)
class Base:
    """What is fitted on the texts themselves: three linear models (one a row), three nets."""

    linear: Floats
    sense: Sense


def see(examples: Sequence[Example], table: Table) -> Seen:
    """Whole texts and their parts: for documents each of the first sentences is one."""
    segments: list[list[str]] = []
    owner, attack, order, share = [], [], [], []
    for number, example in enumerate(examples):
        for text, what in example.row.parts:
            for window in windows(text):
                piece = list(window.segments)
                units = [[one] for one in piece[:5]] if what == "document" else [piece]
                segments += units
                owner += [number] * len(units)
                attack += [int(what == "attack")] * len(units)
                order += [int(what != "document")] * len(units)
                share += [1 / len(units) ** 0.5] * len(units)
    texts = [[one for w in e.windows for one in w.segments] for e in examples]
    whole, whole_sense = counted(texts, table)
    pieces, pieces_sense = counted(segments, table)
    return Seen(
        whole, pieces, table, whole_sense, pieces_sense,
        np.array(owner), np.array(attack), np.array(order), np.array(share),
        [],
    )  # fmt: skip


def base(
    examples: Sequence[Example], seen: Seen, index: npt.NDArray[np.int64], weights: Weights,
    seed: int = 1,
) -> Base:  # fmt: skip
    """Whole text is an attack, a segment is one, a segment is an order: linear and on senses.

    `index` says which of `examples` are learned from.
    """
    labels = np.array([examples[i].row.label for i in index.tolist()])
    counts = np.array([_importance(example, weights) for example in examples])
    parts = np.flatnonzero(np.isin(seen.owner, index))
    share = seen.share[parts] * counts[seen.owner[parts]]
    x, vectors = seen.pieces[parts], seen.pieces_sense[parts]
    lines = [
        linear(seen.whole[index], labels, counts[index], 2e-5, seed),
        linear(x, seen.attack[parts], share, 1e-5, seed),
        linear(x, seen.order[parts], share, 1e-5, seed),
    ]
    nets = (
        net.fit(seen.whole_sense[index], _single(labels), _single(counts[index]), seed),
        net.fit(vectors, _single(seen.attack[parts]), _single(share), seed),
        net.fit(vectors, _single(seen.order[parts]), _single(share), seed),
    )
    return Base(np.stack(lines), Sense(seen.table, nets))


def _single(values: npt.NDArray[Any]) -> Vectors:
    return values.astype(np.float32)


def _importance(example: Example, weights: Weights) -> float:
    return example.weight * (weights.linear if example.given else 1.0)


def dense(
    examples: Sequence[Example], seen: Seen, index: npt.NDArray[np.int64], fitted: Base
) -> Floats:
    """Features of the examples `index`; a long text is described by its worst window."""
    rows = []
    for number in index.tolist():
        pairs = zip(examples[number].windows, seen.windows[number], strict=True)
        features = [im.features(one, fitted.linear, fitted.sense, told) for one, told in pairs]
        rows.append(max(features, key=lambda row: row[0] + row[1]))
    return np.array(rows)


def stack(
    x: Floats, y: Floats, weight: Floats, seed: int = 3
) -> tuple[HistGradientBoostingClassifier, LogisticRegression]:
    trees = HistGradientBoostingClassifier(
        max_iter=120, max_depth=3, learning_rate=0.07, min_samples_leaf=40, max_features=0.4,
        l2_regularization=5.0, early_stopping=False, random_state=seed,
    ).fit(x, y, sample_weight=weight)  # fmt: skip
    logistic = LogisticRegression(C=0.3, max_iter=3000)
    logistic.fit(im.squash(x), y, sample_weight=weight)
    return trees, logistic


def combined(
    models: tuple[HistGradientBoostingClassifier, LogisticRegression], x: Floats
) -> Floats:
    trees, logistic = models
    result: Floats = (trees.decision_function(x) + logistic.decision_function(im.squash(x))) / 2
    return result


def emphasis(examples: Sequence[Example], folds: Sequence[int], weights: Weights) -> Floats:
    """What each example counts in the stack."""
    # what people and attackers really write decides; made rows steady it
    found = np.array([weights.stack if one.given else 0.7 for one in examples])
    # clean documents are what a wrong alarm costs most
    clean = [one.row.group.startswith(("document/", "starter", "asked")) for one in examples]
    found[np.array(clean)] = 1.4
    found[np.array(folds) < 0] = 0.0
    return found


def out_of_fold(
    examples: Sequence[Example],
    seen: Seen,
    folds: Sequence[int],
    weights: Weights,
    seed: int = 0,
) -> Floats:
    """Features of every example, by models that were fitted without its fold."""
    place = np.array(folds)
    features = np.zeros((len(examples), im.FEATURES))
    if not seen.windows:
        seen.windows.extend(
            [grams(one.segments) for one in example.windows] for example in examples
        )
    for number in sorted(set(folds) - {-1}):  # what is always learned counts nothing in the stack
        rest, here = np.flatnonzero(place != number), np.flatnonzero(place == number)
        fitted = base(examples, seen, rest, weights, 1 + seed)
        features[here] = dense(examples, seen, here, fitted)
        print("fold", number, "of", FOLDS, flush=True)
    return features


def judged(
    features: Floats, examples: Sequence[Example], folds: Sequence[int], weights: Weights,
    seed: int = 0,
) -> Floats:  # fmt: skip
    """The stack's score of every example, fitted without its fold."""
    place = np.array(folds)
    labels = np.array([float(one.row.label) for one in examples])
    counts = emphasis(examples, folds, weights)
    scores = np.zeros(len(examples))
    for number in sorted(set(folds) - {-1}):
        rest, here = place != number, place == number
        models = stack(features[rest], labels[rest], counts[rest], 3 + seed)
        scores[here] = combined(models, features[here])
    return scores


def rates(scores: Floats, labels: Floats, at: tuple[float, ...] = (0.01, 0.05)) -> list[float]:
    """True-positive rate at each false-positive rate."""
    clean = np.sort(scores[labels == 0])[::-1]
    return [float((scores[labels == 1] > clean[int(rate * len(clean))]).mean()) for rate in at]


@dataclass(frozen=True)
class Figure:
    """True positives at 1 % and 5 % false positives: over several fits, and how sure they are.

    `mean` is over the fits given, `spread` the standard deviation over those fits and over draws of
    the rows (bootstrap): with 560 benign rows, six of them decide the figure at 1 %.
    """

    mean: list[float]
    spread: list[float]


def figure(fits: Sequence[Floats], labels: Floats, draws: int = 200) -> Figure:
    """Of the scores of several fits on the same rows."""
    chance = np.random.default_rng(5)
    found = []
    for _ in range(draws):
        some = chance.integers(0, len(labels), len(labels))
        found += [rates(scores[some], labels[some]) for scores in fits]
    mean = np.mean([rates(scores, labels) for scores in fits], axis=0)
    return Figure(mean.round(3).tolist(), np.std(found, axis=0).round(3).tolist())


def figures(fits: Sequence[Floats], examples: Sequence[Example]) -> dict[str, Figure]:
    """With the look-alikes among the benign rows, and with clean documents and tool results too."""
    labels = np.array([float(one.row.label) for one in examples])
    alike = np.array(
        [
            bool(one.row.label)
            or (
                bool(LOOKALIKE.search(one.row.group + one.source))
                and "tool_output_clean" not in one.row.group
            )
            for one in examples
        ]
    )
    alike |= not (alike & (labels == 0)).any()
    return {
        "look-alikes": figure([scores[alike] for scores in fits], labels[alike]),
        "with clean documents": figure(fits, labels),
    }


def by_source(scores: Floats, examples: Sequence[Example]) -> dict[str, list[float | None]]:
    """Per source: the share of its attacks and of its benign rows above the common 5 % mark."""
    labels = np.array([one.row.label for one in examples])
    limit = np.sort(scores[labels == 0])[::-1][int(0.05 * (labels == 0).sum())]
    found: dict[str, list[float | None]] = {}
    for source in sorted({one.source for one in examples}):
        mine = np.array([one.source == source for one in examples])
        parts = (scores[mine & (labels == label)] > limit for label in (1, 0))
        found[source] = [round(float(part.mean()), 3) if len(part) else None for part in parts]
    return found
