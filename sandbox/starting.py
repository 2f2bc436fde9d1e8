"""Bring up one sealed process from a starter, whole or not at all."""

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.launch.base import Backend, Plan, Runtime, Started, Starter
from sandbox.rundirs import make_runs, new_run
from sandbox.sealed import Sealed


@dataclass(frozen=True)
class Source:
    """Where sealed processes of one runtime come from. `thread` is the only one that starts them:
    they die with it, so it has one worker and lives as long as they should."""

    starter: Starter
    thread: Executor
    backend: Backend
    runtime: Runtime
    runs: Path

    async def bring_up(
        self, serial: int, timeout: float, known: Callable[[Sealed], None] | None = None
    ) -> Sealed:
        """A process that is ready. `known` hears of it as soon as it exists.

        Raises LaunchFailed, WireError, TimeoutError, OSError; then nothing of it is left.
        """
        make_runs(self.runs)  # a tidy host may have removed it
        inbox = new_run(self.runs)
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                plan = Plan(self.runtime, ours.fileno(), theirs.fileno(), inbox, serial)
                launching = asyncio.get_running_loop().run_in_executor(
                    self.thread, self.starter.start, plan
                )
                try:
                    started: Started = await asyncio.shield(launching)
                except asyncio.CancelledError:
                    # it cannot be stopped half-way: see it through, or its process would be lost
                    launching.add_done_callback(_drop)
                    await asyncio.wait([launching])
                    raise
        except BaseException:
            ours.close()
            shutil.rmtree(inbox, ignore_errors=True)
            raise
        sealed = Sealed(started, ours, self.backend, self.runtime, inbox)
        if known:
            known(sealed)
        try:
            await sealed.greet(timeout)
        except BaseException:
            await sealed.kill()
            raise
        return sealed


def _drop(launching: "asyncio.Future[Started]") -> None:
    """Kill what a cancelled start brought up."""
    if launching.cancelled() or launching.exception():
        return
    started = launching.result()
    with suppress(ProcessLookupError):
        os.kill(started.pid, signal.SIGKILL)
    started.reap()
    os.close(started.ended)
    if started.errors >= 0:
        os.close(started.errors)
