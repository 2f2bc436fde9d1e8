"""How often somebody may do something. Counts in memory: a restart forgets, and that is fine."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from guardrails.errors import GuardrailError

KEPT = 10_000  # keys; the least recently used are forgotten first


class Rate:
    """At most `most` acts in any `seconds` for each key (a sliding window log). Thread-safe."""

    def __init__(
        self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._acts: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: str) -> float:
        """Seconds until the next act is allowed; 0 when it is now. Counts nothing."""
        with self._lock:
            acts = self._recent(key)
            return 0.0 if len(acts) < self._most else acts[0] + self._seconds - self._clock()

    def take(self, key: str) -> int:
        """Count one act, or raise GuardrailError("too-many-attempts") with `seconds` to wait.

        Returns how many there were in the time that counts, with this one.
        """
        with self._lock:
            acts = self._recent(key)
            if len(acts) < self._most:
                acts.append(self._clock())
                return len(acts)
            wait = acts[0] + self._seconds - self._clock()
        raise GuardrailError("too-many-attempts", seconds=int(wait) + 1)

    def forget(self, key: str) -> None:
        """Start afresh, for example after a good sign-in."""
        with self._lock:
            self._acts.pop(key, None)

    def _recent(self, key: str) -> deque[float]:
        acts = self._acts.setdefault(key, deque())
        self._acts.move_to_end(key)
        while len(self._acts) > KEPT:
            self._acts.popitem(last=False)
        while acts and acts[0] <= self._clock() - self._seconds:
            acts.popleft()
        return acts
