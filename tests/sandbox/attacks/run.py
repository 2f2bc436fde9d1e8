"""Run the attacks of the table on one rung, or bare as their own control.

`python -m tests.sandbox.attacks.run bubblewrap|landlock|bare [--json]`
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from sandbox.execute import Execution, fill, run_on
from sandbox.launch.base import Launcher
from sandbox.launch.self_check import launcher_for
from sandbox.pool import Pool
from sandbox.rundirs import default_runs
from tests.sandbox.attacks.bait import Bait
from tests.sandbox.attacks.table import ATTACKS, PRELUDE, Attack

BARE_S = 30.0
HEAD_START_S = 0.5


@dataclass(frozen=True)
class Row:
    """One attack's end. `detail` says what it got, or how it was stopped."""

    group: str
    name: str
    escaped: bool
    detail: str


async def attack(one: Attack, pool: Pool) -> Row:
    """One attack inside the seal."""
    backend = pool.launcher.name
    with Bait() as bait:
        # the second rung keeps the bounding set: without a capability it cannot be changed
        facts = {**bait.facts, "temporary": "/tmp", "bounded": backend == "bubblewrap"}
        facts["runs"] = str(default_runs())

        async def run(code: str) -> Execution:
            sealed = await pool.warm("bare")
            try:
                fill(sealed.inbox, {"x.csv": b"a,b\n1,2\n"})
                return await run_on(sealed, _whole(code, facts), one.limits)
            finally:
                await sealed.kill()

        first = asyncio.create_task(run(one.before))
        await (asyncio.sleep(HEAD_START_S) if one.beside else first)
        done = await run(one.code)
        await first
        touched = bait.touched()
    said = done.output.strip().splitlines()
    escaped = "ESCAPED" in said or bool(touched)
    last = said[-1] if said else ""
    return Row(one.group, one.name, escaped, touched or f"{done.status}: {last}"[:100])


def control(one: Attack) -> Row:
    """The same attack in a plain process of this user: it must work there."""
    with Bait() as bait, tempfile.TemporaryDirectory() as folder:
        with ThreadPoolExecutor(1) as thread:
            first = thread.submit(_bare, _whole(one.before, bait.facts), folder)
            time.sleep(HEAD_START_S) if one.beside else first.result()
            said = _bare(_whole(one.code, bait.facts), folder)
        touched = bait.touched()
    lines = said.strip().splitlines()
    escaped = "ESCAPED" in lines or bool(touched)
    return Row(one.group, one.name, escaped, touched or (lines[-1] if lines else "")[:100])


def _bare(code: str, folder: str) -> str:
    # a file, not a pipe: a process that is left behind would keep a pipe open
    with tempfile.TemporaryFile("w+") as said:
        subprocess.run(
            [sys.executable, "-c", code],
            stdout=said,
            stderr=said,
            timeout=BARE_S,
            cwd=folder,
            close_fds=False,
            check=False,
        )
        said.seek(0)
        return said.read()


def _whole(code: str, facts: dict[str, object]) -> str:
    return f"BAIT = {facts!r}\n{PRELUDE}{code.strip()}\nprint('END')\n"


def suite(where: str, attacks: Iterable[Attack] = ATTACKS) -> list[Row]:
    """All rows on a rung, or `bare`; there, only what this user could do outside at all."""
    if where == "bare":
        root = os.geteuid() == 0
        chosen = [one for one in attacks if root or one.control == "any"]
        return _side_by_side(control, chosen)
    launcher = launcher_for("landlock" if where == "landlock" else "bubblewrap")
    if launcher is None:
        raise SystemExit(f"{where}: not available here")
    return asyncio.run(_inside(launcher, attacks))


async def _inside(launcher: Launcher, attacks: Iterable[Attack]) -> list[Row]:
    """All of them from one pool: what one run leaves, another would find."""
    pool = Pool(launcher, {"bare": 3}, runs=default_runs())
    await pool.start()
    slots = asyncio.Semaphore(3)  # most of an attack is waiting

    async def one(attack_: Attack) -> Row:
        async with slots:
            return await attack(attack_, pool)

    try:
        return list(await asyncio.gather(*map(one, attacks)))
    finally:
        await pool.close()


def _side_by_side(act: Callable[[Attack], Row], attacks: Iterable[Attack]) -> list[Row]:
    with ThreadPoolExecutor(3) as threads:
        return list(threads.map(act, attacks))


def main(arguments: list[str]) -> int:
    """Print a table, or JSON. Ends with 1 when something escaped (or a control did not)."""
    where, wanted = arguments[0], arguments[0] == "bare"
    only = [argument for argument in arguments[1:] if not argument.startswith("--")]
    rows = suite(where, [one for one in ATTACKS if not only or one.name in only])
    if "--json" in arguments:
        print(json.dumps([asdict(row) for row in rows]))
    else:
        for row in rows:
            mark = "escaped  " if row.escaped else "contained"
            print(f"{mark} {row.group:12} {row.name}: {row.detail}")
        print(f"{sum(not row.escaped for row in rows)} of {len(rows)} contained on {where}")
    return int(any(row.escaped is not wanted for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
