"""Keep the embedded model available: find it, fetch it in the background, warm it, swap, restart.

While the practice model is on its way the fallback answers, and `info` says so.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.broker.errors import ModelError
from sandbox.broker.model_events import ModelInfo, ModelKind, ModelState
from sandbox.broker.model_fetch import fetch
from sandbox.broker.model_pins import Key, Pinned, fetch_folder, is_pinned, locate, pinned
from sandbox.broker.model_server import ModelServer, start_server

log = logging.getLogger(__name__)
_RESTARTS, _WITHIN = 3, 600.0  # a model that dies oftener than this (seconds) stays down
_RETRY_FETCH = (5.0, 30.0, 120.0, 600.0)  # seconds between attempts; the last one repeats
_LABELS: dict[ModelKind, str] = {"practice": "Practice model", "fallback": "Fallback model"}


@dataclass
class _Serving:
    server: ModelServer
    kind: ModelKind
    label: str
    calls: int = 0


class Embedded:
    """One embedded model: `practice`, `fallback` or a file of the operator's.

    `where` are the folders to look in; the first one takes a fetch. With `may_fetch` False nothing
    is downloaded: what is not there is down.
    """

    def __init__(
        self, choice: Key | Path, where: Sequence[Path], *, may_fetch: bool = True
    ) -> None:
        self._choice = choice
        self._where = list(where)
        self._may_fetch = may_fetch
        self._state: ModelState = "warming"
        self._failed: ModelError | None = None
        self._progress: float | None = None
        self._serving: _Serving | None = None
        self._changed = asyncio.Event()
        self._stopping = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._deaths: deque[float] = deque(maxlen=_RESTARTS)

    def info(self) -> ModelInfo:
        """Who would answer now, and how the wanted model is coming along."""
        serving = self._serving
        kind, label = (serving.kind, serving.label) if serving else self._wanted()
        name: str = kind if kind in _LABELS else label
        shown = f"{_LABELS[kind]} · {label}" if kind in _LABELS else label
        return ModelInfo(name, shown, kind, "local", "local", self._state, self._progress)

    async def start(self) -> None:
        """Begin in the background and return at once."""
        self._spawn(self._bring_up())

    async def stop(self) -> None:
        """End the fetch, the server and all tasks. Safe to call twice."""
        self._stopping.set()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        serving, self._serving = self._serving, None
        if serving is not None:
            await serving.server.stop()
        self._state = "down"

    @asynccontextmanager
    async def server(self, patience: float) -> AsyncGenerator[tuple[ModelServer, ModelKind], None]:
        """The server that answers now, waited for while it warms up, `patience` seconds at most.

        Raises ModelError: `model-fetching` when nothing can answer yet, else what went wrong.
        """
        serving = await self._ready(patience)
        serving.calls += 1
        try:
            yield serving.server, serving.kind
        finally:
            serving.calls -= 1

    async def _ready(self, patience: float) -> _Serving:
        end = time.monotonic() + patience
        while self._serving is None:
            if self._state == "fetching":
                raise ModelError("model-fetching", provider="local")
            if self._state == "down":
                raise self._failed or ModelError("model-unavailable", provider="local")
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), max(0.0, end - time.monotonic()))
            except TimeoutError:
                raise ModelError("model-timeout", provider="local") from None
        return self._serving

    async def _bring_up(self) -> None:
        try:
            file, kind, label = await self._find()
            self._note("warming")
            await self._serve(file, kind, label)
            self._note("ready")
        except ModelError as error:
            self._failed = error
            log.warning("embedded model is down", extra={"code": error.code})
            self._note("down")

    async def _find(self) -> tuple[Path, ModelKind, str]:
        if isinstance(self._choice, Path):
            file = self._choice
            if not file.is_file():
                raise ModelError("model-file-missing", file=str(file))
            # the pinned bytes under any name are the practice model
            for key in ("practice", "fallback"):
                if await asyncio.to_thread(is_pinned, pinned(key), file):
                    return file, key, pinned(key).label
            return file, "provider", file.stem
        model = pinned(self._choice)
        found = await asyncio.to_thread(locate, model, self._where)
        if found is None:
            if not self._may_fetch:
                raise ModelError("model-file-missing", file=model.file)
            self._progress = 0.0
            self._note("fetching")
            if self._choice == "practice":
                await self._serve_fallback()
            found = await self._fetch(model, self._show_progress)
            self._progress = None
        return found, self._choice, model.label

    async def _serve_fallback(self) -> None:
        model = pinned("fallback")
        with contextlib.suppress(ModelError):  # without it, the person is told of the fetch
            found = await asyncio.to_thread(locate, model, self._where)
            if found is None:
                found = await asyncio.to_thread(
                    fetch, model, fetch_folder(self._where), stopping=self._stopping
                )
            await self._serve(found, "fallback", model.label)

    async def _fetch(self, model: Pinned, progress: Callable[[int, int], None]) -> Path:
        waits = iter(_RETRY_FETCH)
        while True:
            try:
                folder = fetch_folder(self._where)
                return await asyncio.to_thread(
                    fetch, model, folder, progress, stopping=self._stopping
                )
            except ModelError as error:
                if error.code != "model-fetch-failed" or self._stopping.is_set():
                    raise
                log.warning("fetch broke off; it will go on", extra={"part": error.data["part"]})
            await asyncio.sleep(next(waits, _RETRY_FETCH[-1]))

    async def _serve(self, file: Path, kind: ModelKind, label: str) -> None:
        server = await start_server(file)
        old, self._serving = self._serving, _Serving(server, kind, label)
        self._changed.set()
        self._spawn(self._watch(self._serving, file))
        if old is not None:
            self._spawn(_retire(old))

    async def _watch(self, serving: _Serving, file: Path) -> None:
        await serving.server.wait()
        if self._stopping.is_set() or self._serving is not serving:
            return
        self._serving = None
        now = time.monotonic()
        if len(self._deaths) == _RESTARTS and now - self._deaths[0] < _WITHIN:
            self._failed = ModelError("model-unavailable", provider="local")
            self._note("down")
            return
        self._deaths.append(now)
        log.warning("embedded model ended; starting it again")
        self._note("warming")
        try:
            await self._serve(file, serving.kind, serving.label)
            self._note("ready")
        except ModelError as error:
            self._failed = error
            self._note("down")

    def _wanted(self) -> tuple[ModelKind, str]:
        if isinstance(self._choice, Path):
            return "provider", self._choice.stem
        return self._choice, pinned(self._choice).label

    def _show_progress(self, done: int, total: int) -> None:
        self._progress = done / total

    def _note(self, state: ModelState) -> None:
        self._state = state
        self._changed.set()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _retire(serving: _Serving) -> None:
    """End a replaced server once its last answer is out."""
    try:
        while serving.calls:
            await asyncio.sleep(0.2)
    finally:
        await serving.server.stop()
