"""Whether an agent may still be used, asked again at every call of a turn.

An agent can be withdrawn by another process of the same store: each looks for itself, and what it
knows is at most `FRESH_SECONDS` old. Knows nothing of drafts: what was never live stands.
"""

import asyncio
import time
from collections.abc import Callable

from agents.catalog import templates
from agents.publishing_records import Live
from guardrails.errors import BadInput
from sandbox.broker.run import Run

FRESH_SECONDS = 1.0
MOST = 1_000  # agents remembered


class Standing:
    """`current` gives what colleagues get of an agent; see `agents.publishing_shelf.Shelf`."""

    def __init__(
        self,
        current: Callable[[str], Live | None],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._current = current
        self._ticks = ticks
        self._known: dict[str, tuple[float, Live | None]] = {}

    async def check(self, run: Run) -> None:
        """Raises BadInput("agent-withdrawn") to everybody but its author."""
        if run.agent.id in templates():
            return
        live = await self._now(run.agent.id)
        if live is not None and live.state == "withdrawn" and live.owner != run.actor.id:
            run.judge("blocked", "agent-withdrawn")
            raise BadInput("agent-withdrawn", id=run.agent.id)

    async def _now(self, agent: str) -> Live | None:
        looked, live = self._known.get(agent, (-FRESH_SECONDS, None))
        if self._ticks() - looked >= FRESH_SECONDS:
            live = await asyncio.to_thread(self._current, agent)
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[agent] = (self._ticks(), live)
        return live
