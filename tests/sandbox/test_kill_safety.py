"""Whoever is killed, and whenever: no process stays, and no directory after the next start."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sandbox.launch.base import Backend
from sandbox.launch.self_check import RUNGS
from sandbox.limits import Limits
from sandbox.pool import Pool
from tests.sandbox import rungs

SERVER = """
import asyncio, os, sys
from pathlib import Path
from sandbox.launch.self_check import launcher_for
from sandbox.launch.unsealed import Unsealed
from sandbox.limits import Limits
from sandbox.pool import Pool

async def main():
    launcher = Unsealed() if sys.argv[1] == "none" else launcher_for(sys.argv[1])
    pool = Pool(launcher, {"bare": 2}, Limits(wall_s=300.0), runs=Path(sys.argv[2]))
    await pool.start()
    sealed = await pool.take("bare")
    await sealed.send({"t": "python", "limits": sealed.limits.as_frame(),
                       "code": "import threading, time\\n"
                               "threading.Thread(target=time.sleep, args=(600,)).start()\\n"
                               "while True: time.sleep(1)"})
    await asyncio.sleep(0.3)
    print("running", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def wait_until_gone(processes: list[psutil.Process], seconds: float = 10.0) -> list[psutil.Process]:
    """Those that are still there afterwards; a zombie that its new parent has not met is gone."""
    end = time.monotonic() + seconds
    alive = processes
    while alive and time.monotonic() < end:
        time.sleep(0.05)
        alive = [one for one in alive if one.is_running() and not _zombie(one)]
    return alive


def _zombie(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


@pytest.mark.parametrize("backend", [*RUNGS, "none"])
def test_a_killed_server_leaves_no_process_and_the_next_start_sweeps(
    backend: Backend, tmp_path: Path
) -> None:
    launcher = rungs.backend(backend)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, backend, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == "running\n"
        processes = descendants(server.pid)
        assert len(processes) >= 2
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
        if server.stdout:
            server.stdout.close()
    assert wait_until_gone(processes) == []
    left = set(tmp_path.iterdir())
    assert left, "the killed server could not tidy up"

    async def next_start() -> None:
        pool = Pool(launcher, {"bare": 1}, Limits(), runs=tmp_path)
        await pool.start()
        assert not left & set(tmp_path.iterdir())
        await pool.close()

    asyncio.run(next_start())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rung", RUNGS)
async def test_a_killed_run_is_seen_at_once_and_alone(rung: Backend, tmp_path: Path) -> None:
    launcher = rungs.backend(rung)
    pool = Pool(launcher, {"bare": 2}, Limits(wall_s=60.0), runs=tmp_path)
    await pool.start()
    one, two = await pool.take("bare"), await pool.take("bare")
    started = time.monotonic()
    os.kill(one.pid, signal.SIGKILL)
    assert await one.receive(20) is None
    assert (await one.wait()).status == "killed"
    assert time.monotonic() - started < 10
    job = {"t": "python", "code": "print('alive')", "limits": two.limits.as_frame()}
    await two.send(dict(job))
    frame = await two.receive(20)
    assert frame is not None
    assert frame["text"] == "alive\n"
    await two.kill()
    await pool.close()


def test_nothing_stays_mounted(tmp_path: Path) -> None:
    mounts = Path("/proc/self/mounts").read_text("utf-8")
    assert "atelier-runs" not in mounts
    assert str(tmp_path) not in mounts
