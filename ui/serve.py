"""Serve the product: one process, the page first, a graceful end.

Order: the home's lock, the address, then everything else behind the open address. SIGTERM or Ctrl-C
lets answers under way finish for ten seconds; after kill -9 the next start recovers (open acts
become "outcome unknown", left-over files are removed).
"""

import asyncio
import ctypes
import errno
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from guardrails.errors import GuardrailError
from ui.front import Front
from ui.identity import is_loopback
from ui.lock import ServerLock

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from ui.settings import Settings
    from ui.wiring import App

GRACE_SECONDS = 10
LISTENER = "_LISTENER"  # in the environment of a process that starts again: its open address
COLLECT_AFTER = (10_000, 10, 10)  # new objects; generations: a message makes thousands
log = logging.getLogger(__name__)


class Failure:
    """What went wrong behind the open address, to be told after the server has ended."""

    error: BaseException | None = None
    again = False  # a backup is to be put in: end, and start again on the same address


def serve(settings: "Settings", announce: Callable[[str], None]) -> None:
    """Serve until stopped. `announce` is told the address once it is open.

    Raises GuardrailError: already-running, port-in-use, address-not-here, accounts-needed, and
    whatever keeps the product from being put together.
    """
    from ui.staging import finish
    from ui.uploads import clear_uploads

    lock = ServerLock(settings.home)
    lock.take(address(settings.host, settings.port))
    failure = Failure()
    try:
        clear_uploads(settings.home)
        if finish(settings):
            log.warning("restored from a backup, as asked for on the page")
        if not is_loopback(settings.host):
            check_accounts(settings)
        with _listen(settings.host, settings.port) as listener:
            shown = address(settings.host, listener.getsockname()[1])
            lock.write(shown)
            front = Front(
                lambda front: _lifetime(front, settings, server, failure), settings.language
            )
            server = _server(_config(front))
            announce(shown)
            # a second handle: uvicorn closes its own, and a start again needs the address open
            spare = os.dup(listener.fileno())
            try:
                server.run(sockets=[listener])
            finally:
                if failure.error is not None or not failure.again:
                    os.close(spare)
            if failure.error is not None:
                raise failure.error
    finally:
        lock.free()
    if failure.again:
        _start_again(spare)


def _start_again(listener: int) -> None:
    """The same program in this process once more, with the address that is open already: whoever
    asks meanwhile waits a moment instead of being refused."""
    log.warning("starting again to put a backup in")
    os.set_inheritable(listener, True)
    os.environ[LISTENER] = str(listener)
    sys.stdout.flush()
    # the interpreter's own words of the first start, -W and -m included
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  (ourselves)


def _config(app: "ASGIApp") -> "uvicorn.Config":
    import uvicorn

    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # what people search for stands in addresses
        server_header=False,
        date_header=False,
        lifespan="on",
        timeout_graceful_shutdown=GRACE_SECONDS,
        # forwarded headers are believed from a proxy on this machine only
        forwarded_allow_ips="127.0.0.1,::1",
    )


def _server(config: "uvicorn.Config") -> "uvicorn.Server":
    import uvicorn

    class Server(uvicorn.Server):
        """uvicorn's own way ends by sending itself the signal again, past our last words."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            loop = asyncio.get_running_loop()
            for one in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(one, self.handle_exit, one, None)
            yield

    return Server(config)


def address(host: str, port: int) -> str:
    """The address to open in a browser."""
    if host in ("0.0.0.0", "::"):  # noqa: S104  (compared, not bound)
        host = socket.gethostname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def check_accounts(settings: "Settings") -> None:
    """Refuse an address of the network without accounts before anything listens."""
    from guardrails.migrate import upgrade
    from guardrails.store import open_engine
    from ui.identity import Mode, check_start
    from ui.people import People

    engine = open_engine(settings.database_url)
    try:
        upgrade(engine)
        some = bool(settings.oidc_issuer) or People(engine).exist()
        mode: Mode = "accounts" if some else "workshop"
        check_start(settings.host, mode)
    finally:
        engine.dispose()


@asynccontextmanager
async def _lifetime(
    front: Front, settings: "Settings", server: "uvicorn.Server", failure: Failure
) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        opening = asyncio.create_task(_open(front, settings, server, failure, stack))

        def opened(task: "asyncio.Task[None]") -> None:
            if not task.cancelled() and task.exception() is not None:
                failure.error = task.exception()
                server.should_exit = True

        opening.add_done_callback(opened)
        try:
            yield
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)


async def _open(
    front: Front,
    settings: "Settings",
    server: "uvicorn.Server",
    failure: Failure,
    stack: AsyncExitStack,
) -> None:
    from ui.running import running
    from ui.wiring import build

    app = await asyncio.to_thread(build, settings)

    def again() -> None:
        failure.again = server.should_exit = True

    app.restoring.restart = again
    # the pages first: warming beside them would only make both slower on a small machine
    pages = await asyncio.to_thread(_pages, app)
    await stack.enter_async_context(running(app))
    front.inner = pages
    log.info("open")
    await _settled(app)


async def _settled(app: "App") -> None:
    """Once all is loaded, take it out of the garbage collector's sight.

    What is loaded stays: looking through two million objects for garbage stopped everybody for
    nearly a second, every few hundred messages.
    """
    await app.sessions.ready.wait()
    with suppress(GuardrailError):  # a model that cannot be told about is not under way
        while app.warming:
            await asyncio.sleep(1)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)  # what loading left behind: about 20 MB


def _pages(app: "App") -> "ASGIApp":
    from ui.web.app import build

    return build(app)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    name = host.strip("[]")
    if given := os.environ.pop(LISTENER, ""):
        return socket.socket(fileno=int(given))  # still open from before we started again
    try:
        return socket.create_server((name, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise GuardrailError("port-in-use", port=port) from error
        if error.errno == errno.EACCES:
            raise GuardrailError("port-not-allowed", port=port) from error
        raise GuardrailError("address-not-here", host=host) from error


def set_up_logging() -> None:
    """Kinds and places to standard error, never content."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
