"""What every isolation backend offers: start one sealed process, say what it is."""

import os
import sys
import sysconfig
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from subprocess import Popen
from typing import Literal, Protocol

Runtime = Literal["agent", "data", "bare"]
Backend = Literal["bubblewrap", "landlock", "none"]

APP = "/runtime/app"
PYTHON = "/runtime/python"
PACKAGES = "/runtime/venv"
DATA = "/data"
WORK = "/out"
TEMPORARY = "/tmp"  # noqa: S108  (inside the seal, a file system of its own)

WORK_MIB, WORK_INODES = 64, 512
TEMPORARY_MIB, TEMPORARY_INODES = 64, 4096

# Uids of sealed processes when the host is root: above every range that distributions hand out.
FIRST_UID, UIDS = 1_900_000_000, 1_000_000

BOOT = "import sys;sys.path[:0]={paths!r};from sandbox.child.main import main;main({channel})"

ENVIRONMENT = {
    "HOME": TEMPORARY,
    "LANG": "C.UTF-8",
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": TEMPORARY + "/matplotlib",
    # one thread each: more would count against the address space and gain nothing on small data
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "PYTHONHASHSEED": "random",
    "LANGSMITH_TRACING": "false",
    "TZ": "UTC",
}


class LaunchFailed(RuntimeError):
    """A sealed process did not start. `reason` is what the backend said, capped, no content."""

    def __init__(self, backend: str, reason: str) -> None:
        self.backend = backend
        self.reason = reason
        super().__init__(f"{backend}: {reason}")


@dataclass(frozen=True, slots=True)
class Plan:
    """One process to start. `channel` is the sealed end's descriptor, `inbox` the run's files."""

    runtime: Runtime
    channel: int
    inbox: Path
    serial: int  # distinct for every process of this host


@dataclass(frozen=True, slots=True)
class Started:
    """A process that was started: kill `process` and everything sealed in it dies.

    `boot` goes to the sealed end as its first frame; `errors` is the read end of its standard
    error until it is ready.
    """

    process: "Popen[bytes]"
    boot: dict[str, object]
    errors: int
    inner: int = 0  # the pid namespace's first process, whose death ends all of it
    group: Path | None = None  # the run's cgroup, where one could be made
    work: Path | None = None  # second rung: the directory to collect and to watch
    cleanup: tuple[Path, ...] = field(default_factory=tuple)


class Launcher(Protocol):
    """An isolation backend."""

    @property
    def name(self) -> Backend: ...

    def start(self, plan: Plan) -> Started:
        """Start one process; returns before it is ready. Raises LaunchFailed.

        Call it from a thread that lives as long as the process should: the kernel ends the
        process when the thread that started it ends.
        """
        ...


@dataclass(frozen=True, slots=True)
class Bind:
    """Something of the host that a sealed process may read at a path of its own."""

    source: Path
    target: str


def interpreter() -> tuple[Bind, ...]:
    """The running interpreter without its `bin` and headers: executable, library, modules."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(sys.base_prefix)
    executable = Path(os.path.realpath(sys.executable))
    binds = [
        Bind(executable, f"{PYTHON}/bin/{version}"),
        Bind(
            Path(sysconfig.get_path("stdlib", vars={"installed_base": str(base)})),
            f"{PYTHON}/lib/{version}",
        ),
    ]
    library = Path(sysconfig.get_config_var("LIBDIR") or base / "lib")
    for name in {sysconfig.get_config_var("INSTSONAME"), sysconfig.get_config_var("LDLIBRARY")}:
        if name and ".so" in name and (library / name).exists():
            binds.append(Bind(library / name, f"{PYTHON}/lib/{name}"))
    return tuple(binds)


def packages() -> Bind:
    """The environment's third-party modules: where one that a run needs was found."""
    spec = find_spec("filetype")
    if spec is None or spec.origin is None:
        raise LaunchFailed("any", "the environment has no third-party modules")
    return Bind(Path(spec.origin).parent.parent, PACKAGES)


def sources() -> tuple[Bind, ...]:
    """The product's own files that run inside, and no others."""
    root = Path(__file__).resolve().parents[2]
    names = (
        "sandbox/__init__.py",
        "sandbox/wire.py",
        "sandbox/limits.py",
        "sandbox/child",
        "agents/__init__.py",
        "agents/loop.py",
        "agents/knowledge/__init__.py",
        "agents/knowledge/parse.py",
    )
    return tuple(Bind(root / name, f"{APP}/{name}") for name in names if (root / name).exists())


def own_uid(serial: int, uid_map: str | None = None) -> int:
    """A host uid for one run, used when the host is root.

    In a container whose root is not the machine's (`uid_map`, see user_namespaces(7), is this
    process's own unless given) it is taken from the upper end of what the container may use.
    """
    mine = os.getpid() * 4096 + serial
    if uid_map is None:
        uid_map = Path("/proc/self/uid_map").read_text("ascii")
    ranges = [(int(first), int(size)) for first, _, size in map(str.split, uid_map.splitlines())]
    if any(first <= FIRST_UID and first + size >= FIRST_UID + UIDS for first, size in ranges):
        return FIRST_UID + mine % UIDS
    first, size = max(ranges, key=lambda one: one[1])
    spread = max(1, min(1000, size // 2))
    return first + size - 1 - spread + mine % spread
