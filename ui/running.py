"""A product under way: what is started beside the pages, watched, taken up from the dead, ended."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from functools import partial

import sqlalchemy as sa

from guardrails.errors import GuardrailError
from guardrails.processes import BEAT_SECONDS
from sandbox.interrupted import close_interrupted
from sandbox.shortened import purge_short
from ui.wiring import App

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def running(app: App, *, recover: bool = True) -> AsyncIterator[App]:
    """Start what answers need, in the background, and stop it again. The page is up meanwhile.

    `recover` takes up what dead processes left, now and later, and goes on with turns that wait;
    for who holds the home's `ServerLock`. What a living process of the store does is left alone.
    """
    app.processes.keep_beating()
    if recover:
        await asyncio.to_thread(app.processes.bury)
        await asyncio.to_thread(take_up, app)
        await asyncio.to_thread(app.sessions.vaults.claim)
        await asyncio.to_thread(app.record.saved.seal_old)
        await asyncio.to_thread(app.record.start, app.spans, app.budgets, (shortened(app),))
    tasks = [asyncio.create_task(_warm(app))]
    if recover:
        tasks.append(asyncio.create_task(app.sessions.attend()))
        tasks.append(asyncio.create_task(_resume(app)))
        tasks.append(asyncio.create_task(_bury(app)))
    for task in tasks:
        task.add_done_callback(partial(ended, app))
    try:
        yield app
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await app.desk.close()
        await app.knowledge.close()
        await app.sessions.close()
        await app.pool.close()
        await app.models.stop()
        await asyncio.to_thread(app.record.close)
        await asyncio.to_thread(close, app)


def shortened(app: App) -> Callable[[], int]:
    """The day's work on conversations that a rule wants kept for a shorter time."""
    parts = (app.engine, app.conversations, app.sessions, app.ledger, app.record.retention)
    return partial(purge_short, *parts)


def take_up(app: App) -> None:
    """End what dead processes had under way, in the record and on the pages."""
    app.ledger.recover()
    close_interrupted(app.engine, app.conversations)
    app.budgets.recover()
    app.desk.recover()
    app.record.exports.recover()


def close(app: App) -> None:
    """Write what is queued and let go of the store."""
    app.spans.close()
    app.ledger.close()
    app.record.deliver_last()
    app.processes.leave()
    app.engine.dispose()


def ended(app: App, task: asyncio.Task[None]) -> None:
    """Say of background work that it broke: nobody waits for it, and the pages go on without."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        app.problems.append(error.code if isinstance(error, GuardrailError) else "internal")
        # where it happened, without the error's own text, which may be content
        log.error("background work ended", extra={"error": type(error).__name__})


async def _resume(app: App) -> None:
    await app.sessions.ready.wait()  # documents are masked before they are kept
    app.knowledge.resume()


async def _bury(app: App) -> None:
    """Notice, while the server runs, that another process of the store has died."""
    left = 0
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        try:
            left += await asyncio.to_thread(app.processes.bury)
            if left:
                await asyncio.to_thread(take_up, app)
                await _resume(app)
                left = 0
        except (GuardrailError, sa.exc.SQLAlchemyError) as error:
            # the store is away for a moment: the next look takes up the same
            log.error("not taken up", extra={"error": type(error).__name__})


async def _warm(app: App) -> None:
    # one after the other would be slower, all in the loop would block the page
    results = await asyncio.gather(
        app.pool.start(), app.models.start(), _warm_screen(app), return_exceptions=True
    )
    for result in results:
        if isinstance(result, asyncio.CancelledError):
            raise result
        if isinstance(result, GuardrailError):
            app.problems.append(result.code)
            log.error("not started", extra={"code": result.code})
        elif isinstance(result, BaseException):
            app.problems.append("internal")
            log.error("not started", extra={"error": type(result).__name__}, exc_info=result)


async def _warm_screen(app: App) -> None:
    try:
        await asyncio.to_thread(app.screen.warm)
        app.screen_ready = True
    finally:
        # also when it failed: the screen itself refuses then, with its own reason
        app.sessions.ready.set()
