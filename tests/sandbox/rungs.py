"""The backends that tests run on."""

import pytest

from sandbox.launch.base import Backend, Launcher
from sandbox.launch.self_check import launcher_for
from sandbox.launch.unsealed import Unsealed


def backend(name: Backend) -> Launcher:
    """The launcher of a rung, or of none. What can be installed must be there: only a kernel
    without Landlock is a reason to skip."""
    if name == "none":
        return Unsealed()
    found = launcher_for(name)
    if found is None and name == "landlock":
        pytest.skip("this kernel has no Landlock that is new enough")
    assert found is not None, "bubblewrap is not installed; `make setup` does it"
    return found
