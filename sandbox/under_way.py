"""A turn under way and those who follow it."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing

from sandbox.events import Event, Notice, StepEvent

COMPANY_SECONDS = 0.05  # each write to a browser costs more than what is written
UNHURRIED = (StepEvent, Notice)


class _Listener:
    """Wakes one who follows a turn."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.pressing = asyncio.Event()


class Turn:
    """A turn under way: its task, what it told so far, and everyone who is listening."""

    def __init__(self, conversation: str) -> None:
        self.conversation = conversation
        self.task: asyncio.Task[None] | None = None
        self.told: list[Event] = []
        self.over = False
        self._listeners: list[_Listener] = []
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def emit(self, event: Event | None) -> None:
        """Tell everyone; None is the end. From any thread."""
        if threading.get_ident() != self._thread:
            self._loop.call_soon_threadsafe(self.emit, event)
            return
        if event is None:
            self.over = True
        else:
            self.told.append(event)
        for listener in self._listeners:
            listener.news.set()
            if not isinstance(event, UNHURRIED):
                listener.pressing.set()

    async def ended(self) -> None:
        """Wait for the end of its task; raises what broke it."""
        if self.task is not None:
            await self.task

    async def batches(self) -> AsyncGenerator[list[Event], None]:
        """Everything that was told so far, then what comes, to the end: what is there at once
        together. What is no word of the answer waits a moment for company."""
        seen = 0
        listener = _Listener()
        self._listeners.append(listener)
        try:
            while True:
                if seen == len(self.told):
                    if self.over:
                        return
                    listener.news.clear()
                    await listener.news.wait()
                    continue
                if not self.over and all(isinstance(one, UNHURRIED) for one in self.told[seen:]):
                    listener.pressing.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(COMPANY_SECONDS):
                            await listener.pressing.wait()
                fresh, seen = self.told[seen:], len(self.told)
                yield fresh
        finally:
            self._listeners.remove(listener)

    async def follow(self) -> AsyncGenerator[Event, None]:
        """As `batches`, one by one."""
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for event in batch:
                    yield event
