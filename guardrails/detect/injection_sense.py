"""What the words of a text are about, in any language: a table of word vectors, three nets.

The vectors are those of the embedded multilingual model, taken once per word in training
(`bench/training_injection/sense.py`), so that at run time a text costs a look-up and a sum. Words
that are not in the table count for nothing. Knows nothing of scores and thresholds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
NETS = 3  # whole text is an attack; a segment is an attack; a segment is an order


@dataclass(frozen=True)
class Table:
    """Word vectors by hash of the folded word. `keys` is sorted; `steps` scales each row."""

    keys: npt.NDArray[np.uint32]
    rows: npt.NDArray[np.int8]
    steps: npt.NDArray[np.float16]

    @property
    def size(self) -> int:
        """Numbers per vector."""
        return int(self.rows.shape[1])

    def sums(
        self, tokens: npt.NDArray[np.uint64], owner: npt.NDArray[np.int64], count: int
    ) -> tuple[Vectors, Vectors]:
        """(whole text, one row per segment): sums of the vectors of known words.

        Divided by the root of the number of tokens, so that length does not decide. `owner` names
        the segment, below `count`, of each token.
        """
        segments = np.zeros((count, self.size), dtype=np.float32)
        total = np.bincount(owner, minlength=count).astype(np.float32)
        at = np.searchsorted(self.keys, tokens)
        at[at == len(self.keys)] = 0
        known = self.keys[at] == tokens
        found = at[known]
        vectors = (
            self.rows[found].astype(np.float32) * self.steps[found].astype(np.float32)[:, None]
        )
        np.add.at(segments, owner[known], vectors)
        whole = segments.sum(axis=0) / np.float32(np.sqrt(max(float(total.sum()), 4.0)))
        segments /= np.sqrt(np.maximum(total, np.float32(4.0)))[:, None]
        return whole, segments


@dataclass(frozen=True)
class Net:
    """One hidden layer, one number out."""

    first: Vectors
    shift: Vectors
    second: Vectors
    bias: float

    def __call__(self, x: Vectors) -> npt.NDArray[np.float64]:
        hidden = np.maximum(x @ self.first + self.shift, 0.0)
        result: npt.NDArray[np.float64] = (hidden @ self.second + self.bias).astype(np.float64)
        return result


@dataclass(frozen=True)
class Sense:
    """The table and what was learned on it."""

    table: Table
    nets: tuple[Net, ...]


def pack(sense: Sense) -> dict[str, npt.NDArray[Any]]:
    """Plain arrays that `unpack` reads."""
    nets = sense.nets
    return {
        "sense_keys": sense.table.keys,
        "sense_rows": sense.table.rows,
        "sense_steps": sense.table.steps,
        "sense_first": np.stack([net.first for net in nets]).astype(np.float16),
        "sense_shift": np.stack([net.shift for net in nets]),
        "sense_second": np.stack([net.second for net in nets]),
        "sense_bias": np.array([net.bias for net in nets]),
    }


def unpack(data: Mapping[str, npt.NDArray[Any]]) -> Sense:
    """The reverse of `pack`. Raises KeyError or ValueError when the arrays are not ours."""
    table = Table(data["sense_keys"], data["sense_rows"], data["sense_steps"])
    first = data["sense_first"].astype(np.float32)
    if first.shape[:2] != (NETS, table.size) or len(table.keys) != len(table.rows):
        raise ValueError("word vectors and nets of the injection model do not belong together")
    shift, second = data["sense_shift"], data["sense_second"]
    biases = data["sense_bias"].tolist()
    nets = tuple(Net(first[n], shift[n], second[n], biases[n]) for n in range(NETS))
    return Sense(table, nets)
