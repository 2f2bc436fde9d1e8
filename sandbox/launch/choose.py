"""Pick the isolation backend for this host: the first rung whose self-check holds, else none."""

from pathlib import Path

from sandbox.launch.base import Launcher
from sandbox.launch.bubblewrap import find_bwrap
from sandbox.launch.fixes import fix_for_host
from sandbox.launch.refuse import NoSeal, Refusing
from sandbox.launch.self_check import RUNGS, holds, launcher_for
from sandbox.launch.unsealed import Unsealed


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


def choose_or_refuse(unsafe_no_sandbox: bool = False, home: Path | None = None) -> Launcher:
    """Like `choose`, for a server: where nothing holds, a launcher that refuses every run."""
    try:
        return choose(unsafe_no_sandbox, home)
    except NoSeal as error:
        return Refusing(str(error.data["fix"]))
