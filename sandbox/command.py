"""What `atelier sandbox exec` and `atelier sandbox check` do: one cold run, no pool, no server."""

import asyncio
import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from sandbox.checked import Checked
from sandbox.execute import MAX_CODE, Execution, figures, fill, run_on
from sandbox.launch.base import Launcher, LaunchFailed, Runtime
from sandbox.launch.choose import choose, choose_or_refuse
from sandbox.launch.refuse import NoSeal, Refusing
from sandbox.limits import CEILING, Limits
from sandbox.rundirs import default_runs, make_runs, sweep
from sandbox.starting import Source
from sandbox.wire import WireError

log = logging.getLogger(__name__)
START_S = 30.0
DATA_MODULES = ("pandas", "numpy", "openpyxl", "matplotlib", "pypdf", "docx")


def run_exec(
    code: str,
    time_s: float | None = None,
    memory_mib: int | None = None,
    unsafe: bool = False,
    home: Path | None = None,
) -> dict[str, object]:
    """Run `code` as an agent's Python tool would, in a fresh sealed process.

    Returns `status` (ok, error, timeout, memory, killed, refused), `output`, `wall_s`, `backend`
    and the names and sizes of its `artefacts`. `home` is where a self-check's result is kept.
    """
    limits = Limits()
    if time_s is not None:
        limits = replace(limits, wall_s=time_s, cpu_s=time_s)
    if memory_mib is not None:
        limits = replace(limits, memory_mib=memory_mib)
    try:
        launcher = choose(unsafe, home)
    except NoSeal as error:
        return _shown(Execution("refused", "", 0.0, "", message=str(error.data["fix"])))
    if len(code.encode("utf-8", "replace")) > MAX_CODE:
        return _shown(Execution("refused", "", 0.0, launcher.name, message="seal.refused.code"))
    return _shown(run_cold(launcher, code, limits.within(CEILING)))


def run_check(home: Path | None = None) -> dict[str, object]:
    """Try to break out of each rung now; say what held. `backend` is the one that would be used."""
    found = check_now(home)
    backend = "" if found.backend == "refuse" else found.backend
    checks = [asdict(check) for check in found.checks]
    return {"backend": backend, "fix": found.fix, "checks": checks}


def check_now(home: Path | None = None, unsafe: bool = False) -> Checked:
    """Try to break out of each rung now, and keep the result in `home`. Takes some seconds."""
    from sandbox.launch.self_check import report

    checks = report(home)
    return replace(checked(choose_or_refuse(unsafe, home), home), checks=tuple(checks))


def checked(launcher: Launcher, home: Path | None) -> Checked:
    """What is known of the seal in use, without trying anything."""
    from sandbox.launch.self_check import known

    checks, at = known(home)
    when = datetime.fromtimestamp(at, UTC) if at else None
    fix = launcher.fix if isinstance(launcher, Refusing) else ""
    return Checked(launcher.name, tuple(checks), when, fix)


def run_cold(
    launcher: Launcher, code: str, limits: Limits, files: Mapping[str, bytes | Path] | None = None
) -> Execution:
    """One run in one process that is started for it. Never raises for what the code does."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_run_cold(launcher, code, limits, files or {}))
    # called at the start of a server, whose loop already runs here
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _run_cold(launcher, code, limits, files or {})).result()


async def _run_cold(
    launcher: Launcher, code: str, limits: Limits, files: Mapping[str, bytes | Path]
) -> Execution:
    runs = default_runs()
    make_runs(runs)
    sweep(runs)
    began = time.monotonic()
    # its imports must not count against the run's limits, as they do not in a warm process
    runtime: Runtime = "data" if any(name in code for name in DATA_MODULES) else "bare"
    # the process dies with the thread that started it, so that thread waits with us
    with ThreadPoolExecutor(1) as thread:
        source = Source(launcher.starter(runtime, runs), thread, launcher.name, runtime, runs)
        try:
            sealed = await source.bring_up(int(time.time()), START_S)
            try:
                fill(sealed.inbox, files)
                return await run_on(sealed, code, limits)
            finally:
                await sealed.kill()
        except (LaunchFailed, WireError, TimeoutError, OSError) as error:
            log.error("a sealed process did not start: %s", error)
            wall_s = round(time.monotonic() - began, 4)
            return Execution("refused", "", wall_s, launcher.name, message="seal.refused.pool")
        finally:
            source.starter.close()


def _shown(execution: Execution) -> dict[str, object]:
    return {
        "status": execution.status,
        "output": execution.output,
        "wall_s": execution.wall_s,
        "backend": execution.backend,
        "message": execution.message,
        "figures": figures(execution),
        "limits": execution.limits.as_frame(),
        "cut": execution.cut,
        "dropped": execution.dropped,
        "artefacts": [
            {"name": artefact.name, "media_type": artefact.media_type, "size": len(artefact.data)}
            for artefact in execution.artefacts
        ],
    }
