"""A cgroup (version 2) for each run, where an operator has delegated one: bounds in bytes.

Rlimits bound one process's address space; a cgroup bounds what the kernel really holds for it,
pipes and page tables included. It is used where this server's own group may be written and hands
on the memory and pids controllers (systemd: `Delegate=memory pids` and `DelegateSubgroup=`).
"""

import os
from contextlib import suppress
from pathlib import Path

from sandbox.limits import CEILING, MIB

NEEDED = {"memory", "pids"}
RUNTIME_MIB = 512  # what a warm runtime may hold before its run adds to it
PIDS = 300


def delegated(
    own: Path = Path("/proc/self/cgroup"), mounts: Path = Path("/proc/self/mountinfo")
) -> Path | None:
    """The group below which runs may get groups of their own, or None. See cgroups(7)."""
    try:
        mount = next(
            line.split()[4]
            for line in mounts.read_text("utf-8").splitlines()
            if line.partition(" - ")[2].startswith("cgroup2 ")
        )
        path = next(
            line.removeprefix("0::")
            for line in own.read_text("utf-8").splitlines()
            if line.startswith("0::")
        )
        # a group that hands on controllers holds no processes itself: ours is one below it
        group = Path(mount, path.lstrip("/")).parent
        handed_on = set((group / "cgroup.subtree_control").read_text("ascii").split())
    except (OSError, StopIteration):
        return None
    return group if handed_on >= NEEDED and os.access(group, os.W_OK) else None


def own_group(pid: int) -> Path | None:
    """A group of its own for a run that has just been started, where that is possible."""
    parent = delegated()
    if parent is None:
        return None
    for old in parent.glob("run-*"):
        with suppress(OSError):  # only an empty group goes: what a killed server left
            old.rmdir()
    try:
        return enclose(parent, f"run-{os.getpid()}-{pid}", pid)
    except OSError:
        return None  # the other walls hold without it


def enclose(parent: Path, name: str, pid: int) -> Path:
    """Put `pid`, and what it starts from now on, into a bounded group. Raises OSError."""
    group = parent / name
    group.mkdir()
    (group / "memory.max").write_text(str((RUNTIME_MIB + CEILING.memory_mib) * MIB), "ascii")
    with suppress(OSError):  # no swap here
        (group / "memory.swap.max").write_text("0", "ascii")
    (group / "pids.max").write_text(str(PIDS), "ascii")
    (group / "cgroup.procs").write_text(str(pid), "ascii")
    return group


def remove(group: Path) -> None:
    """Kill what is left in the group and remove it."""
    with suppress(OSError):
        (group / "cgroup.kill").write_text("1", "ascii")
    with suppress(OSError):
        group.rmdir()
