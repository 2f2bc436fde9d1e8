"""The host's side of the first rung: start a template, have it make runs, learn how they end."""

import base64
import json
import os
import socket
import struct
import subprocess
from contextlib import suppress
from pathlib import Path

from sandbox.launch import base
from sandbox.launch.base import LaunchFailed, Plan, Runtime, Started
from sandbox.launch.bubblewrap import INBOXES, arguments, command
from sandbox.launch.cgroup import own_group
from sandbox.launch.filters import program
from sandbox.launch.held import Held, readable, said
from sandbox.limits import MIB

NAME: base.Backend = "bubblewrap"
INSIDE_UID = 1000  # what a run sees as its own
TEMPLATE_UID, RUN_UIDS = 999, 1000  # inside, where the host is root: its own, and the runs' first
HANDSHAKE_S = 10.0
IMPORT_S = 60.0  # on a busy machine
CREDENTIALS = struct.Struct("3i")  # pid, uid, gid; see unix(7)


class Template:
    """A `base.Starter`: one template, started when it is first needed and after it died."""

    def __init__(self, binary: Path, runtime: Runtime, runs: Path) -> None:
        self._binary = binary
        self._runtime = runtime
        self._runs = runs
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._common_mib = 0.0

    def start(self, plan: Plan) -> Started:
        """See `Starter.start`. The first one waits until the runtime is imported."""
        if self._control is not None:
            with suppress(OSError):  # it may have been killed since
                return self._make(plan, self._control)
            self.close()
        control = self._open()
        try:
            return self._make(plan, control)
        except OSError as error:
            self.close()
            raise LaunchFailed(NAME, f"the template does not answer: {error}") from error

    def _make(self, plan: Plan, control: socket.socket) -> Started:
        uid = None
        if os.geteuid() == 0:
            first, count = base.own_uids()
            os.chown(plan.inbox, first + plan.serial % count, first + plan.serial % count)
            uid = RUN_UIDS + plan.serial % count
        wanted = {"uid": uid, "shown": INSIDE_UID, "inbox": plan.inbox.name}
        held = Held()
        try:
            ended, told = held.pipe()
            with socket.socket(fileno=os.dup(plan.ours)) as end:
                # before it can send: what is sent earlier has no sender
                end.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
                socket.send_fds(control, [json.dumps(wanted).encode()], [plan.theirs, told])
                pid = _sender(end, control)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
            group = own_group(pid)
            held.keep(ended)
        finally:
            held.close_all()
        return Started(pid, ended, lambda: _told(ended), common_mib=self._common_mib, group=group)

    def close(self) -> None:
        """End the template and every run that is made from it."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None

    def _open(self) -> socket.socket:
        held = Held()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        root = os.geteuid() == 0
        process = None
        errors = -1
        try:
            errors, errors_write = held.pipe()
            info, info_write = held.pipe()
            block_read, block = held.pipe()
            first = held.file(program("template"))
            given = ["--info-fd", str(info_write)]
            if root:
                # Root's own uid must not be the sealed one: file modes and process limits do
                # nothing against it. So the map is written here, with uids of the server's own.
                given += ["--userns-block-fd", str(block_read)]
            given += arguments(self._runs, first)
            # not on the command line: every user of the host can read that
            listed = held.file(b"\0".join(os.fsencode(argument) for argument in given))
            passed = [theirs.fileno(), first, listed, info_write, *([block_read] if root else [])]
            process = subprocess.Popen(  # noqa: S603  (an absolute path and our own arguments)
                [str(self._binary), "--args", str(listed), "--", *command(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=errors_write,
                stderr=errors_write,
                env={},  # `--clearenv` would leave ours readable in /proc/1/environ
                pass_fds=passed,
                cwd="/",
            )
            held.close(errors_write, info_write)
            theirs.close()
            os.set_blocking(errors, False)
            inner = _child_pid(info)
            if root:
                _map_ids(inner)
                os.write(block, b"11")
            ours.settimeout(IMPORT_S)
            ours.send(json.dumps(_boot(self._runtime, root)).encode())
            if ours.recv(16) != b"ready":
                raise OSError("it ended")
            ours.settimeout(HANDSHAKE_S)
        except (OSError, ValueError, KeyError) as error:
            why = said(errors) if errors >= 0 else ""
            ours.close()
            if process is not None:
                process.kill()
                process.wait()
            raise LaunchFailed(NAME, why or str(error)) from error
        finally:
            theirs.close()
            held.close_all()
        self._process, self._control = process, ours
        self._common_mib = _private_mib(inner)
        return ours


def _sender(end: socket.socket, control: socket.socket) -> int:
    """The pid, as this host counts, of the process that sends the first message. Raises OSError.

    The kernel attaches it; the message is ours, because no job has been given yet.
    """
    # the template says nothing any more: what can be read from it is its end
    ready = readable(end.fileno(), control.fileno(), timeout=HANDSHAKE_S)
    if end.fileno() not in ready:
        raise OSError("it ended" if ready else "no answer in time")
    data, given, _, _ = end.recvmsg(4, socket.CMSG_SPACE(CREDENTIALS.size))
    for level, kind, value in given:
        if data == b"here" and level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            return int(CREDENTIALS.unpack(value)[0])
    raise OSError("it ended")


def _told(ended: int) -> int:
    """How a run ended, from its template; -9 where the template died and took it along."""
    with suppress(OSError):
        said_last = os.read(ended, 4)
        if len(said_last) == 4:
            return int(struct.unpack("!i", said_last)[0])
    return -9


def _child_pid(info: int) -> int:
    """The pid that bubblewrap reports once it has made the namespaces. Raises OSError."""
    text = b""
    while not text.rstrip().endswith(b"}"):
        if not readable(info, timeout=HANDSHAKE_S):
            raise OSError("bubblewrap did not answer")
        part = os.read(info, 4096)
        if not part:
            raise OSError("bubblewrap ended")
        text += part
    return int(json.loads(text)["child-pid"])


def _map_ids(pid: int) -> None:
    """Give the new user namespace root, to set up with, the template's own id and the runs'."""
    first, count = base.own_uids()
    for kind in ("uid_map", "gid_map"):
        text = f"0 0 1\n{TEMPLATE_UID} {first + count} 1\n{RUN_UIDS} {first} {count}\n"
        Path(f"/proc/{pid}/{kind}").write_text(text, "ascii")


def _private_mib(inner: int) -> float:
    """Memory that the template holds and its copies share, MiB. 0 when unknown."""
    with suppress(OSError, ValueError, IndexError):
        child = Path(f"/proc/{inner}/task/{inner}/children").read_text("ascii").split()[0]
        _, resident, shared, *_ = Path(f"/proc/{child}/statm").read_text("ascii").split()
        return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE") / MIB
    return 0.0


def _boot(runtime: Runtime, root: bool) -> dict[str, object]:
    return {
        "runtime": runtime,
        "filter": base64.b64encode(program("second")).decode("ascii"),
        "uid": TEMPLATE_UID if root else None,
        "mounts": [
            {"path": base.WORK, "mib": base.WORK_MIB, "inodes": base.WORK_INODES},
            {"path": base.TEMPORARY, "mib": base.TEMPORARY_MIB, "inodes": base.TEMPORARY_INODES},
        ],
        "inboxes": INBOXES,
        "work": base.WORK,
        "data": base.DATA,
    }
