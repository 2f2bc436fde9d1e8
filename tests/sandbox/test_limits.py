"""Every limit, met for real in a turn: what is stopped, and what the person is told."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from guardrails.actor import Actor
from guardrails.errors import BadInput
from sandbox import ceilings
from sandbox.events import Notice
from sandbox.limits import CEILING, Limits
from tests.house import House
from tests.upstream import Say
from ui.messages import LANGUAGES, say

in_the_house = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def pool_ceiling(home: House) -> Iterator[None]:
    """Policy's ceilings as they were, afterwards."""
    before = home.app.pool.ceiling
    yield
    home.app.pool.ceiling = before


@in_the_house
@pytest.mark.usefixtures("pool_ceiling")
@pytest.mark.parametrize(
    ("lower", "code", "key", "names"),
    [
        ({"cpu_s": 1.0}, "while True: pass", "seal.limit.cpu", "1 "),
        ({"memory_mib": 64}, "x = bytearray(400 << 20)", "seal.limit.memory", "64"),
        ({"output_bytes": 2048}, "print('x' * 100_000)", "seal.limit.cut", "2"),
        (
            {"files": 1},
            "for n in range(3): open(f'{n}.txt', 'w').write('x')",
            "seal.limit.files",
            "2",
        ),
        (
            {"file_bytes": 512 * 1024},
            "open('big.txt', 'w').write('x' * 600_000)",
            "seal.limit.files",
            "0.5",
        ),
        ({}, "import os; os._exit(3)", "seal.limit.killed", ""),
    ],
)
async def test_a_limit_of_the_code_is_told_to_the_person(
    home: House, marie: Actor, lower: dict[str, float], code: str, key: str, names: str
) -> None:
    home.app.pool.ceiling = ceilings.lowered(lower)
    home.script(Say(tools=[("python", {"code": code})]), Say("That did not work."))
    reply = await home.send(marie, "Count the rows", "spreadsheet-analyst")
    assert reply.status == "done"
    told = [event for event in home.events if isinstance(event, Notice) and event.key == key]
    assert len(told) == 1, home.notices
    for language in LANGUAGES:
        assert names in say(language, key, **told[0].data)


@in_the_house
@pytest.mark.usefixtures("pool_ceiling")
@pytest.mark.parametrize(
    ("lower", "error"),
    [
        ({"model_calls": 2}, "limit-model-calls"),
        ({"tool_calls": 1}, "limit-tool-calls"),
        ({"wall_s": 2.0}, "limit-time"),
    ],
)
async def test_a_limit_of_the_turn_ends_it_with_a_reason(
    home: House, marie: Actor, lower: dict[str, float], error: str
) -> None:
    home.app.pool.ceiling = ceilings.lowered(lower)
    again = Say(tools=[("python", {"code": "import time; time.sleep(1); print(1)"})])
    home.script(*[again] * 12)
    reply = await home.send(marie, "Count the rows", "spreadsheet-analyst")
    assert (reply.status, reply.error) == ("failed", error)
    for language in LANGUAGES:
        assert say(language, f"error.{error}", **reply.error_data)


def test_ceilings_are_kept_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / ceilings.FILE
    assert ceilings.load(file) == CEILING
    ceilings.save(file, ceilings.lowered({"wall_s": 30, "files": 2}))
    assert ceilings.load(file) == replace(CEILING, wall_s=30.0, files=2)
    assert "memory" not in file.read_text("utf-8")


@pytest.mark.parametrize("text", ["{", "[]", '{"wall": 1}', '{"files": 1e9}', '{"files": true}'])
def test_a_broken_file_of_ceilings_stops_the_start(text: str, tmp_path: Path) -> None:
    file = tmp_path / ceilings.FILE
    file.write_text(text, "utf-8")
    with pytest.raises(BadInput, match="limits-file"):
        ceilings.load(file)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"wall": 1}, "limits-unknown"),
        ({"wall_s": 0}, "limits-range"),
        ({"memory_mib": 1 << 20}, "limits-range"),
    ],
)
def test_a_ceiling_is_between_what_works_and_the_products_own(
    given: dict[str, float], code: str
) -> None:
    with pytest.raises(BadInput, match=code):
        ceilings.lowered(given)


def test_defaults_are_under_the_ceiling() -> None:
    assert Limits().within(CEILING) == Limits()
