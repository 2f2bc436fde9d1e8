"""Who listens to turns: how many at once, and for how long. Knows no turns and no wording.

Each open page of a chat holds a connection. A person may hold a few; with one more, the oldest is
closed. Who signs out hears nothing more, in whatever page. The turn goes on in both cases.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
MOST = 8  # pages of one person that follow turns at once


@dataclass(eq=False)
class _Listener:
    loop: asyncio.AbstractEventLoop
    allowed: Callable[[], bool]
    task: "asyncio.Task[object] | None" = None
    waiting: bool = False  # for the next event: only then may the task be interrupted
    closed: str = ""

    def over(self) -> bool:
        """True once it was closed; asked anew each time, for others close it."""
        return bool(self.closed)

    def close(self, why: str) -> None:
        """End it from whatever thread."""
        self.loop.call_soon_threadsafe(self._close, why)

    def _close(self, why: str) -> None:
        if not self.closed:
            self.closed = why
            if self.waiting and self.task is not None:
                self.task.cancel()


@dataclass
class Listeners:
    """The connections that follow turns, of one server. Lives on its event loop."""

    most: int = MOST
    _by_person: dict[str, list[_Listener]] = field(default_factory=dict)

    async def heard(
        self,
        person: str,
        events: AsyncGenerator[T, None],
        over: Callable[[str], T],
        allowed: Callable[[], bool] = lambda: True,
    ) -> AsyncGenerator[T, None]:
        """`events`, until they end or this listener is closed; then `over(code)` is the last one.

        Codes: "listeners-many", "signed-out". `allowed` says whether the listener may still hear.
        """
        me = _Listener(asyncio.get_running_loop(), allowed)
        mine = self._by_person.setdefault(person, [])
        mine.append(me)
        for oldest in mine[: -self.most]:
            oldest.close("listeners-many")
        try:
            async with aclosing(events):
                while not me.over():
                    try:
                        me.task, me.waiting = asyncio.current_task(), True
                        event = await anext(events)
                    except StopAsyncIteration:
                        return
                    except asyncio.CancelledError:
                        if not me.over():
                            raise
                        if me.task is not None:
                            me.task.uncancel()
                        break
                    finally:
                        me.waiting = False
                    yield event
            yield over(me.closed)
        finally:
            mine.remove(me)
            if not mine:
                self._by_person.pop(person, None)

    def ended(self, person: str) -> None:
        """Sessions of this person have ended: whoever listened by one of them hears no more."""
        for one in list(self._by_person.get(person, ())):
            if not one.allowed():
                one.close("signed-out")

    def count(self, person: str) -> int:
        """How many there are now."""
        return len(self._by_person.get(person, ()))
