"""A host that allows neither namespaces nor Landlock, as a plain container: everything is refused.

The process of the test forbids itself the system calls, so that the real chooser finds what it
would find there; nothing of the product is replaced.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.launch.self_check import RUNGS
from tests.sandbox.attacks.test_attacks import ROOT, as_nobody
from ui.messages import LANGUAGES, catalogue

HOST = """
import errno, json, sys
import pyseccomp as seccomp

filters = seccomp.SyscallFilter(seccomp.ALLOW)
no = seccomp.ERRNO(errno.EPERM)
for call in ("unshare", "setns", "mount", "pivot_root", "clone3", "landlock_create_ruleset",
             "landlock_add_rule", "landlock_restrict_self"):
    # a C library falls back to clone when clone3 does not exist, and to no program at all on EPERM
    answer = seccomp.ERRNO(errno.ENOSYS) if call == "clone3" else no
    try:
        filters.add_rule(answer, call)
    except (RuntimeError, OSError):
        numbers = {"landlock_create_ruleset": 444, "landlock_add_rule": 445,
                   "landlock_restrict_self": 446}
        filters.add_rule(answer, numbers[call])
NEW = 0x7E020080  # every CLONE_NEW* but CLONE_NEWTIME: user, pid, net, ipc, uts, cgroup, mount
for bit in (1 << n for n in range(32) if NEW >> n & 1):
    filters.add_rule(no, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, bit, bit))
if sys.argv[1] == "forbidden":
    filters.load()

from sandbox.launch.choose import choose_or_refuse
found = choose_or_refuse()
print(json.dumps({"name": found.name, "fix": getattr(found, "fix", "")}))
"""


def chosen(home: Path, ordinary: bool, host: str) -> dict[str, str]:
    """What the chooser finds in a process of its own on such a host."""
    command, environment = [sys.executable], {**os.environ, "TMPDIR": "/tmp", "HOME": str(home)}
    if ordinary and os.geteuid() == 0:
        command = as_nobody()
        packages = Path(pytest.__file__).resolve().parents[1]
        environment |= {"PYTHONPATH": f"{ROOT}:{packages}", "HOME": "/nonexistent"}
    done = subprocess.run(
        [*command, "-c", HOST, host],
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("ordinary", [False, True], ids=["as we are", "ordinary user"])
def test_without_namespaces_and_landlock_the_chooser_refuses_and_names_a_fix(
    tmp_path: Path, ordinary: bool
) -> None:
    # the control: the same process finds a rung when the calls are not forbidden
    assert chosen(tmp_path, ordinary, "as it is")["name"] in RUNGS
    found = chosen(tmp_path, ordinary, "forbidden")
    assert found["name"] == "refuse"
    assert all(found["fix"] in catalogue(language) for language in LANGUAGES)
