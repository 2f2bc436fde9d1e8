"""People who chat at the same time: think time, counting, and the scripted model they hear.

Every person sends a message 3 to 7 s after the last answer. The model says 60 words over 0.6 s, the
first at once, so that what stands between is what is measured.
"""

import asyncio
import random
import socket
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bench import scripted
from bench.clock import percentile
from bench.table import Row

WORDS = "The meeting is on Monday and everybody is welcome to bring a question or two along. "
TEXT = "Write to Claire Fontaine (claire.fontaine@example.com): we meet on Monday, number {n}."
REPLY = " ".join((WORDS * 4).split()[:60])
PAUSE_S = 0.01  # between two words
LEAD_IN_S, MEASURED_S = 15.0, 45.0

# one person's way to ask: number of the message -> ms to the first word, ms to the end
Ask = Callable[[int], Awaitable[tuple[float, float]]]


@dataclass
class Seen:
    """What the clients saw, in milliseconds, and what went wrong."""

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    measuring: bool = False

    def rows(self, reach: tuple[float | None, float | None] = (None, None)) -> list[Row]:
        """First token, whole answer, answers a second, errors; errors are printed as well."""
        for error in sorted(set(self.errors))[:5]:
            print(f"error: {error} ({self.errors.count(error)} times)")
        return [
            Row("first token, p50", percentile(self.first, 50), "ms", reach[0]),
            Row("first token, p95", percentile(self.first, 95), "ms", reach[1]),
            Row("whole answer, p50", statistics.median(self.whole) if self.whole else 0.0, "ms"),
            Row("answers a second", len(self.whole) / MEASURED_S, "/s"),
            Row("errors", len(self.errors), "", 0 if reach[0] else None),
        ]


async def chat(
    people: Sequence[Ask],
    seen: Seen,
    upstream: socket.socket,
    spent: Callable[[], Sequence[float]],
) -> list[float]:
    """Let everybody chat, the model answering on `upstream`; how much each figure of `spent` grew
    in the measured seconds."""
    model = await scripted.serve(upstream, REPLY, PAUSE_S)
    tasks = [asyncio.create_task(_person(number, ask, seen)) for number, ask in enumerate(people)]
    await asyncio.sleep(LEAD_IN_S)
    before = spent()
    seen.measuring = True
    await asyncio.sleep(MEASURED_S)
    seen.measuring = False
    after = spent()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    model.close()
    return [end - begin for begin, end in zip(before, after, strict=True)]


async def _person(number: int, ask: Ask, seen: Seen) -> None:
    dice = random.Random(number)
    await asyncio.sleep(dice.uniform(0, 8))
    for message in range(10_000):
        counted = seen.measuring
        try:
            first, whole = await ask(message)
        except (OSError, ValueError, EOFError, TimeoutError) as error:
            seen.errors.append(f"{type(error).__name__}: {str(error)[:200]}")
        else:
            if counted:
                seen.first.append(first)
                seen.whole.append(whole)
        await asyncio.sleep(dice.uniform(3, 7))
