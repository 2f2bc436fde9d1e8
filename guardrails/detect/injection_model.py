"""The trained part of the injection detector: three hashed linear models, three small nets on word
vectors, and a stack on both.

Plain arrays in one npz file, read without pickle. Trained by `bench/training_injection`; its
MODEL_CARD.md says on what and how well. Knows nothing of provenance.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guardrails.detect.injection_features import CHAR_BITS, PATTERNS, Grams, Window, grams
from guardrails.detect.injection_sense import Sense, pack, unpack

Floats = npt.NDArray[np.float64]
FILE = Path(__file__).parent / "models" / "injection" / "model.npz"
_NOTHING = -6.0  # the score of what is not there
FEATURES = 15 + 7 + len(PATTERNS) + 8 + 13


def scale(count: int) -> float:
    """The value of each of `count` n-grams of a text, so that length does not decide."""
    return 1.0 / float(np.sqrt(max(count, 8)))


def _sums(seen: Grams, weights: Floats, bias: float) -> Floats:
    """The score of each segment under one linear model."""
    total = np.full(seen.count, bias)
    shift = 1 << CHAR_BITS
    for buckets, owner, part in (
        (seen.chars, seen.char_segment, weights[:shift]),
        (seen.words, seen.word_segment, weights[shift:-1]),
    ):
        if not len(buckets):
            continue
        counts = np.bincount(owner, minlength=seen.count)
        sums = np.bincount(owner, weights=part[buckets], minlength=seen.count)
        total += sums / np.sqrt(np.maximum(counts, 8))
    return total


def _whole(seen: Grams, weights: Floats, bias: float) -> float:
    shift = 1 << CHAR_BITS
    chars = float(weights[:shift][seen.chars].sum()) * scale(len(seen.chars))
    words = float(weights[shift:-1][seen.words].sum()) * scale(len(seen.words))
    return bias + chars + words


def features(window: Window, weights: Floats, sense: Sense, seen: Grams | None = None) -> Floats:
    """`FEATURES` numbers of one window: what both kinds of model say, whole and by segment.

    `seen` spares counting the n-grams of its segments where they are known.
    """
    seen = seen or grams(window.segments)
    whole = _whole(seen, weights[0], float(weights[0][-1]))
    attack = _sums(seen, weights[1], float(weights[1][-1]))
    order = _sums(seen, weights[2], float(weights[2][-1]))
    decoded = _NOTHING
    for view in window.views:
        one = grams((view,))
        decoded = max(decoded, float(_sums(one, weights[1], float(weights[1][-1]))[0]))
    text, segments = sense.table.sums(seen.tokens, seen.token_segment, seen.count)
    by_sense = sense.nets[1](segments), sense.nets[2](segments)
    worst, context = _worst(attack, order), _context(attack, order)
    again, around = _worst(*by_sense), _context(*by_sense)
    values = (
        whole,
        *worst,
        decoded,
        float(bool(window.views)),
        *window.shape,
        *context,
        float(sense.nets[0](text[None])[0]),
        *(again[at] for at in (0, 1, 2, 5, 7, 9, 10, 11)),
        *(around[at] for at in (0, 2, 4, 5)),
    )
    return np.array(values)


def _worst(attack: Floats, order: Floats) -> tuple[float, ...]:
    """Twelve numbers of all segments, and of the one that reads most like an attack."""
    ranked = np.sort(attack)[::-1]
    worst = int(attack.argmax())
    others = np.delete(order, worst)
    rest = float(others.mean()) if len(others) else _NOTHING
    return (
        float(ranked[0]),
        float(ranked[1]) if len(ranked) > 1 else _NOTHING,
        float(attack.mean()),
        float(attack[0]),
        float(attack[-1]),
        float(order.max()),
        float(order.min()),
        float(order.mean()),
        float(order.std()),
        float(order[worst]),
        # an order inside what is no order: the mark of a text that was tampered with
        float(order[worst]) - rest if len(others) else 0.0,
        rest,
    )


def _context(attack: Floats, order: Floats) -> tuple[float, ...]:
    """Eight numbers on the segment that reads most like an order, which need not be the worst."""
    ranked = np.sort(order)[::-1]
    most = int(order.argmax())
    both = attack + order / 2
    joint = np.sort(both)[::-1]
    return (
        float(attack[most]),
        float(ranked[1]) if len(ranked) > 1 else _NOTHING,
        float(joint[0]),
        float(joint[1]) if len(joint) > 1 else _NOTHING,
        float(order[most] - np.median(order)),
        # an attack is seldom one sentence alone
        float((attack[1:] + attack[:-1]).max()) / 2 if len(attack) > 1 else float(attack[0]),
        float((order > 1).mean()),
        int(both.argmax()) / max(len(both) - 1, 1),
    )


def squash(x: Floats) -> Floats:
    """Features with long tails brought to comparable sizes, for the logistic half."""
    result: Floats = np.clip(x, -8.0, 8.0) / 3.0
    return result


@dataclass(frozen=True)
class Model:
    """Loaded arrays. A `score` of 0.5 is 5 %, of 0.8 is 1 % false positives in validation."""

    weights: Floats
    sense: Sense
    coefficients: Floats
    intercept: float
    tree_feature: npt.NDArray[np.int64]
    tree_threshold: Floats
    tree_left: npt.NDArray[np.int64]
    tree_right: npt.NDArray[np.int64]
    tree_value: Floats
    roots: npt.NDArray[np.int64]
    depth: int
    prior: float
    rate: float
    points: tuple[float, float]

    def margin(self, window: Window) -> float:
        """The averaged decision value of both halves."""
        x = features(window, self.weights, self.sense)
        node = self.roots
        for _ in range(self.depth):
            feature = self.tree_feature[node]
            left = x[np.maximum(feature, 0)] <= self.tree_threshold[node]
            step = np.where(left, self.tree_left[node], self.tree_right[node])
            node = np.where(feature < 0, node, step)
        trees = self.prior + self.rate * float(self.tree_value[node].sum())
        logistic = self.intercept + float(squash(x) @ self.coefficients)
        return (trees + logistic) / 2

    def score(self, window: Window) -> float:
        """0..1, calibrated at two points."""
        five, one = self.points
        slope = np.log(4.0) / max(one - five, 1e-6)  # logit(.8) - logit(.5)
        return float(1.0 / (1.0 + np.exp(-np.clip((self.margin(window) - five) * slope, -30, 30))))


def save(
    file: Path, weights: Floats, sense: Sense, trees: Any, logistic: Any, points: list[float]
) -> None:
    """Write what `load` reads: plain arrays. Called by training only."""
    feature, threshold, left, right, value, roots = [], [], [], [], [], []
    depth, offset = 0, 0
    for (predictor,) in trees._predictors:  # the nodes stand nowhere else
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        roots.append(offset)
        feature.append(np.where(leaf, -1, nodes["feature_idx"]))
        threshold.append(nodes["num_threshold"])
        left.append(np.where(leaf, 0, nodes["left"] + offset))
        right.append(np.where(leaf, 0, nodes["right"] + offset))
        value.append(nodes["value"])  # the rate of learning is in it
        depth = max(depth, int(nodes["depth"].max()))
        offset += len(nodes)
    prior = float(trees._baseline_prediction[0, 0])
    file.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = pack(sense) | {
        "weights": weights.astype(np.float16),
        "bias": weights[:, -1],
        "coefficients": logistic.coef_[0],
        "feature": np.concatenate(feature).astype(np.int16),
        "threshold": np.concatenate(threshold),
        "left": np.concatenate(left).astype(np.int32),
        "right": np.concatenate(right).astype(np.int32),
        "value": np.concatenate(value),
        "roots": np.array(roots, dtype=np.int32),
        "scalars": np.array([logistic.intercept_[0], depth, prior, 1.0, *points]),
    }
    np.savez_compressed(file, **arrays)


@cache
def load(file: Path = FILE) -> Model:
    """Read the model. Raises OSError or ValueError when it is missing or is not ours."""
    with np.load(file, allow_pickle=False) as data:
        weights = data["weights"].astype(np.float64)
        weights[:, -1] = data["bias"]
        intercept, depth, prior, rate, five, one = data["scalars"].tolist()
        if len(data["coefficients"]) != FEATURES:
            raise ValueError("injection model and features do not belong together")
        return Model(
            weights=weights,
            sense=unpack(data),
            coefficients=data["coefficients"],
            intercept=intercept,
            tree_feature=data["feature"].astype(np.int64),
            tree_threshold=data["threshold"],
            tree_left=data["left"].astype(np.int64),
            tree_right=data["right"].astype(np.int64),
            tree_value=data["value"],
            roots=data["roots"].astype(np.int64),
            depth=int(depth),
            prior=prior,
            rate=rate,
            points=(five, one),
        )
