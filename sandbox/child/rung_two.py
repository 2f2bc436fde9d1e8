"""Second rung, inside: Landlock for files, where no namespaces can be had.

System call numbers and structures: landlock(7), `include/uapi/linux/landlock.h`. Landlock holds
opening, not looking: a sealed process can still learn that a path exists (see docs/sandbox.md).
"""

import ctypes
import os
import signal

from sandbox.wire import Frame

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # same on every architecture
VERSION_FLAG = 1
RULE_PATH_BENEATH = 1
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
PR_CAPBSET_DROP = 24

WRITE_FILE, READ_FILE, READ_DIR, REMOVE_FILE = 1 << 1, 1 << 2, 1 << 3, 1 << 5
MAKE_REG, MAKE_SYM, TRUNCATE = 1 << 8, 1 << 12, 1 << 14
ALL_FILES_V1 = (1 << 13) - 1
REFER_V2, TRUNCATE_V3, IOCTL_DEV_V5 = 1 << 13, 1 << 14, 1 << 15
TCP_V4 = 0b11  # bind and connect
SCOPES_V6 = 0b11  # abstract UNIX sockets and signals
LOOK = READ_FILE | READ_DIR
WORK = LOOK | WRITE_FILE | REMOVE_FILE | MAKE_REG | MAKE_SYM
OLDEST = 3  # before it, files outside could be truncated


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version(libc: ctypes.CDLL) -> int:
    """The kernel's Landlock version, 0 when it has none."""
    return max(0, int(libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION_FLAG)))


def restrict(libc: ctypes.CDLL, boot: Frame) -> None:
    """Drop root's uid and allow only the boot frame's paths, for good. Raises OSError."""
    known = version(libc)
    if known < OLDEST:
        raise OSError(f"Landlock version {known} is too old")
    files = ALL_FILES_V1 | REFER_V2 | TRUNCATE_V3 | (IOCTL_DEV_V5 if known >= 5 else 0)
    ruleset = _Ruleset(files, TCP_V4 if known >= 4 else 0, SCOPES_V6 if known >= 6 else 0)
    size = 24 if known >= 6 else 16 if known >= 4 else 8
    ruleset_fd = libc.syscall(CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), 0)
    _must(ruleset_fd >= 0)
    for path in _list(boot["read"]):
        _allow(libc, ruleset_fd, path, LOOK)
    for path in _list(boot["devices"]):
        _allow(libc, ruleset_fd, path, READ_FILE | WRITE_FILE)
    for path in _list(boot["write"]):
        _allow(libc, ruleset_fd, path, WORK | TRUNCATE)
    uid = boot["uid"]
    if isinstance(uid, int):
        for capability in range(64):
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    # changing the uid clears this; and the parent may have gone before it was set
    _must(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0)
    if os.getppid() != boot["parent"]:
        os._exit(1)
    _must(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
    _must(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
    _must(libc.syscall(RESTRICT_SELF, ruleset_fd, 0) == 0)
    os.close(ruleset_fd)


def _allow(libc: ctypes.CDLL, ruleset_fd: int, path: str, allowed: int) -> None:
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not os.path.isdir(path):
            allowed &= READ_FILE | WRITE_FILE | TRUNCATE  # what a rule on a file may hold
        rule = _PathBeneath(allowed, parent)
        done = libc.syscall(ADD_RULE, ruleset_fd, RULE_PATH_BENEATH, ctypes.byref(rule), 0)
        _must(done == 0)
    finally:
        os.close(parent)


def _list(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _must(held: bool) -> None:
    if not held:
        raise OSError(ctypes.get_errno(), "the second rung could not be closed")
