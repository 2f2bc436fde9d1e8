"""Warm, single-use sealed processes: take one, it serves one run and dies, another is started."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path

from guardrails.errors import GuardrailError
from sandbox.checked import Checked
from sandbox.launch.base import Launcher, LaunchFailed, Runtime
from sandbox.launch.refuse import NoSeal, Refusing
from sandbox.limits import CEILING, Limits
from sandbox.rundirs import default_runs, end_orphans, make_runs, sweep
from sandbox.sealed import Sealed
from sandbox.starting import Source
from sandbox.wire import WireError

log = logging.getLogger(__name__)
FAILURES = (LaunchFailed, WireError, TimeoutError, OSError)  # of a start
START_S = 60.0  # to import the runtime on a busy machine
TRIES = 2  # whatever ended what processes start from does not end the turn of who waits for one
RETRY_S = (0.5, 2.0, 10.0, 30.0)
REFILL_S = 0.05
EXPECTED_MIB = 64.0  # of a warm process, until one has been measured


class PoolClosed(GuardrailError):
    """The pool is closed, or no sealed process could be started. `data["why"]` says which."""

    code = "no-sealed-process"


class Pool:
    """Keeps sealed processes warm for each runtime."""

    def __init__(
        self,
        launcher: Launcher,
        sizes: Mapping[Runtime, int],
        limits: Limits | None = None,
        *,
        ceiling: Limits = CEILING,
        runs: Path | None = None,
        memory_mib: int = 2048,
    ) -> None:
        """`runs` is the folder of run directories (swept at start); `memory_mib` the budget for
        idle processes together."""
        self.checked = Checked(launcher.name)
        self.ceiling = ceiling  # policy's; it may change while the pool works
        self._sizes = dict(sizes)
        self._limits = limits or Limits()
        self._runs = runs or default_runs()
        self._memory_mib = memory_mib
        self._idle: dict[Runtime, deque[Sealed]] = {runtime: deque() for runtime in self._sizes}
        self._starting: dict[Runtime, set[asyncio.Task[None]]] = {r: set() for r in self._sizes}
        self._waiting: dict[Runtime, deque[asyncio.Future[Sealed]]] = {
            runtime: deque() for runtime in self._sizes
        }
        self._live: set[Sealed] = set()
        self._failures: dict[Runtime, int] = dict.fromkeys(self._sizes, 0)
        self._renewals: dict[Runtime, int] = dict.fromkeys(self._sizes, 0)
        self._last_error = ""
        self._serial = count(int(time.time()))
        self._closed = False
        self._sources: dict[Runtime, Source] = {}
        self._use(launcher)

    def _use(self, launcher: Launcher) -> None:
        self.launcher = launcher
        # A thread for each runtime, for the pool's whole life: sealed processes die with the thread
        # that started them, and starting one must not hold up the event loop.
        self._sources = {
            runtime: Source(
                launcher.starter(runtime, self._runs),
                ThreadPoolExecutor(1, f"sealed-{runtime}"),
                launcher.name,
                runtime,
                self._runs,
            )
            for runtime in self._sizes
        }

    def recover(self, launcher: Launcher) -> None:
        """Go on with `launcher` where this pool refused until now: its host was put right."""
        if not isinstance(self.launcher, Refusing) or self._closed:
            return
        for source in self._sources.values():
            source.thread.shutdown(wait=False)
        self._use(launcher)
        for runtime in self._sizes:
            self._refill(runtime)

    async def start(self) -> None:
        """Sweep what a killed server left behind and begin to fill. Returns at once."""
        make_runs(self._runs)
        await asyncio.to_thread(sweep, self._runs)
        await asyncio.to_thread(end_orphans)
        for runtime in self._sizes:
            self._refill(runtime)

    async def take(self, runtime: Runtime, limits: Limits | None = None) -> Sealed:
        """A sealed process for one run, its clock started. Raises PoolClosed, NoSeal."""
        sealed = await self.warm(runtime)
        await sealed.begin(self.bounded(limits))
        return sealed

    def bounded(self, limits: Limits | None = None) -> Limits:
        """These limits, or the pool's own, under the ceiling that policy sets."""
        return (limits or self._limits).within(self.ceiling)

    async def warm(self, runtime: Runtime) -> Sealed:
        """A warm process whose clock has not started, so that files can be put in its inbox.

        Raises PoolClosed; NoSeal where no isolation holds.
        """
        if isinstance(self.launcher, Refusing):
            raise NoSeal(fix=self.launcher.fix)
        while not self._closed:
            idle = self._idle[runtime]
            while idle and not idle[0].alive:
                idle.popleft().discard()
            if idle:
                sealed = idle.popleft()
                # a moment later: starting one now would take the processor from this very run
                asyncio.get_running_loop().call_later(REFILL_S, self._refill, runtime)
                return sealed
            waiting: asyncio.Future[Sealed] = asyncio.get_running_loop().create_future()
            self._waiting[runtime].append(waiting)
            self._refill(runtime)
            try:
                return await waiting
            except asyncio.CancelledError:
                if waiting.done() and not waiting.cancelled() and not waiting.exception():
                    idle.append(waiting.result())  # it came too late for this caller
                raise
        raise PoolClosed(why="closed")

    async def close(self) -> None:
        """Kill every process of this pool and wait until all are gone."""
        self._closed = True
        tasks = [task for tasks in self._starting.values() for task in tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for waiting in self._waiting.values():
            for future in waiting:
                if not future.done():
                    future.set_exception(PoolClosed(why="closed"))
        await asyncio.gather(*(sealed.kill() for sealed in list(self._live)))
        for source in self._sources.values():
            await asyncio.get_running_loop().run_in_executor(source.thread, source.starter.close)
            source.thread.shutdown(wait=True)

    def status(self) -> dict[str, object]:
        """Numbers for the Audit page and `atelier doctor`."""
        return {
            "backend": self.launcher.name,
            "ready": {runtime: len(idle) for runtime, idle in self._idle.items()},
            "starting": {runtime: len(tasks) for runtime, tasks in self._starting.items()},
            "live": len(self._live),
            "failures": dict(self._failures),
            "last_error": self._last_error,
        }

    def _refill(self, runtime: Runtime) -> None:
        if isinstance(self.launcher, Refusing):
            return
        waiting = sum(not future.done() for future in self._waiting[runtime])
        size, there = self._sizes[runtime], len(self._idle[runtime]) + len(self._starting[runtime])
        if there >= max(size, waiting):
            return  # asked twice for each run, and what is affordable takes a look at each process
        wanted = max(size if self._affordable() else 0, waiting)
        while not self._closed and len(self._idle[runtime]) + len(self._starting[runtime]) < wanted:
            task = asyncio.create_task(self._add(runtime))
            self._starting[runtime].add(task)
            task.add_done_callback(partial(self._added, runtime))

    def _added(self, runtime: Runtime, task: "asyncio.Task[None]") -> None:
        self._starting[runtime].discard(task)
        self._refill(runtime)

    def _gone(self, sealed: Sealed) -> None:
        self._live.discard(sealed)
        idle = self._idle[sealed.runtime]
        if sealed in idle:  # killed from outside, or out of memory: nobody will take it
            idle.remove(sealed)
            sealed.discard()
            self._refill(sealed.runtime)

    def _affordable(self) -> bool:
        """Whether one more idle process stays within the memory budget."""
        sizes = [sealed.private_mib() for idle in self._idle.values() for sealed in idle]
        expected = max(sizes, default=EXPECTED_MIB)
        starting = sum(len(tasks) for tasks in self._starting.values())
        return sum(sizes) + (starting + 1) * expected <= self._memory_mib

    async def _add(self, runtime: Runtime) -> None:
        try:
            sealed = await self._start_one(runtime)
        except FAILURES as error:
            self._failed(runtime, error)
            await asyncio.sleep(RETRY_S[min(self._failures[runtime], len(RETRY_S)) - 1])
            return
        self._failures[runtime] = 0
        waiting = self._waiting[runtime]
        while waiting:
            future = waiting.popleft()
            if not future.done():
                future.set_result(sealed)
                return
        self._idle[runtime].append(sealed)

    def _failed(self, runtime: Runtime, error: Exception) -> None:
        self._failures[runtime] += 1
        self._last_error = str(error)[:2000]
        log.error("a sealed process did not start", extra={"runtime": runtime})
        waiting = self._waiting[runtime]
        while waiting:
            future = waiting.popleft()
            if not future.done():
                future.set_exception(PoolClosed(why=self._last_error))

    async def _start_one(self, runtime: Runtime) -> Sealed:
        source = self._sources[runtime]
        for left in reversed(range(TRIES)):
            renewals = self._renewals[runtime]
            try:
                return await source.bring_up(next(self._serial), START_S, self._known)
            except FAILURES:
                if renewals == self._renewals[runtime]:  # or another has renewed it meanwhile
                    self._renewals[runtime] += 1
                    await asyncio.get_running_loop().run_in_executor(
                        source.thread, source.starter.close
                    )
                if not left:
                    raise
        raise AssertionError  # the last try returns or raises

    def _known(self, sealed: Sealed) -> None:
        self._live.add(sealed)
        sealed.on_end(self._gone)
