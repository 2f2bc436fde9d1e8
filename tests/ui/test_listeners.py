"""How many pages of one person follow turns, and that signing out ends what they hear."""

import asyncio
from collections.abc import AsyncGenerator

from starlette.requests import Request

from tests.ui.api_client import served, with_accounts
from tests.ui.fake_house import House
from ui.identity import SESSION_COOKIE
from ui.listeners import Listeners
from ui.routes.chat import heard
from ui.routes.common import Rates
from ui.routes.events import EventStream, line


class Turn:
    """Events that come when the test says so; `left` counts listeners that went."""

    def __init__(self) -> None:
        self.more = asyncio.Event()
        self.left = 0

    async def events(self) -> AsyncGenerator[str, None]:
        try:
            yield "begin"
            await self.more.wait()
            yield "reply"
        finally:
            self.left += 1


async def collect(listeners: Listeners, person: str, turn: Turn) -> list[str]:
    return [event async for event in listeners.heard(person, turn.events(), lambda code: code)]


async def started(listeners: Listeners, person: str, n: int) -> None:
    while listeners.count(person) < n:
        await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_with_one_page_too_many_the_oldest_is_let_go_and_told() -> None:
    listeners, turn = Listeners(most=2), Turn()
    tasks = [asyncio.create_task(collect(listeners, "ana", turn)) for _ in range(2)]
    await started(listeners, "ana", 2)
    other = asyncio.create_task(collect(listeners, "ben", turn))
    tasks.append(asyncio.create_task(collect(listeners, "ana", turn)))
    assert await tasks[0] == ["begin", "listeners-many"]
    assert turn.left == 1 and listeners.count("ana") == 2
    turn.more.set()
    assert await asyncio.gather(*tasks[1:], other) == [["begin", "reply"]] * 3
    assert listeners.count("ana") == listeners.count("ben") == 0


async def test_who_goes_by_themselves_is_not_told_anything() -> None:
    listeners, turn = Listeners(most=2), Turn()
    task = asyncio.create_task(collect(listeners, "ana", turn))
    await started(listeners, "ana", 1)
    task.cancel()
    assert (await asyncio.gather(task, return_exceptions=True))[0].__class__ is (
        asyncio.CancelledError
    )
    assert listeners.count("ana") == 0 and turn.left == 1


async def test_whoever_signs_out_hears_no_more_and_others_do(quiet_house: House) -> None:
    house, counters = quiet_house, Rates()
    cookies = with_accounts(house)
    served(house, counters)
    person = house.people.find("staff")
    assert person is not None
    second = house.identity.begin(person)

    def request(cookie: str) -> Request:
        headers = [(b"cookie", f"{SESSION_COOKIE}={cookie}".encode()), (b"host", b"127.0.0.1")]
        # what `served` gives to its routes
        state = type("State", (), {})()
        state.state = type("S", (), {"services": house, "rates": counters})()
        return Request({"type": "http", "method": "GET", "headers": headers, "app": state})

    turn = Turn()

    async def events() -> AsyncGenerator[bytes, None]:
        async for event in turn.events():
            yield line(event, event)

    async def listen(cookie: str) -> list[str]:
        asked = request(cookie)
        who = house.identity.person(asked)
        assert who is not None
        response = EventStream(heard(asked, who, events()))
        names: list[str] = []

        async def send(message: dict[str, object]) -> None:
            body = message.get("body", b"")
            assert isinstance(body, bytes)
            names.extend(
                line.removeprefix("event: ")
                for line in body.decode().splitlines()
                if line.startswith("event: ")
            )

        async def receive() -> dict[str, object]:
            await asyncio.Event().wait()
            return {}

        await response({"type": "http", "method": "GET", "headers": []}, receive, send)  # type: ignore[arg-type]
        return names

    first, other = (asyncio.create_task(listen(each)) for each in (cookies["staff"], second))
    await started(counters.listeners, person.id, 2)
    await asyncio.to_thread(house.identity.sign_out, request(cookies["staff"]))
    assert await first == ["begin", "error"]
    turn.more.set()
    assert await other == ["begin", "reply"]
