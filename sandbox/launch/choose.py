"""Pick the isolation backend for this host: the first rung whose self-check holds, else none."""

from pathlib import Path

from guardrails.errors import GuardrailError
from sandbox.launch.base import Launcher
from sandbox.launch.bubblewrap import find_bwrap
from sandbox.launch.fixes import fix_for_host
from sandbox.launch.self_check import RUNGS, holds, launcher_for
from sandbox.launch.unsealed import Unsealed


class NoSeal(GuardrailError):
    """No rung holds here, so nothing is run. `data["fix"]` is the catalogue key of the fix."""

    code = "no-seal"


def choose(unsafe_no_sandbox: bool = False, home: Path | None = None) -> Launcher:
    """The launcher to use on this host. Raises NoSeal with the exact fix.

    With a `home` the self-check runs once per boot and version; without, every time.
    """
    if unsafe_no_sandbox:
        return Unsealed()
    for rung in RUNGS:
        launcher = launcher_for(rung)
        if launcher is not None and holds(rung, home):
            return launcher
    raise NoSeal(fix=fix_for_host(find_bwrap() is not None))
