"""The seal: how fast a sealed process answers, what it weighs, what it holds, and what peers take.

    python -m bench.seal [--quick]

`--quick` leaves out the attack suites and the peers. Peers come from npm into a temporary folder;
where that does not work they are left out and named.
"""

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench.clock import percentile
from bench.table import Row, show
from sandbox.command import run_cold
from sandbox.execute import run_on
from sandbox.launch.base import Launcher, Runtime
from sandbox.launch.choose import choose
from sandbox.launch.self_check import RUNGS, launcher_for
from sandbox.limits import MIB, Limits
from sandbox.pool import Pool

ROOT = Path(__file__).resolve().parents[1]
CODE = "print(6*7)"
LIMITS = Limits(wall_s=30.0)
NPM = ("@anthropic-ai/sandbox-runtime@0.0.83", "deno@2.9.6", "pyodide@314.0.7")
PYODIDE = (
    f'import {{ loadPyodide }} from "pyodide";const p = await loadPyodide(); p.runPython({CODE!r});'
)


def main() -> None:
    """Print the table."""
    launcher = choose()
    cold_ms = [_cold(launcher) for _ in range(20)]
    warm_ms = asyncio.run(_warm(launcher, 40))
    rows = [
        Row("warm start to first frame, p50", percentile(warm_ms, 50), "ms", 2),
        Row("warm start to first frame, p95", percentile(warm_ms, 95), "ms", 10),
        Row("cold start to the answer, lean Python, p50", percentile(cold_ms, 50), "ms", 120),
        Row("the same, fastest", min(cold_ms), "ms"),
        Row("sealed runs of print(6*7)", asyncio.run(_rate(launcher)), "/s", 60, least=True),
    ]
    for runtime, target_s, target_mb in (("agent", 2.5, 60), ("data", None, None)):
        first, next_ms, megabytes = asyncio.run(_start(launcher, runtime))  # type: ignore[arg-type]
        rows.append(Row(f"{runtime} runtime, first process ready", first, "s", target_s))
        rows.append(Row(f"{runtime} runtime, each one after it", next_ms, "ms"))
        if megabytes:
            rows.append(Row(f"{runtime} runtime, idle, PSS", megabytes, "MB", target_mb))
    load = os.getloadavg()[0]
    show(f"the seal: {launcher.name} (load {load:.1f} on {os.cpu_count()} cores)", rows)
    if "--quick" not in sys.argv:
        show("attacks contained", _attacks())
        show("the same snippet elsewhere, whole process", _peers(percentile(cold_ms, 50)))


def _cold(launcher: Launcher) -> float:
    began = time.perf_counter()
    done = run_cold(launcher, CODE, LIMITS)
    if done.output != "42\n":
        raise RuntimeError(f"the sealed process said {done.status}")
    return (time.perf_counter() - began) * 1000


async def _warm(launcher: Launcher, runs: int) -> list[float]:
    """Milliseconds from asking the pool to the first frame of the answer, nothing else running."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        pool = Pool(launcher, {"bare": 2}, LIMITS, runs=Path(folder))
        await pool.start()
        for _ in range(runs):
            while pool.status()["ready"] != {"bare": 2}:
                await asyncio.sleep(0.01)
            began = time.perf_counter()
            sealed = await pool.take("bare")
            limits = sealed.limits.as_frame()
            await sealed.send({"t": "python", "code": CODE, "limits": limits})
            await sealed.receive()
            found.append((time.perf_counter() - began) * 1000)
            await sealed.kill()
        await pool.close()
    return found


async def _rate(launcher: Launcher, seconds: float = 6.0) -> float:
    """Whole runs per second, each in a process of its own, refill included."""
    with tempfile.TemporaryDirectory() as folder:
        pool = Pool(launcher, {"bare": 4}, LIMITS, runs=Path(folder))
        await pool.start()
        (await pool.warm("bare")).discard()
        began, done = time.perf_counter(), 0

        async def work() -> None:
            nonlocal done
            while time.perf_counter() - began < seconds:
                sealed = await pool.warm("bare")
                answer = await run_on(sealed, CODE, LIMITS)
                sealed.discard()
                done += answer.output == "42\n"

        await asyncio.gather(*(work() for _ in range(4)))
        rate = done / (time.perf_counter() - began)
        await pool.close()
    return rate


async def _start(launcher: Launcher, runtime: Runtime) -> tuple[float, float, float]:
    """Seconds until the first is ready, milliseconds for a later one, an idle one's PSS in MB.

    Three are alive when memory is read: what they share counts a part for each, as in a pool;
    what they are copies of counts as a fourth. PSS is 0 where unreadable.
    """
    took = []
    with tempfile.TemporaryDirectory() as folder:
        pool = Pool(launcher, {runtime: 0}, LIMITS, runs=Path(folder))
        await pool.start()
        alive = []
        for _ in range(3):
            began = time.perf_counter()
            alive.append(await pool.warm(runtime))
            took.append(time.perf_counter() - began)
        sizes = [_pss(one.pid) for one in alive]
        for one in alive:
            await one.kill()
        await pool.close()
    return took[0], min(took[1:]) * 1000, statistics.median(sizes)


def _pss(pid: int) -> float:
    try:
        return float(psutil.Process(pid).memory_full_info().pss) / MIB
    except psutil.Error:
        return 0.0


def _attacks() -> list[Row]:
    rows = []
    for rung in RUNGS:
        if launcher_for(rung) is None:
            print(f"{rung} is not available here")
            continue
        command = [sys.executable, "-m", "tests.sandbox.attacks.run", rung, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
        found = json.loads(done.stdout)
        contained = sum(not one["escaped"] for one in found)
        rows.append(Row(f"{rung}, as this user", contained, "", len(found), least=True))
    return rows


def _peers(ours_ms: float) -> list[Row]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, command in _peer_commands(Path(folder)).items():
            times = [_timed(command, folder) for _ in range(3)]
            if None in times:
                print(f"{name}: does not run here")
                continue
            best = min(one for one in times if one is not None)
            rows.append(Row(f"ours, against {name}", ours_ms, "ms", peer=(name, best)))
    return rows


def _peer_commands(folder: Path) -> dict[str, list[str]]:
    npm = shutil.which("npm")
    if npm is None:
        print("peers: npm is not here")
        return {}
    install = [npm, "install", "--no-audit", "--no-fund", "--silent", *NPM]
    done = subprocess.run(install, cwd=folder, capture_output=True, timeout=180, check=False)
    if done.returncode:
        print("peers: npm could not install them")
        return {}
    (folder / "pyodide.mjs").write_text(PYODIDE, "utf-8")
    (folder / "one.py").write_text(CODE, "utf-8")
    binaries = folder / "node_modules" / ".bin"
    return {
        "sandbox-runtime": [str(binaries / "srt"), "--", "/usr/bin/python3", "one.py"],
        "Deno + Pyodide": [str(binaries / "deno"), "run", "-A", "pyodide.mjs"],
    }


def _timed(command: list[str], folder: str) -> float | None:
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    return (time.perf_counter() - began) * 1000 if done.stdout.strip() == "42" else None


if __name__ == "__main__":
    main()
