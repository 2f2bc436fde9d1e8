"""Run the attacks of the table on one rung, or bare as their own control.

`python -m tests.sandbox.attacks.run bubblewrap|landlock|bare [--json]`
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from sandbox.command import run_cold
from sandbox.execute import Execution
from sandbox.launch.base import Launcher
from sandbox.launch.self_check import launcher_for
from tests.sandbox.attacks.bait import Bait
from tests.sandbox.attacks.table import ATTACKS, PRELUDE, Attack

BARE_S = 30.0


@dataclass(frozen=True)
class Row:
    """One attack's end. `detail` says what it got, or how it was stopped."""

    group: str
    name: str
    escaped: bool
    detail: str


def attack(one: Attack, launcher: Launcher) -> Row:
    """One attack inside the seal."""
    with Bait() as bait:
        # the second rung keeps the bounding set: without a capability it cannot be changed
        facts = {**bait.facts, "temporary": "/tmp", "bounded": launcher.name == "bubblewrap"}
        files = {"x.csv": b"a,b\n1,2\n"}

        def run(code: str) -> Execution:
            return run_cold(launcher, _whole(code, facts), one.limits, files)

        if one.before:
            first = run(one.before)
            if first.status == "refused":
                return Row(one.group, one.name, True, "it did not start")
        done = run(one.code)
        touched = bait.touched()
    if done.status == "refused":
        return Row(one.group, one.name, True, "it did not start")
    said = done.output.strip().splitlines()
    escaped = "ESCAPED" in said or bool(touched)
    last = said[-1] if said else ""
    return Row(one.group, one.name, escaped, touched or f"{done.status}: {last}"[:100])


def control(one: Attack) -> Row:
    """The same attack in a plain process of this user: it must work there."""
    with Bait() as bait, tempfile.TemporaryDirectory() as folder:
        said = ""
        for code in filter(None, (one.before, one.code)):
            said = _bare(_whole(code, bait.facts), folder)
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
    return _side_by_side(lambda one: attack(one, launcher), attacks)


def _side_by_side(act: Callable[[Attack], Row], attacks: Iterable[Attack]) -> list[Row]:
    with ThreadPoolExecutor(3) as threads:  # most of an attack is waiting
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
