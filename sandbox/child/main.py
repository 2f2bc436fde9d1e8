"""First code of a sealed process: finish the seal, load the runtime, serve one job, end.

Order matters. Everything up to `_load_filter` uses rights that are gone afterwards, and nothing
that is not ours is read before that: the boot frame comes from the host, the runtime's modules
are read-only. The job arrives last.
"""

import binascii
import ctypes
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable
from importlib import import_module

from sandbox.child.channel import Channel, Closed
from sandbox.wire import Frame

MIB = 1024 * 1024
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 1, 4, 38, 24
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522
OPEN_FILES = 256
THREADS = 256
CORE = (0, 0)

# Optional to who imports them, and of no use without a terminal or a network: 8 MB a process.
UNUSED = ("click", "rich", "pygments", "opentelemetry", "psutil")
RUNTIMES: dict[str, tuple[str, ...]] = {
    "bare": ("sandbox.child.python",),
    "agent": ("langchain.agents", "langgraph.graph", "sandbox.child.turn"),
    "data": (
        "pandas",
        "openpyxl",
        "matplotlib.pyplot",
        "pypdf",
        "docx",
        "sandbox.child.python",
        "agents.knowledge.parse",
    ),
}


def main(descriptor: int) -> None:
    """Serve one job over the inherited socket and end. Never returns normally."""
    channel = Channel(descriptor)
    code = 1
    try:
        boot = channel.receive()
        pages = _seal(boot)
        runtime = str(boot["runtime"])
        _preload(runtime)
        _quiet()
        channel.send({"t": "ready", "runtime": runtime})
        job = channel.receive()
        if job.get("t") == "take":
            _limit(job, pages)
            os.close(pages)
            job = channel.receive()
        os.chdir(str(boot["work"]))
        JOBS[str(job["t"])](channel, {**job, "data": boot["data"], "work": boot["work"]})
        code = 0
    except Closed:
        code = 0
    except BaseException as error:
        # the host reads this until we are ready; later it goes nowhere
        sys.excepthook(type(error), error, error.__traceback__)
        channel.send({"t": "broken", "kind": type(error).__name__})
    finally:
        # no interpreter shutdown: hooks and threads of the job have no say in when this ends
        os._exit(code)


def _preload(runtime: str) -> None:
    """Import what the runtime's jobs need, and give back the memory that importing it took."""
    for name in UNUSED:
        sys.modules[name] = None  # type: ignore[assignment]  # "not installed", to an import
    for name in RUNTIMES[runtime]:
        import_module(name)
    for name in UNUSED:
        del sys.modules[name]
    if runtime == "bare":
        return  # nothing to give back, and starting quickly is what it is for
    gc.collect()
    gc.freeze()
    if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def _turn(channel: Channel, frame: Frame) -> None:
    import_module("sandbox.child.turn").run(channel, frame)


def _python(channel: Channel, frame: Frame) -> None:
    import_module("sandbox.child.python").run(channel, frame)


def _parse(channel: Channel, frame: Frame) -> None:
    import_module("sandbox.child.parse").run(channel, frame)


JOBS: dict[str, Callable[[Channel, Frame], None]] = {
    "turn": _turn,
    "python": _python,
    "parse": _parse,
}


def _seal(boot: Frame) -> int:
    """Close what the backend left open for us. Returns a descriptor of our own page counts."""
    libc = ctypes.CDLL(None, use_errno=True)
    backend = boot["backend"]
    pages = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    if backend == "none":  # developers only; every trace is marked
        _must(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "pdeathsig")
        return pages
    if backend == "landlock":
        import_module("sandbox.child.rung_two").restrict(libc, boot)
    else:
        _own_file_systems(libc, boot)
        _drop(libc, boot["uid"])
    _must(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    resource.setrlimit(resource.RLIMIT_CORE, CORE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
    resource.setrlimit(resource.RLIMIT_MSGQUEUE, (0, 0))
    # without a user namespace the kernel counts the user's other processes and threads too
    threads = THREADS + int(str(boot.get("threads", 0)))
    resource.setrlimit(resource.RLIMIT_NPROC, (threads, threads))
    load_filter(libc, binascii.a2b_base64(str(boot["filter"])))
    return pages


def _own_file_systems(libc: ctypes.CDLL, boot: Frame) -> None:
    mounts = boot["mounts"]
    assert isinstance(mounts, list)  # noqa: S101  (our own host wrote it)
    for mount in mounts:
        options = f"size={mount['mib']}m,nr_inodes={mount['inodes']},mode=1777"
        flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
        done = libc.mount(b"tmpfs", mount["path"].encode(), b"tmpfs", flags, options.encode())
        _must(done, "mount")
    # what is behind the mount is the container's own, but nobody inside needs to see it
    _must(libc.umount2(b"/proc", MNT_DETACH), "umount")


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _drop(libc: ctypes.CDLL, uid: object) -> None:
    """Give up every capability, and root's uid for the run's own."""
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # past the kernel's last one
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    if isinstance(uid, int):
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    header = _CapHeader(LINUX_CAPABILITY_VERSION_3, 0)
    _must(libc.capset(ctypes.byref(header), ctypes.byref((_CapData * 2)())), "capset")
    # changing the uid clears this: die with the process that watches over us
    _must(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "pdeathsig")
    _must(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "dumpable")


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def load_filter(libc: ctypes.CDLL, instructions: bytes) -> None:
    """Load a seccomp program (8 bytes an instruction) for good. Raises OSError."""
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    head = _Program(len(instructions) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    _must(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(head), 0, 0), "seccomp")


def _limit(take: Frame, pages: int) -> None:
    """Bound this run's memory, time and file sizes above what the warm runtime already uses."""
    limits = take["limits"]
    assert isinstance(limits, dict)  # noqa: S101  (our own host wrote it)
    used = int(os.pread(pages, 64, 0).split()[0]) * resource.getpagesize()
    memory = used + int(limits["memory_mib"]) * MIB
    # soft below hard: the report of a MemoryError needs a little room of its own
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory + 32 * MIB))
    times = os.times()
    seconds = int(times.user + times.system + float(limits["cpu_s"])) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    size = max(int(limits["file_bytes"]), MIB)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing too much is an error, not a death


def _quiet() -> None:
    """From here on nothing reads our standard streams."""
    null = os.open("/dev/null", os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115  (for the process's life)


def _must(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"the seal could not be finished: {what}")
