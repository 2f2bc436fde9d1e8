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


@asynccontextmanager
async def recorded(ledger: Ledger, act: Act) -> AsyncIterator[Recorded]:
    """Run the block only after `act` is durably on record. Raises LedgerUnavailable before it."""
    done = Recorded(await ledger.aintent(act))
    try:
        yield done
    except BaseException as error:
        # a cancelled turn is an outcome too: without it the record would say "unknown"
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            done.verdict = "interrupted"
        else:
            done.verdict = "failed"
        code = error.code if isinstance(error, GuardrailError) else type(error).__name__
        done.payload["error"] = code
        await asyncio.shield(ledger.aoutcome(done.intent, done.verdict, done.payload))
        raise
    await ledger.aoutcome(done.intent, done.verdict, done.payload)
