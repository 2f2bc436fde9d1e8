"""First rung: the sealed process that never has a job, and from which each run is forked.

It has the runtime imported and sits in bubblewrap's namespaces. It hears from the host alone, and
only where a run's files stand. Each run is a copy of it, made before any job is there, which then
gets namespaces, file systems, a uid, limits and a seccomp program of its own. Nothing flows back:
a run can neither see nor signal the template, shares no descriptor with it and no memory that can
be written (`_alone` looks before the first run is made).
"""

import binascii
import json
import os
import select
import signal
import socket
import struct
import sys
from contextlib import suppress
from ctypes import CDLL
from dataclasses import dataclass, field

from sandbox.child import seal
from sandbox.child.channel import Channel, Closed
from sandbox.child.serve import preload, serve

MESSAGE = 64 * 1024
CHANNEL = 3  # where a run finds its socket
KEPT = (seal.CAP_SYS_ADMIN, seal.CAP_SETUID, seal.CAP_SETGID, seal.CAP_SETPCAP)


def main(descriptor: int) -> None:
    """Load the runtime, then make runs until the host goes. Never returns normally."""
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, fileno=descriptor)
    code = 1
    try:
        Template(control).work()
        code = 0
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)  # the host reads it
    finally:
        os._exit(code)


@dataclass(frozen=True)
class Boot:
    """What the host said at the start, the same for every run."""

    runtime: str
    filter: bytes
    uid: int | None  # of the template itself, where the host is root
    mounts: list[dict[str, object]]
    inboxes: str
    work: str
    data: str


@dataclass
class Template:
    """Makes runs on the host's word and tells how each ended, by a descriptor of the run's own."""

    control: socket.socket
    living: dict[int, int] = field(default_factory=dict)  # process id -> where its end is told

    def work(self) -> None:
        """Serve the host until it closes the socket. Raises OSError."""
        boot = _boot(json.loads(self.control.recv(MESSAGE)))
        libc = seal.library()
        _settle(libc, boot)
        preload(boot.runtime)
        seal.gather(libc)
        own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        seal.quiet()
        _alone()
        wake, waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.signal(signal.SIGCHLD, _nothing)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        control = self.control.fileno()
        asked = select.poll()  # `select` refuses the host's numbers from 1,024 on
        asked.register(control, select.POLLIN)
        asked.register(wake, select.POLLIN)
        self.control.send(b"ready")
        while True:
            ready = {descriptor for descriptor, _ in asked.poll()}
            if wake in ready:
                with suppress(BlockingIOError):
                    os.read(wake, 4096)
                self._bury()
            if control in ready:
                message, descriptors, _, _ = socket.recv_fds(self.control, MESSAGE, 2)
                if not message:
                    return
                self._bear(libc, boot, json.loads(message), descriptors, own_pids)

    def _bear(
        self,
        libc: CDLL,
        boot: Boot,
        wanted: dict[str, object],
        descriptors: list[int],
        own_pids: int,
    ) -> None:
        channel, told = descriptors
        # the next child is the first process of a new pid namespace; then back to our own
        seal.unshare(libc, seal.NEW_PID)
        try:
            pid = os.fork()
            if pid == 0:
                self.control.detach()
                _live(libc, boot, wanted, channel)
        finally:
            seal.must(libc.setns(own_pids, seal.NEW_PID), "setns")
        os.close(channel)
        self.living[pid] = told

    def _bury(self) -> None:
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                told = self.living.pop(pid)
                with suppress(OSError):  # nobody listens any more
                    os.write(told, struct.pack("!i", os.waitstatus_to_exitcode(status)))
                os.close(told)


def _boot(said: dict[str, object]) -> Boot:
    uid, mounts = said["uid"], said["mounts"]
    assert isinstance(mounts, list)  # noqa: S101  (our own host wrote it)
    return Boot(
        runtime=str(said["runtime"]),
        filter=binascii.a2b_base64(str(said["filter"])),
        uid=uid if isinstance(uid, int) else None,
        mounts=mounts,
        inboxes=str(said["inboxes"]),
        work=str(said["work"]),
        data=str(said["data"]),
    )


def _settle(libc: CDLL, boot: Boot) -> None:
    """Own file systems to import with, no uid of root's, and no rights but those to make runs."""
    for mount in boot.mounts:
        seal.tmpfs(libc, str(mount["path"]), int(str(mount["mib"])), int(str(mount["inodes"])))
    if boot.uid is not None:
        seal.must(libc.prctl(seal.PR_SET_KEEPCAPS, 1, 0, 0, 0), "keepcaps")
        os.setgroups([])
        os.setresgid(boot.uid, boot.uid, boot.uid)
        os.setresuid(boot.uid, boot.uid, boot.uid)
    seal.have(libc, *KEPT)
    # changing the uid clears this; bubblewrap's first process watches over all of us
    seal.must(libc.prctl(seal.PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "pdeathsig")
    # a run opens its own /proc/self through ours, which must belong to it for that
    seal.must(libc.prctl(seal.PR_SET_DUMPABLE, 1, 0, 0, 0), "dumpable")


def _alone() -> None:
    """Raise where a copy of this process would share more with it than the host intends."""
    if len(os.listdir("/proc/self/task")) != 1:
        raise RuntimeError("a thread was left running: a copy would not have it")
    with open("/proc/self/maps", encoding="utf-8") as maps:
        shared = [line for line in maps if line.split()[1][1::2] == "ws"]
    if shared:
        raise RuntimeError(f"memory is shared: {shared[0].split()[-1]}")


def _nothing(*_: object) -> None:
    """A signal handler: the wake-up descriptor says what there is to say."""


def _live(libc: CDLL, boot: Boot, wanted: dict[str, object], channel: int) -> None:
    """In the copy: close everything, serve one job, end. Never returns."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if channel != CHANNEL:
            os.dup2(channel, CHANNEL, inheritable=False)
        os.closerange(CHANNEL + 1, 1 << 20)
        seal.quiet()  # a descriptor made before the copy would be shared with every other run
        os.write(CHANNEL, b"here")  # the host learns our pid from the kernel with it
        end = Channel(CHANNEL)
        try:
            pages = _close_in(libc, boot, wanted)
            _fresh(boot.runtime)
        except OSError as error:
            end.send({"t": "broken", "kind": str(error)})
            raise
        serve(end, boot.runtime, pages, boot.work, boot.data)
        code = 0
    except Closed:
        code = 0
    except BaseException as error:
        with suppress(Closed):
            end.send({"t": "broken", "kind": type(error).__name__})
    finally:
        # no interpreter shutdown: hooks and threads of the job have no say in when this ends
        os._exit(code)


def _close_in(libc: CDLL, boot: Boot, wanted: dict[str, object]) -> int:
    """Everything of our own, then no rights. Returns a descriptor of our own page counts."""
    seal.unshare(libc, seal.NEW_NS | seal.NEW_IPC)
    seal.must(libc.mount(None, b"/", None, seal.MS_REC | seal.MS_PRIVATE, None), "private")
    inbox, data = f"{boot.inboxes}/{wanted['inbox']}".encode(), boot.data.encode()
    seal.must(libc.mount(inbox, data, None, seal.MS_BIND, None), "bind")
    flags = seal.MS_REMOUNT | seal.MS_BIND | seal.MS_RDONLY | seal.PLAIN
    seal.must(libc.mount(None, data, None, flags, None), "read-only")
    seal.unmount(libc, boot.inboxes)
    for mount in boot.mounts:
        seal.unmount(libc, str(mount["path"]))  # the template's
        seal.tmpfs(libc, str(mount["path"]), int(str(mount["mib"])), int(str(mount["inodes"])))
    uid = wanted["uid"]
    if isinstance(uid, int):
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        seal.must(libc.prctl(seal.PR_SET_DUMPABLE, 1, 0, 0, 0), "dumpable")
    # the mount namespace stays the template's user namespace's: nothing in it can be changed
    # from the new one. A folder that is open outlives its mount.
    own = os.open("/proc/self", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    seal.unmount(libc, "/proc")
    outside, outside_group = os.getuid(), os.getgid()
    seal.unshare(libc, seal.NEW_USER)
    _write(own, "setgroups", "deny")
    _write(own, "uid_map", f"{wanted['shown']} {outside} 1")
    _write(own, "gid_map", f"{wanted['shown']} {outside_group} 1")
    pages = os.open("statm", os.O_RDONLY | os.O_CLOEXEC, dir_fd=own)
    os.close(own)
    seal.drop_all(libc)
    seal.bound()
    seal.load_filter(libc, boot.filter)
    return pages


def _write(folder: int, name: str, text: str) -> None:
    descriptor = os.open(name, os.O_WRONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        os.write(descriptor, text.encode("ascii"))
    finally:
        os.close(descriptor)


def _fresh(runtime: str) -> None:
    """What the copy must not have in common with other copies, beyond what `fork` sees to."""
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115  (for the process's life)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed()
    if runtime == "data":
        with suppress(OSError):
            os.mkdir(os.environ["MPLCONFIGDIR"])
