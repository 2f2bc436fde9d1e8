"""Second rung: Landlock, seccomp and limits, for places without user namespaces (containers).

The process starts in the host's namespaces and closes itself in, in `sandbox.child.rung_two`,
before it reads anything that is not ours. The interpreter and its modules are reached through
inherited directory descriptors: as root the sealed uid is another one, and the interpreter may
stand below a home that only root can pass.
"""

import base64
import mimetypes
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.launch import base
from sandbox.launch.base import LaunchFailed, Plan, Runtime, Started
from sandbox.launch.cgroup import own_group
from sandbox.launch.filters import program
from sandbox.launch.held import Held
from sandbox.rundirs import default_runs, make_runs, new_run

SYSTEM = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


@dataclass(frozen=True)
class Landlock:
    """Starts processes that seal themselves with Landlock."""

    name: base.Backend = "landlock"

    def starter(self, runtime: Runtime, runs: Path) -> base.Starter:
        """See `Launcher.starter`."""
        return base.EachAnew(self.start)

    def start(self, plan: Plan) -> Started:
        """See `Starter.start`. Files and work stand below a folder that any uid may pass."""
        runs = default_runs()
        make_runs(runs)
        run = new_run(runs)
        work, temporary, app = run / "work", run / "work" / "tmp", run / "app"
        uid = base.own_uid(plan.serial) if os.geteuid() == 0 else None
        held = Held()
        try:
            for folder in (work, temporary):
                folder.mkdir(mode=0o700)
            _copy_sources(app)
            if uid is not None:
                for folder in (run, work, temporary, plan.inbox):
                    os.chown(folder, uid, uid)
            errors, errors_write = held.pipe()
            python = held.folder(Path(sys.base_prefix))
            modules = held.folder(base.packages().source)
            inbox = held.folder(plan.inbox)
            version = f"python{sys.version_info.major}.{sys.version_info.minor}"
            home = f"/proc/self/fd/{python}"
            paths = [str(app), f"/proc/self/fd/{modules}"]
            boot_code = base.BOOT.format(paths=paths, start="main", channel=plan.theirs)
            environment = {
                **base.ENVIRONMENT,
                "HOME": str(temporary),
                "TMPDIR": str(temporary),
                "MPLCONFIGDIR": str(temporary),
                "LD_LIBRARY_PATH": f"{home}/lib",
            }
            process = subprocess.Popen(  # noqa: S603  (our own interpreter and arguments)
                [f"{home}/bin/{version}", "-I", "-S", "-B", "-X", "utf8", "-c", boot_code],
                stdin=subprocess.DEVNULL,
                stdout=errors_write,
                stderr=errors_write,
                env=environment,
                pass_fds=[plan.theirs, python, modules, inbox],
                cwd=work,
                start_new_session=True,
            )
        except OSError as error:
            shutil.rmtree(run, ignore_errors=True)
            raise LaunchFailed(self.name, str(error)) from error
        else:
            os.set_blocking(errors, False)
            held.keep(errors)
        finally:
            held.close_all()
        boot: dict[str, object] = {
            "t": "boot",
            "runtime": plan.runtime,
            "backend": self.name,
            "filter": base64.b64encode(program("second", shared_host=True)).decode("ascii"),
            "uid": uid,
            "parent": os.getpid(),
            "threads": 0 if uid is not None else _threads_of_user(),
            "read": [
                *(path for path in (*SYSTEM, *mimetypes.knownfiles) if os.path.exists(path)),
                *(str(bind.source) for bind in base.interpreter()),
                str(base.packages().source),
                str(app),
                str(plan.inbox),
            ],
            "devices": [path for path in DEVICES if os.path.exists(path)],
            "write": [str(work)],
            "work": str(work),
            "data": f"/proc/self/fd/{inbox}",
        }
        group = own_group(process.pid)
        return Started(*base.ends_of(process), boot, errors, group=group, work=work, cleanup=(run,))


def _copy_sources(app: Path) -> None:
    """The product's files that run inside, copied: listing their folder would show the rest."""
    for bind in base.sources():
        target = app / Path(bind.target).relative_to(base.APP)
        target.parent.mkdir(parents=True, exist_ok=True)
        if bind.source.is_dir():
            shutil.copytree(bind.source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(bind.source, target)


def _threads_of_user() -> int:
    """Threads of this user now: the kernel counts all of them against one process's limit."""
    mine = os.getuid()
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            if folder.stat().st_uid == mine:
                found += int((folder / "stat").read_bytes().rpartition(b")")[2].split()[17])
    return found


def available() -> bool:
    """Whether this kernel has a Landlock that is new enough. Changes nothing."""
    import ctypes

    from sandbox.child.rung_two import OLDEST, version

    return version(ctypes.CDLL(None)) >= OLDEST
