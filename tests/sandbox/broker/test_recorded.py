"""Intent first: what an act may do before its record is on the disk, and what it leaves behind."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from guardrails.audit.ledger import Act
from guardrails.errors import LedgerUnavailable
from sandbox.broker.recorded import announced

ACT = Act("turn", "u_1")


@dataclass
class Book:
    """A ledger whose disk answers when the test says so."""

    disk: "asyncio.Future[int]" = field(default_factory=asyncio.Future)
    outcomes: list[tuple[int, str]] = field(default_factory=list)

    async def aintent(self, _act: Act) -> int:
        return await asyncio.shield(self.disk)

    async def aoutcome(self, intent: int, verdict: str, _payload: Mapping[str, object]) -> int:
        self.outcomes.append((intent, verdict))
        return intent + 1


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_announced_act_looks_at_once_and_acts_when_its_record_is_on_the_disk() -> None:
    book, done = Book(), []

    async def turn() -> None:
        async with announced(book, ACT) as act:  # type: ignore[arg-type]
            done.append("looked")
            await act.durable()
            done.append("acted")

    task = asyncio.create_task(turn())
    await _settle()
    assert done == ["looked"]
    book.disk.set_result(7)
    await task
    assert done == ["looked", "acted"]
    assert book.outcomes == [(7, "allow")]


async def test_an_announced_act_that_cannot_be_recorded_does_not_happen() -> None:
    book, done = Book(), []
    book.disk.set_exception(LedgerUnavailable(why="disk"))
    with pytest.raises(LedgerUnavailable):
        async with announced(book, ACT) as act:  # type: ignore[arg-type]
            await act.durable()
            done.append("acted")
    assert (done, book.outcomes) == ([], [])


async def test_a_block_that_never_acts_fails_all_the_same_when_its_record_does() -> None:
    book = Book()
    with pytest.raises(LedgerUnavailable):
        async with announced(book, ACT):  # type: ignore[arg-type]
            book.disk.set_exception(LedgerUnavailable(why="disk"))


async def test_an_announced_act_that_is_stopped_has_an_outcome() -> None:
    book = Book()

    async def turn() -> None:
        async with announced(book, ACT) as act:  # type: ignore[arg-type]
            await act.durable()

    task = asyncio.create_task(turn())
    await _settle()
    task.cancel()
    await _settle()
    book.disk.set_result(3)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert book.outcomes == [(3, "interrupted")]
