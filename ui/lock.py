"""One server per home. The kernel frees the lock however the server ends, kill -9 included."""

import fcntl
import json
import os
from pathlib import Path

from guardrails.errors import GuardrailError
from guardrails.locks import locked


class ServerLock:
    """Held from `take` until `free` or the end of the process."""

    def __init__(self, home: Path) -> None:
        self._file = home / "server.lock"
        self._handle: int | None = None

    def take(self, address: str) -> None:
        """Take it. Raises GuardrailError("already-running") with the other's pid and address."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise GuardrailError("already-running", **self.holder()) from None
        self._handle = handle
        self.write(address)

    def write(self, address: str) -> None:
        """Say where this server listens."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, json.dumps([os.getpid(), address]).encode(), 0)

    def holder(self) -> dict[str, object]:
        """The pid and address that a server wrote, as far as they can be read."""
        try:
            pid, address = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError, TypeError):
            return {"pid": "?", "address": "?"}
        return {"pid": pid, "address": address}

    def held(self) -> bool:
        """True when a server, this one or another, runs on the home."""
        if self._handle is not None:
            return True
        try:
            return locked(self._file)
        except OSError:
            return False

    def free(self) -> None:
        """Let go."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
