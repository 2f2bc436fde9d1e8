"""Intent before the act, outcome after it, whatever happens in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from guardrails.audit.ledger import Act, Ledger
from guardrails.errors import GuardrailError


@dataclass
class Recorded:
    """The act under way: set `verdict` and add to `payload` (masked) before the block ends."""

    intent: int
    verdict: str = "allow"
    payload: dict[str, object] = field(default_factory=dict)


@dataclass
class Announced:
    """As `Recorded`, of an act whose record is still on its way to the disk."""

    writing: "asyncio.Future[int]"
    verdict: str = "allow"
    payload: dict[str, object] = field(default_factory=dict)

    async def durable(self) -> None:
        """Wait until it is on record; before that nothing may act. Raises LedgerUnavailable."""
        await asyncio.shield(self.writing)


@asynccontextmanager
async def recorded(ledger: Ledger, act: Act) -> AsyncIterator[Recorded]:
    """Run the block only after `act` is durably on record. Raises LedgerUnavailable before it."""
    done = Recorded(await ledger.aintent(act))
    try:
        yield done
    except BaseException as error:
        _broke(done, error)
        await asyncio.shield(ledger.aoutcome(done.intent, done.verdict, done.payload))
        raise
    await ledger.aoutcome(done.intent, done.verdict, done.payload)


@asynccontextmanager
async def announced(ledger: Ledger, act: Act) -> AsyncIterator[Announced]:
    """Run the block while `act` is being written: it may read, and awaits `durable` before anything
    else. Raises LedgerUnavailable at the end at the latest."""
    done = Announced(asyncio.ensure_future(ledger.aintent(act)))

    async def ended() -> None:
        await ledger.aoutcome(await done.writing, done.verdict, done.payload)

    try:
        yield done
    except BaseException as error:
        _broke(done, error)
        await asyncio.shield(ended())
        raise
    await ended()


def _broke(done: Recorded | Announced, error: BaseException) -> None:
    # a cancelled turn is an outcome too: without it the record would say "unknown"
    interrupted = isinstance(error, asyncio.CancelledError | GeneratorExit)
    done.verdict = "interrupted" if interrupted else "failed"
    code = error.code if isinstance(error, GuardrailError) else type(error).__name__
    done.payload["error"] = code
