"""What `make test` installs for the tests: where it is missing, the test fails and says so.

A test that is skipped because a machine lacks something proves nothing there, and nobody looks.
"""

import shutil
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[1] / ".tools"
PACKAGES = TOOLS / "node_modules"


def program(name: str) -> str:
    """The path of a program, the machine's own or one that the setup keeps beside the product."""
    found = shutil.which(name) or shutil.which(name, path=str(TOOLS / "bin"))
    if found is None:
        pytest.fail(f"{name} is not installed: deploy/setup.sh test")
    return found


def node_package(name: str) -> Path:
    """The folder of a package of npm's that tests/e2e/package.json names."""
    folder = PACKAGES / name
    if not (folder / "package.json").is_file():
        pytest.fail(f"npm's {name} is not installed: deploy/setup.sh test")
    return folder
