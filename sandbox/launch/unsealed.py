"""No isolation at all, for developers: `--unsafe-no-sandbox`. Every trace of it is marked."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.launch import base
from sandbox.launch.base import LaunchFailed, Plan, Runtime, Started
from sandbox.launch.held import Held
from sandbox.rundirs import default_runs, make_runs, new_run


@dataclass(frozen=True)
class Unsealed:
    """Starts plain processes. They can do whatever this user can."""

    name: base.Backend = "none"

    def starter(self, runtime: Runtime, runs: Path) -> base.Starter:
        """See `Launcher.starter`."""
        return base.EachAnew(self.start)

    def start(self, plan: Plan) -> Started:
        """See `Starter.start`."""
        runs = default_runs()
        make_runs(runs)
        run = new_run(runs)
        temporary = run / "tmp"
        temporary.mkdir()
        root = str(Path(__file__).resolve().parents[2])
        paths = [root, str(base.packages().source)]
        code = base.BOOT.format(paths=paths, start="main", channel=plan.theirs)
        held = Held()
        try:
            errors, errors_write = held.pipe()
            process = subprocess.Popen(  # noqa: S603  (our own interpreter and arguments)
                [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=errors_write,
                stderr=errors_write,
                env={**base.ENVIRONMENT, "HOME": str(temporary), "MPLCONFIGDIR": str(temporary)},
                pass_fds=[plan.theirs],
                cwd=run,
                start_new_session=True,
            )
        except OSError as error:
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
            "parent": os.getpid(),
            "work": str(run),
            "data": str(plan.inbox),
        }
        return Started(*base.ends_of(process), boot, errors, cleanup=(run,))
