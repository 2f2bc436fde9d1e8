"""One sealed process, seen from the host: frames in, frames out, an end. Its words are hostile."""

import asyncio
import logging
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.launch.base import WORK_INODES, WORK_MIB, Backend, Runtime, Started
from sandbox.launch.cgroup import remove
from sandbox.launch.held import readable
from sandbox.limits import MIB, Limits
from sandbox.wire import Frame, FrameReader, WireError, encode

Status = Literal["ok", "timeout", "memory", "killed", "error"]
log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
MAX_FRAMES = 100_000  # in one run
MAX_BYTES = 256 * MIB  # in one run, both artefacts and messages
FRAMES_PER_S = 2_000  # beyond this the reader waits: back-pressure, not an error
WATCH_S = 0.02
LEAST_MIB = 4.0  # a copy of another process: its page tables, and what it has written since
SEND_S = 20.0  # a process that does not read this long is broken


@dataclass(frozen=True, slots=True)
class End:
    """How a sealed process ended. `misbehaved` names the broken rule, if one was broken."""

    status: Status
    misbehaved: str = ""


class Sealed:
    """A single-use process and the host's end of its socket. Identity is this object, no id."""

    def __init__(
        self,
        started: Started,
        connection: socket.socket,
        backend: Backend,
        runtime: Runtime,
        inbox: Path,
    ) -> None:
        self.backend = backend
        self.runtime = runtime
        self.inbox = inbox
        self.limits = Limits()
        self.pid = started.pid
        self._started = started
        self._errors = started.errors
        self._said = b""
        self._socket = connection
        self._frames = FrameReader()
        self._ready: list[Frame] = []
        self._count = 0
        self._bytes = 0
        self._since = self._began = time.monotonic()
        self._burst = 0
        self._status: Status | None = None
        self._misbehaved = ""
        self._deadline: asyncio.TimerHandle | None = None
        self._ended = asyncio.Event()
        self._on_end: list[Callable[[Sealed], None]] = []
        self._loop = asyncio.get_running_loop()
        self._sending = asyncio.Lock()
        connection.setblocking(False)
        self._abandoned = False
        self._pidfd = -1
        with suppress(ProcessLookupError):  # already gone: then its end is on its way
            self._pidfd = os.pidfd_open(self.pid)
        self._loop.add_reader(started.ended, self._on_exit)

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self._ended.is_set()

    @property
    def alive(self) -> bool:
        """Whether it still runs. Asks the kernel: the loop may not have been told yet."""
        return not self.ended and not readable(self._started.ended)

    def private_mib(self) -> float:
        """Memory that is this process's alone, MiB, at least `LEAST_MIB`; 0 when unknown."""
        try:
            text = Path(f"/proc/{self.pid}/statm").read_text("ascii")
        except OSError:
            return 0.0
        _, resident, shared, *_ = text.split()
        held = (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE") / MIB
        return max(LEAST_MIB, held - self._started.common_mib)

    def on_end(self, call: "Callable[[Sealed], None]") -> None:
        """Call this once, when the process is gone."""
        self._on_end.append(call)

    async def greet(self, timeout: float) -> None:
        """Send the boot frame and wait for `ready`. Raises WireError, TimeoutError."""
        frame = None
        with suppress(WireError):  # it may be gone already; its last words say more than that
            if self._started.boot is not None:
                await self.send(self._started.boot)
            frame = await self.receive(timeout)
        if frame is None or frame.get("t") != "ready":
            why = str(frame.get("kind", ""))[:400] if frame else ""
            raise WireError(self.last_words() or why or "not-ready")
        if not self.alive:  # its word was still on the way when it died
            raise WireError("gone")
        self._close_errors()

    def last_words(self) -> str:
        """What it wrote to standard error before it was ready, capped. Our own code's words."""
        with suppress(OSError):
            self._said += os.read(self._errors, 4000) if self._errors >= 0 else b""
        return self._said.decode("utf-8", "replace").strip()

    def _close_errors(self) -> None:
        if self._errors >= 0:
            self.last_words()
            os.close(self._errors)
            self._errors = -1

    async def begin(self, limits: Limits) -> None:
        """Start the clock and tell the sealed end its limits; the job frame comes next."""
        self.limits = limits
        self._began = time.monotonic()
        self._deadline = self._loop.call_later(limits.wall_s, self.end, "timeout")
        if self._started.work:
            self._watch(self._started.work)
        await self.send({"t": "take", "limits": limits.as_frame()})

    def _watch(self, work: Path) -> None:
        """Second rung: its work is on the host's disk, with no bound but this one."""
        if self._status is not None or self.ended:
            return
        files, size = _usage(work)
        if files > WORK_INODES or size > WORK_MIB * MIB:
            self.end("killed", "disk")
            return
        self._loop.call_later(WATCH_S, self._watch, work)

    async def send(self, frame: Frame) -> None:
        """Send one frame. Raises WireError when it cannot be sent or is not read in time."""
        data = encode(frame)
        async with self._sending:
            try:
                async with asyncio.timeout(SEND_S):
                    await self._loop.sock_sendall(self._socket, data)
            except TimeoutError as error:
                self.end("killed", "not-reading")
                raise WireError("not-reading") from error
            except OSError as error:
                raise WireError("gone") from error

    async def receive(self, timeout: float | None = None) -> Frame | None:
        """The next frame, or None when the process ended.

        Raises WireError for hostile bytes (the process is then already being killed) and
        TimeoutError after `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            while not self._ready:
                try:
                    data = await self._loop.sock_recv(self._socket, READ_BYTES)
                except OSError:
                    data = b""
                if not data:
                    self._abandoned = True
                    if self.ended:
                        self._socket.close()
                    return None
                await self._meter(len(data))
                try:
                    self._ready = self._frames.feed(data)
                except WireError as error:
                    self.end("killed", error.reason)
                    raise
                self._count += len(self._ready)
            return self._ready.pop(0)

    async def _meter(self, size: int) -> None:
        self._bytes += size
        if self._bytes > MAX_BYTES or self._count > MAX_FRAMES:
            self.end("killed", "too-much")
            raise WireError("too-much")
        now = time.monotonic()
        if now - self._since > 1.0:
            self._since, self._burst = now, self._count
        elif self._count - self._burst > FRAMES_PER_S:
            await asyncio.sleep(1.0 - (now - self._since))

    def end(self, status: Status, misbehaved: str = "") -> None:
        """Kill the process now, for this reason; the first reason given stays."""
        if self._status is None:
            self._status = status
            self._misbehaved = misbehaved
            if misbehaved:
                log.warning("sealed process misbehaved", extra={"rule": misbehaved})
        if self._pidfd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def discard(self) -> None:
        """End it if it still runs; nobody will read from it again."""
        self.end("killed")
        self._abandoned = True
        if self.ended:
            self._socket.close()

    async def kill(self) -> None:
        """End it and wait until nothing of it is left."""
        self.discard()
        await self.wait()

    async def wait(self) -> End:
        """How it ended, once it did."""
        await self._ended.wait()
        return End(self._status or "error", self._misbehaved)

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._started.ended)
        code = self._started.reap()
        os.close(self._started.ended)
        if self._pidfd >= 0:
            os.close(self._pidfd)
        self._pidfd = -1
        if self._status is None:
            self._status = _status(code, time.monotonic() - self._began >= self.limits.cpu_s)
        if self._deadline:
            self._deadline.cancel()
        # Wakes a reader that waits, but what has already arrived can still be read. Closing
        # under a waiting reader would leave it waiting for ever.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        if self._abandoned:
            self._socket.close()
        self._close_errors()
        if self._started.group:
            remove(self._started.group)
        for folder in (self.inbox, *self._started.cleanup):
            shutil.rmtree(folder, ignore_errors=True)
        self._ended.set()
        for call in self._on_end:
            call(self)


def _usage(work: Path) -> tuple[int, int]:
    """Files and bytes below a work directory, which is flat: the seal makes no folders there."""
    files = size = 0
    with suppress(OSError):
        for folder in (work, work / "tmp"):
            for entry in os.scandir(folder):
                files += 1
                if files > WORK_INODES:
                    return files, size
                with suppress(OSError):
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
    return files, size


def _status(code: int, long_enough: bool) -> Status:
    """The kernel sends SIGXCPU when processor time runs out, and SIGKILL to who ignores it."""
    if code == 0:
        return "ok"
    number = -code
    if number == signal.SIGXCPU or (number == signal.SIGKILL and long_enough):
        return "timeout"
    return "killed" if number > 0 else "error"
