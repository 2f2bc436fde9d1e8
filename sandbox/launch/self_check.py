"""Really try to break out of each rung. A rung is used only when every attempt was held.

The attempts run where an agent's code would run, after everything was closed, and say what they
got hold of. The full attack suite is `tests/sandbox/attacks`; this is its short form, quick
enough for the first start after a boot.
"""

import hashlib
import json
import os
import platform
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from sandbox.checked import Check
from sandbox.execute import Execution
from sandbox.launch.base import Backend, Launcher
from sandbox.launch.bubblewrap import Bubblewrap, find_bwrap
from sandbox.launch.landlock import Landlock, available
from sandbox.limits import Limits

RUNGS: tuple[Backend, ...] = ("bubblewrap", "landlock")
LIMITS = Limits(wall_s=20.0, cpu_s=10.0, memory_mib=128)
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
CACHE = "seal-check.json"

# Each attempt prints its name when it succeeded, which it must not.
ATTEMPTS = """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, act):
    try:
        got = act()
    except (OSError, ValueError, ImportError, AttributeError):
        return
    if got is not None and got is not False and got != -1:
        print("ESCAPED", name)
def call(number, *arguments):
    return True if libc.syscall(number, *arguments) >= 0 else None
arm = os.uname().machine == "aarch64"
attempt("network", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
attempt("network", lambda: socket.socket(40, socket.SOCK_STREAM))
attempt("network", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
attempt("network", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
attempt("files", lambda: open(CANARY).read())
attempt("own", lambda: open(CANARY, "a").write("changed"))
attempt("files", lambda: open("/etc/passwd").read())
attempt("files", lambda: open(os.__file__, "a"))
attempt("files", lambda: os.chmod(os.__file__, 0o777) or True)
attempt("credentials", lambda: CANARY_VALUE in str(os.environ) or None)
for process in ("self", "1", str(os.getppid())):
    attempt("credentials", lambda: CANARY_VALUE in open(f"/proc/{process}/environ").read() or None)
    attempt("processes", lambda: open(f"/proc/{process}/mem", "r+b"))
attempt("processes", lambda: os.fork() or os._exit(0))
def execute():
    try: os.execv(CANARY, ["x"])  # no program: where the kernel looks at it, the error differs
    except PermissionError as error: return error.errno != 1 or None
    except OSError: return True
attempt("processes", execute)
attempt("processes", lambda: os.posix_spawn("/bin/true", ["true"], {}))
attempt("processes", lambda: os.kill(HOST_PID, 0) or True)
attempt("kernel", lambda: os.memfd_create("x"))
attempt("kernel", lambda: call(97 if arm else 272, 0x10000000))
attempt("kernel", lambda: call(117 if arm else 101, 16, HOST_PID, 0, 0))
attempt("kernel", lambda: call(219 if arm else 250, 0, -3, 1))
attempt("kernel", lambda: call(280 if arm else 321, 0, 0, 0))
attempt("kernel", lambda: call(425, 8, ctypes.create_string_buffer(120)))
attempt("kernel", lambda: call(40 if arm else 165, b"none", b"/tmp", b"tmpfs", 0, None))
attempt("kernel", lambda: os.setuid(0) or True)
print("DONE")
"""
NAMES = ("network", "files", "credentials", "processes", "kernel")


def launcher_for(rung: Backend) -> Launcher | None:
    """The rung's launcher, or None where its parts are missing."""
    if sys.platform != "linux":
        return None
    if rung == "bubblewrap":
        binary = find_bwrap()
        return Bubblewrap(binary) if binary else None
    return Landlock() if rung == "landlock" and available() else None


def report(home: Path | None = None) -> list[Check]:
    """Try every rung now and keep the result in `home` for `holds`."""
    checks = [check for rung in RUNGS for check in try_rung(rung)]
    _keep(home, checks)
    return checks


def holds(rung: Backend, home: Path | None = None) -> bool:
    """Whether every attempt on `rung` was held: from this boot's record in `home`, else tried."""
    before = _kept(home)
    mine = [check for check in before if check.rung == rung]
    if not mine:
        mine = try_rung(rung)
        _keep(home, [*before, *mine])
    return bool(mine) and all(check.held for check in mine)


def try_rung(rung: Backend, launcher: Launcher | None = None) -> list[Check]:
    """Start processes on `rung` and try to break out of them."""
    launcher = launcher or launcher_for(rung)
    if launcher is None:
        return [Check(rung, "start", False, "seal.check.missing")]
    from sandbox.command import run_cold  # above this floor's file, below it in the layers

    def run(code: str, limits: Limits = LIMITS) -> Execution:
        return run_cold(launcher, code, limits)

    value = secrets.token_hex(16)
    before = os.environ.get("SEAL_CANARY")
    os.environ["SEAL_CANARY"] = value
    try:
        with tempfile.NamedTemporaryFile("w", suffix=".canary") as canary:
            canary.write(value)
            canary.flush()
            os.chmod(canary.name, 0o666)  # noqa: S103  (only the seal may stand before it)
            head = f"CANARY={canary.name!r};CANARY_VALUE={value!r};HOST_PID={os.getpid()}\n"
            tried = run(head + ATTEMPTS)
            # inside, a file of that name may well be written: on a file system of its own
            changed = Path(canary.name).read_text("utf-8") != value
    finally:
        os.environ.pop("SEAL_CANARY")
        if before is not None:
            os.environ["SEAL_CANARY"] = before
    started = "DONE" in tried.output
    checks = [Check(rung, "start", started, "" if started else tried.message or tried.status)]
    if not started:
        return checks
    escaped = {line.split()[1] for line in tried.output.splitlines() if line.startswith("ESCAPED")}
    if changed:
        escaped.add("files")
    checks += [Check(rung, name, name not in escaped) for name in NAMES]
    return [*checks, *_limits(rung, run)]


def _limits(rung: Backend, run: Callable[..., Execution]) -> list[Check]:
    memory = run("x = bytearray(400 * 1024 * 1024)")
    clock = run("import time; time.sleep(30)", replace(LIMITS, wall_s=0.3))
    return [
        Check(rung, "memory", memory.status == "memory", memory.status),
        Check(rung, "time", clock.status == "timeout" and clock.wall_s < 5, clock.status),
    ]


def _stamp() -> str:
    """What a record is good for: this boot, kernel, user, interpreter, bubblewrap and our code."""
    parts = [platform.release(), sys.version, str(os.geteuid())]
    for path in (
        Path("/proc/sys/kernel/random/boot_id"),
        *sorted(Path(__file__).parent.glob("*.py")),
    ):
        parts.append(path.read_text("utf-8"))
    for path in sorted((Path(__file__).parents[1] / "child").glob("*.py")):
        parts.append(path.read_text("utf-8"))
    binary = find_bwrap()
    if binary:
        about = binary.stat()
        parts += [str(binary), str(about.st_mtime_ns), str(about.st_size)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _keep(home: Path | None, checks: list[Check]) -> None:
    if home is None:
        return
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    record = {
        "stamp": _stamp(),
        "at": time.time(),
        "checks": [asdict(check) for check in checks],
    }
    part = home / (CACHE + ".part")
    part.write_text(json.dumps(record), "utf-8")
    part.replace(home / CACHE)


def _kept(home: Path | None) -> list[Check]:
    return known(home)[0]


def known(home: Path | None) -> tuple[list[Check], float]:
    """What the last check found, and when (seconds since 1970); nothing where it is out of date."""
    if home is None:
        return [], 0.0
    try:
        record = json.loads((home / CACHE).read_text("utf-8"))
        if record["stamp"] != _stamp():
            return [], 0.0
        return [Check(**check) for check in record["checks"]], float(record["at"])
    except (OSError, ValueError, KeyError, TypeError):
        return [], 0.0  # no record, or not one of ours: try again
