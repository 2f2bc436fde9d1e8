"""What every isolation backend offers: start one sealed process, say what it is."""

import os
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from subprocess import Popen
from typing import Literal, Protocol

Runtime = Literal["agent", "data", "bare"]
Backend = Literal["bubblewrap", "landlock", "none", "refuse"]

APP = "/runtime/app"
PYTHON = "/runtime/python"
PACKAGES = "/runtime/venv"
DATA = "/data"
WORK = "/out"
TEMPORARY = "/tmp"  # noqa: S108  (inside the seal, a file system of its own)

WORK_MIB, WORK_INODES = 64, 512
TEMPORARY_MIB, TEMPORARY_INODES = 64, 4096

# Uids of sealed processes when the host is root: above every range that distributions hand out.
FIRST_UID, UIDS = 1_900_000_000, 256 * 4096
UIDS_A_SERVER = 4096

BOOT = "import sys;sys.path[:0]={paths!r};from sandbox.child.{start} import main;main({channel})"

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
    """One process to start. `ours` and `theirs` are the ends of its socket, `inbox` its files."""

    runtime: Runtime
    ours: int
    theirs: int
    inbox: Path
    serial: int  # distinct for every process of this host


@dataclass(frozen=True, slots=True)
class Started:
    """A process that was started: kill `pid` and everything sealed in it dies.

    `ended` is a descriptor that becomes readable at its end; `reap` then gives its exit code as
    `subprocess` counts them. `boot` goes to the sealed end as its first frame, where it needs
    one; `errors` is the read end of its standard error until it is ready, or -1.
    """

    pid: int
    ended: int
    reap: Callable[[], int]
    boot: dict[str, object] | None = None
    errors: int = -1
    common_mib: float = 0.0  # of its memory, what it shares with others of its kind
    group: Path | None = None  # the run's cgroup, where one could be made
    work: Path | None = None  # second rung: the directory to collect and to watch
    cleanup: tuple[Path, ...] = field(default_factory=tuple)


class Starter(Protocol):
    """Starts processes of one runtime. Use it from one thread, which lives as long as they should:
    the kernel ends them when the thread that started them ends."""

    def start(self, plan: Plan) -> Started:
        """Start one process; returns before it is ready. Raises LaunchFailed."""
        ...

    def close(self) -> None:
        """End what was kept to start from; the next start makes it anew."""
        ...


class Launcher(Protocol):
    """An isolation backend."""

    @property
    def name(self) -> Backend: ...

    def starter(self, runtime: Runtime, runs: Path) -> Starter:
        """What starts processes whose inboxes stand in `runs`. Starts nothing yet."""
        ...


@dataclass(frozen=True)
class EachAnew:
    """A starter of backends that start every process from nothing."""

    launch: Callable[[Plan], Started]

    def start(self, plan: Plan) -> Started:
        """See `Starter.start`."""
        return self.launch(plan)

    def close(self) -> None:
        """Nothing is kept."""


def ends_of(process: "Popen[bytes]") -> tuple[int, int, Callable[[], int]]:
    """`pid`, `ended` and `reap` of a process that this one started itself."""
    return process.pid, os.pidfd_open(process.pid), process.wait


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
        "agents/knowledge/parsing",
        "agents/tools/__init__.py",
        "agents/tools/sealed",
    )
    return tuple(Bind(root / name, f"{APP}/{name}") for name in names if (root / name).exists())


def own_uids(uid_map: str | None = None) -> tuple[int, int]:
    """The first of this server's uids for sealed processes, and how many: when the host is root.
    The one after them is for what makes these processes.

    In a container whose root is not the machine's (`uid_map`, see user_namespaces(7), is this
    process's own unless given) they are taken from the upper end of what the container may use.
    """
    if uid_map is None:
        uid_map = Path("/proc/self/uid_map").read_text("ascii")
    ranges = [(int(first), int(size)) for first, _, size in map(str.split, uid_map.splitlines())]
    if any(first <= FIRST_UID and first + size >= FIRST_UID + UIDS for first, size in ranges):
        return FIRST_UID + os.getpid() * UIDS_A_SERVER % UIDS, UIDS_A_SERVER - 1
    first, size = max(ranges, key=lambda one: one[1])
    count = max(1, min(1000, size // 2))
    return first + size - 1 - count, count


def own_uid(serial: int, uid_map: str | None = None) -> int:
    """A host uid for one run, used when the host is root; see `own_uids`."""
    first, count = own_uids(uid_map)
    return first + serial % count
