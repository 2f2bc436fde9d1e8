"""Fit one small net on word vectors: Adam, dropout on the input, each example with its weight."""

import numpy as np

from guardrails.detect.injection_sense import Net, Vectors

HIDDEN, EPOCHS, BATCH = 32, 14, 256
RATE, DECAY, DROPPED = 2e-3, 1e-4, 0.1


def fit(x: Vectors, y: Vectors, weight: Vectors, seed: int) -> Net:
    """One row an example; `y` is 0 or 1. The rate falls linearly to nothing."""
    chance = np.random.default_rng(seed)
    count, size = x.shape
    # a few rows count many times as much as others: bounded, or single steps would jump
    counts = np.minimum(weight / weight.mean(), 20.0).astype(np.float32)
    parameters: list[Vectors] = [
        chance.normal(0, (2 / size) ** 0.5, (size, HIDDEN)).astype(np.float32),
        np.zeros(HIDDEN, np.float32),
        chance.normal(0, (1 / HIDDEN) ** 0.5, HIDDEN).astype(np.float32),
        np.zeros(1, np.float32),
    ]
    mean = [np.zeros_like(one) for one in parameters]
    square = [np.zeros_like(one) for one in parameters]
    steps, step = EPOCHS * (count // BATCH + 1), 0
    for _ in range(EPOCHS):
        order = chance.permutation(count)
        for at in range(0, count, BATCH):
            step += 1
            some = order[at : at + BATCH]
            slopes = _slopes(parameters, x[some], y[some], counts[some], chance)
            rate = RATE * (1 - step / (steps + 1))
            for n, slope in enumerate(slopes):
                mean[n] = 0.9 * mean[n] + 0.1 * slope
                square[n] = 0.999 * square[n] + 0.001 * slope**2
                ahead = mean[n] / (1 - 0.9**step)
                size_of = np.sqrt(square[n] / (1 - 0.999**step)) + 1e-8
                parameters[n] -= (rate * ahead / size_of).astype(np.float32)
    first, shift, second, bias = parameters
    return Net(first.astype(np.float16).astype(np.float32), shift, second, float(bias[0]))


def _slopes(
    parameters: list[Vectors], x: Vectors, y: Vectors, weight: Vectors,
    chance: np.random.Generator,
) -> list[Vectors]:  # fmt: skip
    first, shift, second, bias = parameters
    x = x * (chance.random(x.shape, dtype=np.float32) > DROPPED) / (1 - DROPPED)
    before = x @ first + shift
    hidden = np.maximum(before, 0)
    told = 1 / (1 + np.exp(-np.clip(hidden @ second + bias, -30, 30)))
    wrong = weight * (told - y) / len(y)
    back = np.outer(wrong, second) * (before > 0)
    total = np.array([wrong.sum()], np.float32)
    return [x.T @ back + DECAY * first, back.sum(axis=0), hidden.T @ wrong, total]
