"""Pick the isolation backend for this host: the first rung whose self-check holds, else none."""

from pathlib import Path

from guardrails.errors import GuardrailError
from sandbox.launch.base import Launcher
from sandbox.launch.bubblewrap import Bubblewrap, find_bwrap


class NoSeal(GuardrailError):
    """No rung holds here, so nothing is run. `data["fix"]` is the catalogue key of the fix."""

    code = "no-seal"


def choose(unsafe_no_sandbox: bool = False, home: Path | None = None) -> Launcher:
    """The launcher to use on this host. Raises NoSeal with the exact fix."""
    binary = find_bwrap()
    if binary is None:
        raise NoSeal(fix="seal.fix.install")
    return Bubblewrap(binary)
