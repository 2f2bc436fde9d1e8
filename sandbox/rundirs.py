"""Directories of runs: one each, named after the server that made it, swept when that is gone."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import psutil

PREFIX = "run-"


def default_runs() -> Path:
    """Where runs go when no home is given."""
    return Path(tempfile.gettempdir(), f"atelier-runs-{os.getuid()}")


def make_runs(runs: Path) -> None:
    """Make the folder of runs. Raises OSError, also when somebody else made it first."""
    runs.mkdir(mode=0o711, parents=True, exist_ok=True)
    about = runs.lstat()
    if about.st_uid != os.getuid() or runs.is_symlink():
        raise PermissionError(f"{runs} belongs to somebody else")
    runs.chmod(0o711)  # sealed processes have uids of their own, and each a folder below this


def new_run(runs: Path) -> Path:
    """A new directory for one run, mode 0700; as root its launcher gives it to the sealed uid."""
    mine = f"{PREFIX}{os.getpid()}-{_began(os.getpid())}-"
    return Path(tempfile.mkdtemp(prefix=mine, dir=runs))


def sweep(runs: Path) -> int:
    """Remove the directories of servers that no longer live. Returns how many."""
    swept = 0
    for folder in runs.glob(f"{PREFIX}*"):
        pid, began = [*folder.name.removeprefix(PREFIX).split("-"), "", ""][:2]
        if not pid.isdigit() or _began(int(pid)) != began:
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
    return swept


def end_orphans() -> int:
    """Kill what a server left that was killed while it started a process. Returns how many.

    bubblewrap's inner process waits for its user map before it asks the kernel to die with its
    parent; a parent killed in between leaves it waiting for ever. Ours hold a `sealed` memory file.
    """
    ended = 0
    for process in psutil.process_iter(["name", "ppid"]):
        if process.info["name"] != "bwrap" or process.info["ppid"] != 1:
            continue
        with contextlib.suppress(OSError, psutil.Error):
            files = [os.readlink(one) for one in Path(f"/proc/{process.pid}/fd").iterdir()]
            if any(file.startswith("/memfd:sealed") for file in files):
                process.kill()
                ended += 1
    return ended


def _began(pid: int) -> str:
    """When a process started, in ticks since boot; empty when there is none. See proc(5)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    return stat.rpartition(b")")[2].split()[19].decode("ascii")
