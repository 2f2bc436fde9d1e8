"""Work that may hang or fail, bounded in time; and what it said of inputs seen before.

Knows nothing of what the work is.
"""

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from guardrails.errors import GuardrailError, ScreenFailed

IDLE_S = 10.0  # a thread without work waits so long for the next piece


class Bounded:
    """Runs at most `at_once` pieces of work; one that hangs is left behind but still counted."""

    def __init__(self, at_once: int) -> None:
        self._free = threading.Semaphore(at_once)

    def run(self, name: str, work: Callable[[], object], deadline: float, limit: float) -> object:
        """The result of `work`, in a thread of its own, by `deadline` (of time.monotonic).

        `limit` is what a person is told: the seconds that all work together may take. Raises
        ScreenFailed: "screen-timeout", "screen-detector", or the work's own code.
        """
        begun = time.monotonic()
        late = ScreenFailed("screen-timeout", detector=name, seconds=limit)
        if deadline <= begun or not self._free.acquire(timeout=deadline - begun):
            raise late
        answer: queue.SimpleQueue[tuple[object, BaseException | None]] = queue.SimpleQueue()

        def task() -> None:
            try:
                answer.put((work(), None))
            except BaseException as error:  # whatever went wrong, the caller must hear "no"
                answer.put((None, error))
            finally:
                self._free.release()

        _hand_over(task)
        try:
            value, error = answer.get(timeout=max(deadline - time.monotonic(), 0.001))
        except queue.Empty:
            raise late from None
        if isinstance(error, GuardrailError):
            raise ScreenFailed(error.code, **{"detector": name, **error.data}) from error
        if error is not None:
            # the error's own text may hold content: only its type is told
            raise ScreenFailed(
                "screen-detector", detector=name, error=type(error).__name__
            ) from None
        return value


class _Worker:
    """A thread that does one piece of work after the other; one that hangs is never asked again."""

    def __init__(self) -> None:
        self.work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        threading.Thread(target=self._run, daemon=True, name="screen").start()

    def _run(self) -> None:
        while True:
            try:
                task = self.work.get(timeout=IDLE_S)
            except queue.Empty:
                with _idle_lock:
                    if self in _idle:  # else it has just been chosen
                        _idle.remove(self)
                        return
                continue
            task()
            del task  # it holds a text
            with _idle_lock:
                _idle.append(self)


_idle: list[_Worker] = []  # the one that was busy last comes last: its caches are warm
_idle_lock = threading.Lock()


def _hand_over(task: Callable[[], None]) -> None:
    # a new thread for each piece would cost more than most pieces do
    with _idle_lock:
        worker = _idle.pop() if _idle else None
    (worker or _Worker()).work.put(task)


class Seen:
    """Values by digest, the `size` most recently used. Thread-safe."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._values: OrderedDict[bytes, object] = OrderedDict()
        self.age = 0  # how often it was emptied

    def get(self, key: bytes) -> tuple[bool, object]:
        """(whether it is known, its value)."""
        with self._lock:
            if key not in self._values:
                return False, None
            self._values.move_to_end(key)
            return True, self._values[key]

    def put(self, key: bytes, value: object, age: int) -> None:
        """Remember, unless it was emptied since `age`: what was found before holds no more.

        The least recently used value goes when there are too many.
        """
        with self._lock:
            if age != self.age:
                return
            self._values[key] = value
            if len(self._values) > self._size:
                self._values.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self.age += 1
            self._values.clear()
