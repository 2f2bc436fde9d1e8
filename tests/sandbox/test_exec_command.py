"""`atelier sandbox exec --json`, as a program calls it: every status of its interface."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.launch.self_check import RUNGS


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home, so that the self-check runs once."""
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize(
    ("code", "options", "status", "output", "exit_code"),
    [
        ("print(6*7)", [], "ok", "42\n", 0),
        ("1/0", [], "error", "ZeroDivisionError", 0),
        ("print('a', flush=True)\nimport time; time.sleep(60)", ["--time", "1"], "timeout", "a", 0),
        ("while True: pass", ["--time", "1"], "timeout", "", 0),
        ("x = bytearray(1 << 30)", ["--memory", "64"], "memory", "", 0),
        ("import os; os.abort()", [], "killed", "", 0),
        ("#" * 300_000, [], "refused", "", 3),
    ],
)
def test_every_status_is_said(
    home: Path, code: str, options: list[str], status: str, output: str, exit_code: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ui.cli", "sandbox", "exec", "--json", *options],
        input=code,
        capture_output=True,
        text=True,
        env={"ATELIER_HOME": str(home), "PATH": "/usr/bin:/bin", "ATELIER_LANGUAGE": "en"},
        timeout=60,
        check=False,
    )
    said = json.loads(done.stdout)
    assert said["status"] == status, said
    assert output in said["output"]
    assert said["backend"] in RUNGS
    assert said["wall_s"] < 30
    assert done.returncode == exit_code
    assert bool(said["message"]) == (status not in ("ok", "error"))
    assert "{" not in said["message"]
