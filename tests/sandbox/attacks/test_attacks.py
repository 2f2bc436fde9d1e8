"""Every attack of the table fails on every rung, as root and as an ordinary user; bare it works."""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.sandbox.attacks.table import ATTACKS

ROOT = Path(__file__).resolve().parents[3]
NOBODY = 65534
NAMES = [f"{one.group}: {one.name}" for one in ATTACKS]
# what an ordinary user could not do outside either proves nothing inside for one
CONTROLS = [
    f"{one.group}: {one.name}" for one in ATTACKS if os.geteuid() == 0 or one.control == "any"
]
pytestmark = pytest.mark.timeout(600)


@cache
def rows(where: str, ordinary: bool) -> dict[str, tuple[bool, str]]:
    """The suite's result in a process of its own: name -> (escaped, detail)."""
    command = [sys.executable, "-m", "tests.sandbox.attacks.run", where, "--json"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if ordinary and os.geteuid() == 0:
        command = [*as_nobody(), *command[1:]]
        packages = Path(pytest.__file__).resolve().parents[1]
        environment["PYTHONPATH"] = f"{ROOT}:{packages}"
        environment["HOME"] = "/nonexistent"
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    if not done.stdout.startswith("["):
        pytest.fail(done.stderr[-2000:])
    return {
        f"{row['group']}: {row['name']}": (row["escaped"], row["detail"])
        for row in json.loads(done.stdout)
    }


def as_nobody() -> list[str]:
    """How to start the suite without root's rights: an interpreter that anybody may read."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    setpriv = shutil.which("setpriv")
    ids = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    for interpreter in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if setpriv and Path(interpreter).exists():
            # its real path too: started through a link it may run and yet not find itself
            files = [str(ROOT / "pyproject.toml"), str(Path(interpreter).resolve())]
            probe = [setpriv, *ids, interpreter, "-c", f"for f in {files!r}: open(f)"]
            if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
                return [setpriv, *ids, interpreter]
    # where a checkout lies and who may read it is the host's to say; nothing can be installed
    pytest.skip("no interpreter and checkout that an ordinary user may read")


def check(where: str, ordinary: bool, name: str) -> None:
    escaped, detail = rows(where, ordinary)[name]
    assert not escaped, detail


@pytest.mark.parametrize("name", NAMES)
def test_attack_is_contained_on_the_first_rung(name: str) -> None:
    check("bubblewrap", False, name)


@pytest.mark.heavy
@pytest.mark.parametrize("name", NAMES)
def test_attack_is_contained_on_the_second_rung(name: str) -> None:
    check("landlock", False, name)


@pytest.mark.heavy
@pytest.mark.parametrize("name", NAMES)
def test_attack_is_contained_on_the_first_rung_for_an_ordinary_user(name: str) -> None:
    check("bubblewrap", True, name)


@pytest.mark.heavy
@pytest.mark.parametrize("name", NAMES)
def test_attack_is_contained_on_the_second_rung_for_an_ordinary_user(name: str) -> None:
    check("landlock", True, name)


@pytest.mark.heavy
@pytest.mark.parametrize("name", CONTROLS)
def test_attack_works_outside_the_seal(name: str) -> None:
    escaped, detail = rows("bare", False)[name]
    assert escaped, f"the control did not work here: {detail}"
