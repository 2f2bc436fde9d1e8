"""What a process can do to close itself in, by system call. Nothing here reads what is not ours."""

import ctypes
import os
import resource
import signal
from ctypes import CDLL, Structure, byref, c_int, c_uint32

MIB = 1024 * 1024
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
PLAIN = MS_NOSUID | MS_NODEV | MS_NOEXEC
MNT_DETACH = 2
NEW_NS, NEW_IPC, NEW_USER, NEW_PID = 0x00020000, 0x08000000, 0x10000000, 0x20000000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS = 1, 4, 8, 38
PR_CAPBSET_DROP, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 24, 47, 4
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522
CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_SYS_ADMIN = 6, 7, 8, 21
MADV_COLLAPSE, HUGE = 25, 2 * MIB  # Linux 6.1; see madvise(2)
OPEN_FILES = 256
THREADS = 256


class _CapHeader(Structure):
    _fields_ = (("version", c_uint32), ("pid", c_int))


class _CapData(Structure):
    _fields_ = (("effective", c_uint32), ("permitted", c_uint32), ("inheritable", c_uint32))


class _Program(Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def library() -> CDLL:
    """The C library, for calls that Python has no name for."""
    return CDLL(None, use_errno=True)


def must(result: int, what: str) -> None:
    """Raise OSError with what the kernel said when a call did not return 0."""
    if result != 0:
        raise OSError(ctypes.get_errno(), f"the seal could not be finished: {what}")


def tmpfs(libc: CDLL, path: str, mib: int, inodes: int) -> None:
    """Mount a file system in memory with a bound on size and on inodes. Raises OSError."""
    options = f"size={mib}m,nr_inodes={inodes},mode=1777".encode()
    must(libc.mount(b"tmpfs", path.encode(), b"tmpfs", PLAIN, options), f"mount {path}")


def unmount(libc: CDLL, path: str) -> None:
    """Take `path` out of this mount namespace. Raises OSError."""
    must(libc.umount2(path.encode(), MNT_DETACH), f"umount {path}")


def unshare(libc: CDLL, flags: int) -> None:
    """Leave these namespaces for new ones. Raises OSError."""
    must(libc.unshare(flags), "unshare")


def have(libc: CDLL, *capabilities: int) -> None:
    """Hold exactly these capabilities from now on. Raises OSError."""
    mask = sum(1 << capability for capability in capabilities)
    data = (_CapData * 2)(_CapData(mask, mask, 0), _CapData(0, 0, 0))
    must(libc.capset(byref(_CapHeader(LINUX_CAPABILITY_VERSION_3, 0)), byref(data)), "capset")


def drop_all(libc: CDLL) -> None:
    """Give up every capability for good, also for programs; die with the one that started us."""
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # past the kernel's last one
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    have(libc)
    # after the uid is final: changing it clears this
    must(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "pdeathsig")
    must(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "dumpable")


def bound(threads: int = THREADS) -> None:
    """Limits that hold from the start; those of the run follow when it is taken."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
    resource.setrlimit(resource.RLIMIT_MSGQUEUE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (threads, threads))


def load_filter(libc: CDLL, instructions: bytes) -> None:
    """Load a seccomp program (8 bytes an instruction) for good. Raises OSError."""
    must(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    head = _Program(len(instructions) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    must(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, byref(head), 0, 0), "seccomp")


def limit_run(limits: dict[str, object], pages: int) -> None:
    """Bound a run's memory, time and file sizes above what the warm runtime already uses.

    `pages` is a descriptor of this process's own statm; see proc(5).
    """
    used = int(os.pread(pages, 64, 0).split()[0]) * resource.getpagesize()
    memory = used + int(str(limits["memory_mib"])) * MIB
    # soft below hard: the report of a MemoryError needs a little room of its own
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory + 32 * MIB))
    times = os.times()
    seconds = int(times.user + times.system + float(str(limits["cpu_s"]))) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    size = max(int(str(limits["file_bytes"])), MIB)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing too much is an error, not a death


def quiet() -> None:
    """From here on nothing reads our standard streams, and no other process shares them."""
    null = os.open("/dev/null", os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)


def gather(libc: CDLL) -> None:
    """Put this process's private memory into huge pages, where the kernel will.

    A copy of the process then takes over whole tables of pages in one step, and gives them back in
    one. What cannot be gathered stays as it is: it is a matter of speed alone.
    """
    with open("/proc/self/maps", encoding="utf-8") as maps:
        spans = [line.split(None, 5) for line in maps]
    for where, rights, _, _, inode, *_ in spans:
        first, end = (int(each, 16) for each in where.split("-"))
        begin, end = -(-first // HUGE) * HUGE, end // HUGE * HUGE
        if rights == "rw-p" and inode == "0" and begin < end:
            libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), MADV_COLLAPSE)
