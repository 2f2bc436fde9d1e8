"""What there is to get on the host: files, sockets, a server, a process, a secret. And a judge."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

VALUE = secrets.token_hex(16)  # this process's secret, also in its environment
os.environ["SEAL_SECRET"] = VALUE


class Bait:
    """Put out before an attack, looked at afterwards. Everything is thrown away at the end."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> "Bait":
        self.folder = Path(tempfile.mkdtemp(prefix="seal-bait-"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.value = VALUE
        self.file, self.other = self.folder / "secret.txt", self.folder / "other.txt"
        module, script = self.folder / "module.py", self.folder / "script"
        for path in (self.file, self.other, module, script):
            path.write_text(self.value if path != module else "x = 1\n", "ascii")
            path.chmod(0o755 if path == script else 0o666)
        inbox, shared = self.folder / "inbox", self.folder / "shared"
        for folder in (inbox, shared, self.folder):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o777)
        (inbox / "x.csv").write_text("a,b\n1,2\n", "ascii")
        self._before = self.file.stat()
        server = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        unix = self._stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(str(self.folder / "socket"))
        datagram = self._stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        datagram.bind(str(self.folder / "datagram"))
        quiet = f"seal-{VALUE}-{self.folder.name}"
        abstract = self._stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind("\0" + quiet)
        for listener in (unix, abstract):
            listener.listen()
        for name in ("socket", "datagram"):
            (self.folder / name).chmod(0o777)
        argument = "argument" + self.value
        self.victim = subprocess.Popen(
            ["/bin/sh", "-c", "sleep 60; :", argument],
            env={"SECRET": self.value},
            start_new_session=True,
        )
        self._stack.callback(self._end_victim)
        self.leak = os.open(self.file, os.O_RDONLY)
        os.set_inheritable(self.leak, True)
        self._stack.callback(os.close, self.leak)
        _wait_for(self.victim.pid, argument)
        self.facts: dict[str, object] = {
            "file": str(self.file),
            "file2": str(self.other),
            "module": str(module),
            "script": str(script),
            "inbox": str(inbox),
            "shared": str(shared),
            "temporary": str(shared),
            "runs": str(self.folder),
            "value": self.value,
            "port": server.getsockname()[1],
            "unix": str(self.folder / "socket"),
            "datagram": str(self.folder / "datagram"),
            "abstract": quiet,
            "victim": self.victim.pid,
            "pids": [os.getpid(), self.victim.pid],
            "address": _stack_of(self.victim.pid),
            "argument": argument,
            "program": shutil.which("true"),
            "leak": self.leak,
            "bounded": True,
        }
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stack.close()

    def touched(self) -> str:
        """What of the host was changed; empty when nothing was."""
        if not self.other.exists():
            return "a file was moved or deleted"
        about = self.file.stat()
        if (about.st_mode, about.st_mtime_ns) != (self._before.st_mode, self._before.st_mtime_ns):
            return "a file's mode, time or content was changed"
        if os.listxattr(self.file):
            return "an attribute was set"
        return "a process was killed" if self.victim.poll() is not None else ""

    def _end_victim(self) -> None:
        self.victim.kill()
        self.victim.wait()


def _wait_for(pid: int, argument: str) -> None:
    """Until the process has become the program it was started as."""
    for _ in range(500):
        if argument in Path(f"/proc/{pid}/cmdline").read_text("utf-8"):
            return
        time.sleep(0.01)
    raise TimeoutError("the victim did not start")


def _stack_of(pid: int) -> int:
    """Where a process's stack begins: something readable."""
    for line in Path(f"/proc/{pid}/maps").read_text("ascii").splitlines():
        if line.endswith("[stack]"):
            return int(line.partition("-")[0], 16)
    return 0
