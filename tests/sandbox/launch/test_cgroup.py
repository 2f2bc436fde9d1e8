"""A group is used only where one was handed on; a run's processes end with it."""

import os
import subprocess
from pathlib import Path

import pytest

from sandbox.launch.cgroup import delegated, enclose, remove


def machine(root: Path, controllers: str) -> tuple[Path, Path]:
    group = root / "cg" / "atelier.service"
    (group / "server").mkdir(parents=True)
    (group / "cgroup.subtree_control").write_text(controllers, "ascii")
    own, mounts = root / "own", root / "mountinfo"
    own.write_text("1:name=systemd:/x\n0::/atelier.service/server\n", "ascii")
    mounts.write_text(f"24 1 0:22 / {root}/cg rw,relatime shared:9 - cgroup2 cgroup2 rw\n", "ascii")
    return own, mounts


@pytest.mark.parametrize(
    ("controllers", "used"),
    [("memory pids\n", True), ("cpu memory pids io", True), ("memory", False), ("", False)],
)
def test_only_a_group_that_was_handed_on_is_used(
    controllers: str, used: bool, tmp_path: Path
) -> None:
    found = delegated(*machine(tmp_path, controllers))
    assert found == (tmp_path / "cg" / "atelier.service" if used else None)


def test_a_machine_without_version_2_has_none(tmp_path: Path) -> None:
    own, mounts = machine(tmp_path, "memory pids")
    mounts.write_text("", "ascii")
    assert delegated(own, mounts) is None
    assert delegated(tmp_path / "none", tmp_path / "none") is None


def test_the_bounds_are_written(tmp_path: Path) -> None:
    group = enclose(tmp_path, "run", 42)
    assert int((group / "memory.max").read_text("ascii")) > 0
    assert (group / "cgroup.procs").read_text("ascii") == "42"


def test_removing_a_real_group_ends_what_is_in_it() -> None:
    hierarchy = next(
        (Path(line.split()[1]) for line in Path("/proc/mounts").read_text().splitlines()
         if line.split()[2] == "cgroup2"), None,
    )  # fmt: skip
    if hierarchy is None or not os.access(hierarchy, os.W_OK):
        # a right of the host that nothing can install; `enclose` over a folder is tested above
        pytest.skip("this host lets nobody here make a cgroup v2 group")
    group = hierarchy / "atelier-test"
    group.mkdir()
    process = subprocess.Popen(["sleep", "60"])
    (group / "cgroup.procs").write_text(str(process.pid), "ascii")
    (group / "cgroup.kill").write_text("1", "ascii")
    process.wait(10)
    remove(group)
    assert not group.exists()
