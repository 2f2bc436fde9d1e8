"""Warm processes serve one run and die; nothing passes from one to another; nothing is left."""

import asyncio
import contextlib
import gc
import os
import resource
import shutil
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from sandbox.execute import Execution, execute, fill, parse, run_on
from sandbox.launch.base import Backend, Launcher, LaunchFailed, Plan, Runtime, Started, Starter
from sandbox.launch.self_check import launcher_for
from sandbox.limits import Limits
from sandbox.pool import Pool, PoolClosed
from sandbox.rundirs import new_run, sweep

LIMITS = Limits(wall_s=20.0, cpu_s=10.0, memory_mib=128)


@pytest.fixture
def launcher() -> Launcher:
    found = launcher_for("bubblewrap") or launcher_for("landlock")
    if found is None:
        pytest.fail("no rung is available here")
    return found


@pytest.fixture
async def pool(launcher: Launcher, tmp_path: Path) -> AsyncIterator[Pool]:
    """Two lean processes, kept warm."""
    one = Pool(launcher, {"bare": 2}, LIMITS, runs=tmp_path / "runs")
    await one.start()
    yield one
    await one.close()
    assert one.status()["live"] == 0
    assert list((tmp_path / "runs").iterdir()) == []
    gc.collect()  # an unclosed socket would be reported here


async def kill(processes: list[psutil.Process]) -> None:
    """Kill these, and wait until they and all below them are gone and the pool has heard of it."""
    below = psutil.Process().children(recursive=True)
    for one in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # a parent's death takes its children along
            one.kill()
    async with asyncio.timeout(60):
        while any(_runs(one) for one in below):
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.05)


def _runs(one: psutil.Process) -> bool:
    try:
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def run(pool: Pool, code: str, limits: Limits = LIMITS) -> Execution:
    sealed = await pool.warm("bare")
    try:
        return await run_on(sealed, code, limits)
    finally:
        sealed.discard()


async def test_each_run_gets_a_process_of_its_own(pool: Pool) -> None:
    first = await run(pool, "import builtins; builtins.left = 1; open('/tmp/left', 'w').close()")
    code = "import builtins, os; hasattr(builtins, 'left'), os.path.exists('/tmp/left')"
    assert first.status == "ok"
    assert (await run(pool, code)).output == "(False, False)\n"


async def test_the_pool_refills_in_the_background(pool: Pool) -> None:
    for _ in range(5):
        assert (await run(pool, "1")).status == "ok"
    async with asyncio.timeout(30):
        while pool.status()["ready"] != {"bare": 2}:
            await asyncio.sleep(0.05)


async def test_many_takers_at_once_are_all_served(pool: Pool) -> None:
    done = await asyncio.gather(*(run(pool, f"{n} * 2") for n in range(6)))
    assert [one.output for one in done] == [f"{n * 2}\n" for n in range(6)]


async def test_two_live_runs_see_nothing_of_each_other(pool: Pool) -> None:
    code = """
import os, time
open('/tmp/mine', 'w').close()
time.sleep(0.7)
seen = [n for n in range(2, 200) if os.path.exists(f'/proc/{n}')]
print(sorted(os.listdir('/tmp')), seen, os.listdir('/data'))
for n in range(1, 300):
    try: os.kill(n, 15)
    except (ProcessLookupError, PermissionError): continue
    if n > 3: print('killed', n)
print('here')
"""
    code = code.replace("os.kill(n, 15)", "os.kill(n, 0)")
    one, two = await asyncio.gather(run(pool, code), run(pool, code))
    assert one.status == two.status == "ok"
    assert one.output == two.output == "['mine'] [] []\nhere\n" or "killed" not in one.output


async def test_a_cancelled_taker_loses_no_process(pool: Pool) -> None:
    takers = [asyncio.create_task(pool.take("bare")) for _ in range(6)]
    await asyncio.sleep(0.01)
    for taker in takers:
        taker.cancel()
    await asyncio.gather(*takers, return_exceptions=True)
    for taker in takers:
        if not taker.cancelled() and not taker.exception():
            taker.result().discard()
    assert (await run(pool, "6*7")).output == "42\n"


async def test_closing_while_starting_leaves_nothing(launcher: Launcher, tmp_path: Path) -> None:
    before = len(psutil.Process().children(recursive=True))
    one = Pool(launcher, {"bare": 4}, LIMITS, runs=tmp_path)
    await one.start()
    await asyncio.sleep(0.02)
    await one.close()
    assert len(psutil.Process().children(recursive=True)) <= before
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(PoolClosed):
        await one.take("bare")


async def test_a_process_that_died_while_idle_is_not_handed_out(pool: Pool) -> None:
    async with asyncio.timeout(30):
        while pool.status()["ready"] != {"bare": 2}:
            await asyncio.sleep(0.05)
    await kill(psutil.Process().children())
    assert (await run(pool, "6*7")).output == "42\n"


async def test_a_death_that_the_loop_has_not_heard_of_is_seen_at_the_hand_over(pool: Pool) -> None:
    async with asyncio.timeout(30):
        while pool.status()["ready"] != {"bare": 2}:
            await asyncio.sleep(0.05)
    below = psutil.Process().children(recursive=True)
    for one in below:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    while any(_runs(one) for one in below):
        time.sleep(0.02)  # the loop is kept from hearing of it
    assert (await run(pool, "6*7")).output == "42\n"


async def test_a_server_with_thousands_of_open_descriptors_starts_processes(
    launcher: Launcher, tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    one = Pool(launcher, {"bare": 1}, LIMITS, runs=tmp_path)
    try:
        await one.start()
        for _ in range(3):
            assert (await run(one, "6*7")).output == "42\n"
    finally:
        await one.close()
        for each in held:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_runs_of_one_template_do_not_draw_the_same_numbers(
    launcher: Launcher, tmp_path: Path
) -> None:
    one = Pool(launcher, {"data": 2}, LIMITS, runs=tmp_path)
    await one.start()
    code = "import random, uuid, numpy; print(random.random(), uuid.uuid4(), numpy.random.rand())"
    drawn = [(await execute(one, code)).output.split() for _ in range(3)]
    for position in range(3):
        assert len({numbers[position] for numbers in drawn}) == 3
    await one.close()


async def test_a_pool_goes_on_when_what_it_starts_from_was_killed(pool: Pool) -> None:
    assert (await run(pool, "6*7")).output == "42\n"
    await kill(psutil.Process().children(recursive=True))
    for _ in range(4):
        assert (await run(pool, "6*7")).output == "42\n"


async def test_a_pool_goes_on_when_its_folder_was_removed(pool: Pool, tmp_path: Path) -> None:
    assert (await run(pool, "6*7")).output == "42\n"
    shutil.rmtree(tmp_path / "runs")
    async with asyncio.timeout(30):
        while True:
            try:
                done = await run(pool, "6*7")
            except PoolClosed:
                continue
            if done.output == "42\n" and (tmp_path / "runs").exists():
                break


async def test_the_memory_budget_bounds_idle_processes(launcher: Launcher, tmp_path: Path) -> None:
    one = Pool(launcher, {"bare": 8}, LIMITS, runs=tmp_path, memory_mib=10)
    await one.start()
    await asyncio.sleep(0.3)
    assert one.status()["live"] == 0
    assert (await run(one, "6*7")).output == "42\n"  # who waits is served all the same
    await one.close()


async def test_the_clock_of_a_run_starts_when_it_is_taken(pool: Pool) -> None:
    began = time.monotonic()
    done = await run(pool, "import time; time.sleep(30)", Limits(wall_s=0.5))
    assert done.status == "timeout"
    assert time.monotonic() - began < 15


async def test_limits_stay_under_the_ceiling(launcher: Launcher, tmp_path: Path) -> None:
    one = Pool(launcher, {}, ceiling=Limits(wall_s=5, files=2), runs=tmp_path)
    bounded = one.bounded(Limits(wall_s=1000, files=100, memory_mib=1))
    assert (bounded.wall_s, bounded.files, bounded.memory_mib) == (5, 2, 16)
    await one.close()


@dataclass
class Failing:
    """A launcher that fails some times and then works."""

    real: Launcher
    times: int
    name: Backend = "bubblewrap"
    tried: list[float] = field(default_factory=list)

    def starter(self, runtime: Runtime, runs: Path) -> Starter:
        real = self.real.starter(runtime, runs)

        def start(plan: Plan) -> Started:
            self.tried.append(time.monotonic())
            if len(self.tried) <= self.times:
                raise LaunchFailed(self.name, "no namespaces today")
            return real.start(plan)

        return Kept(start, real.close)


@dataclass
class Kept:
    """A starter of two functions."""

    start: Callable[[Plan], Started]
    close: Callable[[], None]


async def test_a_start_that_fails_tells_who_waits_and_is_tried_again(
    launcher: Launcher, tmp_path: Path
) -> None:
    one = Pool(Failing(launcher, 2), {"bare": 1}, LIMITS, runs=tmp_path)
    await one.start()
    with pytest.raises(PoolClosed, match="no namespaces today"):
        await one.take("bare")
    async with asyncio.timeout(20):
        while one.status()["ready"] != {"bare": 1}:
            await asyncio.sleep(0.05)
    assert "no namespaces" in str(one.status()["last_error"])
    await one.close()


async def test_one_start_that_fails_costs_who_waits_nothing(
    launcher: Launcher, tmp_path: Path
) -> None:
    one = Pool(Failing(launcher, 1), {"bare": 1}, LIMITS, runs=tmp_path)
    await one.start()
    assert (await run(one, "6*7")).output == "42\n"
    assert one.status()["failures"] == {"bare": 0}
    await one.close()


async def test_a_pool_that_cannot_start_refuses_the_code(
    tmp_path: Path, launcher: Launcher
) -> None:
    one = Pool(Failing(launcher, 1000), {"data": 1}, LIMITS, runs=tmp_path)
    await one.start()
    done = await execute(one, "1")
    assert (done.status, done.message) == ("refused", "seal.refused.pool")
    await one.close()


async def test_uploaded_files_are_read_only_and_gone_afterwards(pool: Pool, tmp_path: Path) -> None:
    source = tmp_path / "source.csv"
    source.write_text("a\n1\n", "utf-8")
    sealed = await pool.warm("bare")
    fill(sealed.inbox, {"../x.csv": b"a\n", "copy.csv": source})
    inbox = sealed.inbox
    code = """
for name in ('x.csv', 'copy.csv'):
    try: open(name, 'a')
    except OSError as error: print(name, type(error).__name__, len(open(name).read()))"""
    done = await run_on(sealed, code, LIMITS)
    await sealed.kill()
    assert done.output.split("\n")[:2] == ["x.csv OSError 2", "copy.csv OSError 4"] or (
        done.output.count("PermissionError") == 2
    )
    assert not inbox.exists()


@pytest.mark.timeout(300)
async def test_the_data_runtime_is_warm_and_reads_documents(
    launcher: Launcher, tmp_path: Path
) -> None:
    one = Pool(launcher, {"data": 1}, LIMITS, runs=tmp_path)
    await one.start()
    done = await execute(
        one,
        "import pandas as pd\nint(pd.read_csv('x.csv').b.sum())",
        files={"x.csv": b"a,b\n1,2\n3,4\n"},
    )
    assert (done.status, done.output) == ("ok", "6\n")
    passages = await parse(one, "note.txt", "Bonjour à tous.\n".encode())
    assert "Bonjour à tous." in str(passages[0]["text"])
    await one.close()


def test_directories_of_dead_servers_are_swept_and_of_living_ones_kept(tmp_path: Path) -> None:
    mine = new_run(tmp_path)
    for name in (f"run-{os.getpid()}-1-old", "run-999999999-1-x", "run-odd"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    assert sweep(tmp_path) == 3
    assert list(tmp_path.iterdir()) == [mine]
