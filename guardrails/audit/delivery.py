"""Send each signed checkpoint to an address elsewhere, in order, until it has arrived.

What stands only beside the store can be cut back together with it. One JSON object a request, as
it stands in the checkpoint file: a receiver that keeps the bodies as lines has that file.
"""

import hashlib
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from guardrails.audit import checkpoints
from guardrails.audit.senders import straight
from guardrails.audit.tables import deliveries

log = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0  # between looks at the file
LONGEST_PAUSE_SECONDS = 120.0  # between attempts while the address does not answer
TIMEOUT_SECONDS = 10.0
_HTTP = ("https://", "http://")


class Delivery:
    """Delivers the checkpoints of `file` to `url`; where it is stands in the store.

    `failures` counts attempts that failed, `failing` those since the last that did not, `waiting`
    checkpoints that have not arrived.
    """

    def __init__(
        self,
        engine: sa.Engine,
        file: Path,
        url: str,
        *,
        method: Literal["POST", "PUT"] = "POST",
        token: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.failures = self.failing = 0
        self.waiting = 0
        self._engine = engine
        self._file = file
        self._url = url
        self._method = method
        self._token = token
        self._clock = clock
        self._target = hashlib.sha256(url.encode()).hexdigest()
        self._offset = 0  # of the file, up to which everything was delivered
        self._sent: int | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to deliver in the background."""
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """One last attempt, then stop."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(TIMEOUT_SECONDS + 1)

    def deliver(self) -> int:
        """Send what has not arrived yet; returns how many went out.

        Raises OSError when the file cannot be read or the address does not take one.
        """
        if self._sent is None:
            self._sent = self._known()
        count = 0
        if not self._file.exists():
            return 0
        with self._file.open("rb") as lines:
            lines.seek(self._offset)
            rest = [line for line in lines if line.endswith(b"\n")]
        fresh = [c for c in checkpoints.parse(_texts(rest)) if c.number > self._sent]
        self.waiting = len(fresh)
        for line, checkpoint in zip(rest[-len(fresh) :] if fresh else [], fresh, strict=True):
            self._send(checkpoint.number, line)
            self._remember(checkpoint.number)
            self.waiting -= 1
            count += 1
        self._offset += sum(map(len, rest))
        return count

    def _run(self) -> None:
        pause = PAUSE_SECONDS
        while True:
            stopping = self._stop.wait(pause)
            try:
                self.deliver()
                pause, self.failing = PAUSE_SECONDS, 0
            # the thread must outlive whatever is wrong with file, store or address: it is counted
            # and alerted, and tried again
            except Exception as error:
                self.failures += 1
                self.failing += 1
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                log.warning("checkpoint not delivered", extra={"error": type(error).__name__})
            if stopping:
                return

    def _send(self, number: int, body: bytes) -> None:
        if not self._url.startswith(_HTTP):
            raise OSError("a checkpoint address needs http(s)")
        url = f"{self._url.rstrip('/')}/{number}.json" if self._method == "PUT" else self._url
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(  # noqa: S310 -- the scheme is checked above
            url, body, headers, method=self._method
        )
        straight(request, TIMEOUT_SECONDS)

    def _known(self) -> int:
        with self._engine.connect() as connection:
            query = sa.select(deliveries.c.number).where(deliveries.c.target == self._target)
            return connection.scalar(query) or 0

    def _remember(self, number: int) -> None:
        values = {"number": number, "at": int(self._clock() * 1_000_000)}
        with self._engine.begin() as connection:
            done = connection.execute(
                sa.update(deliveries).where(deliveries.c.target == self._target).values(values)
            )
            if not done.rowcount:
                row = values | {"target": self._target}
                connection.execute(sa.insert(deliveries), row)
        self._sent = number


def _texts(lines: list[bytes]) -> list[str]:
    return [line.decode("utf-8", "replace") for line in lines]
