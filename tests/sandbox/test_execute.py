"""Code runs like a notebook cell, whatever it does, on every backend of this machine."""

from dataclasses import replace
from pathlib import Path

import pytest

from guardrails.errors import BadInput
from sandbox.command import run_cold, run_exec
from sandbox.execute import Execution, parse
from sandbox.launch.base import EachAnew, Launcher, LaunchFailed, Started
from sandbox.launch.self_check import RUNGS, launcher_for
from sandbox.limits import Limits
from sandbox.wire import Frame
from tests.sandbox.rungs import backend

LIMITS = Limits(wall_s=30.0, cpu_s=10.0, memory_mib=256)


@pytest.fixture(scope="module", params=[*RUNGS, "none"])
def launcher(request: pytest.FixtureRequest) -> Launcher:
    """Each backend."""
    return backend(request.param)


@pytest.fixture(scope="module")
def seal() -> Launcher:
    """The first rung."""
    found = launcher_for("bubblewrap")
    if found is None:
        pytest.fail("bubblewrap is not available here")
    return found


class Endless:
    """The host's end of a process that parses for ever; the pool that gives it."""

    def __init__(self, inbox: Path) -> None:
        self.inbox = inbox
        self.sent = 0
        self.discarded = False

    async def warm(self, _runtime: str) -> "Endless":
        return self

    async def begin(self, _limits: Limits) -> None: ...

    async def send(self, _frame: Frame) -> None: ...

    async def receive(self) -> Frame:
        self.sent += 1
        return {"t": "passages", "items": [{"text": ""}] * 15_000}

    def discard(self) -> None:
        self.discarded = True


async def test_a_parser_that_never_ends_is_ended(tmp_path: Path) -> None:
    endless = Endless(tmp_path)
    with pytest.raises(BadInput, match="file-too-much-text"):
        await parse(endless, "a.pdf", b"x")  # type: ignore[arg-type]
    assert (endless.sent, endless.discarded) == (2, True)


def test_code_shows_prints_and_its_last_value(launcher: Launcher) -> None:
    done = run_cold(
        launcher, "print('one')\nimport sys\nprint('two', file=sys.stderr)\n6*7", LIMITS
    )
    assert (done.status, done.output) == ("ok", "one\ntwo\n42\n")


def test_an_error_shows_the_lines_of_the_code_only(launcher: Launcher) -> None:
    done = run_cold(launcher, "def f():\n    return 1 / 0\nf()", LIMITS)
    assert done.status == "error"
    assert "return 1 / 0" in done.output
    assert "ZeroDivisionError" in done.output
    assert "sandbox" not in done.output


def test_uploaded_files_are_there_by_their_bare_name(launcher: Launcher) -> None:
    done = run_cold(launcher, "open('sales.csv').read()", LIMITS, {"sales.csv": b"a,b\n"})
    assert done.output == "'a,b\\n'\n"


def test_files_that_the_code_writes_leave(launcher: Launcher) -> None:
    code = "open('out.csv', 'w').write('a,b'); open('page.html', 'w').write('<script>')"
    done = run_cold(launcher, code, LIMITS)
    assert [(a.name, a.media_type, a.data) for a in done.artefacts] == [
        ("out.csv", "text/csv", b"a,b")
    ]
    assert done.dropped == 1


@pytest.mark.parametrize(
    ("code", "limits", "status"),
    [
        ("import time\nwhile True: time.sleep(1)", replace(LIMITS, wall_s=0.5), "timeout"),
        ("while True: pass", replace(LIMITS, cpu_s=0.1), "timeout"),
        ("x = bytearray(1 << 30)", LIMITS, "memory"),
        ("x = []\nwhile True: x.append(bytearray(1 << 20))", LIMITS, "memory"),
        ("import os; os._exit(0)", LIMITS, "killed"),
        ("import os; os.abort()", LIMITS, "killed"),
        ("import ctypes; ctypes.string_at(0)", LIMITS, "killed"),
        ("import sys; sys.exit()", LIMITS, "ok"),
        ("import sys; sys.exit('no')", LIMITS, "error"),
        ("raise KeyboardInterrupt", LIMITS, "error"),
        ("def (", LIMITS, "error"),
        ("def f(): f()\nf()", LIMITS, "error"),
        ("", LIMITS, "ok"),
        ("'\\ud800'", LIMITS, "ok"),
        ("print('\\ud800')", LIMITS, "ok"),
        ("class X:\n    def __repr__(self): raise ValueError\nX()", LIMITS, "error"),
        ("import sys; sys.stdout.close(); print(1)", LIMITS, "ok"),
        ("import sys; sys.stdout = None", LIMITS, "ok"),
        ("import os; os.closerange(3, 64)", LIMITS, "killed"),
    ],
)
def test_every_end_has_its_status(seal: Launcher, code: str, limits: Limits, status: str) -> None:
    assert run_cold(seal, code, limits).status == status


def test_what_was_printed_before_a_timeout_is_kept(seal: Launcher) -> None:
    code = "import time\nprint('begun')\ntime.sleep(0.5)\nprint('on')\ntime.sleep(60)"
    done = run_cold(seal, code, replace(LIMITS, wall_s=1.5))
    assert (done.status, done.message) == ("timeout", "seal.limit.timeout")
    assert done.output.startswith("begun")


def test_output_is_cut_at_its_limit(seal: Launcher) -> None:
    done = run_cold(seal, "print('é' * 10_000_000)", replace(LIMITS, output_bytes=2000))
    assert done.status == "ok"
    assert 1990 <= len(done.output.encode()) <= 2010


def test_threads_and_event_loops_work(seal: Launcher) -> None:
    code = """
import asyncio
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool: print(sum(pool.map(int, range(100))))
async def main(): await asyncio.sleep(0); return await asyncio.to_thread(len, 'abc')
asyncio.run(main())"""
    assert run_cold(seal, code, LIMITS).output == "4950\n3\n"


def test_a_table_is_shown_and_a_drawn_figure_leaves(launcher: Launcher) -> None:
    code = """
import pandas as pd
import matplotlib.pyplot as plt
table = pd.read_csv('sales.csv')
table.plot.bar(x='month')
plt.show()
table.groupby('month').sum()"""
    files = {"sales.csv": b"month,amount\nmay,1\nmay,2\njune,4\n"}
    done = run_cold(launcher, code, replace(LIMITS, memory_mib=512), files)
    assert done.status == "ok", done.output
    assert "june        4" in done.output
    assert "Warning" not in done.output
    assert [artefact.media_type for artefact in done.artefacts] == ["image/png"]


def test_a_spreadsheet_goes_in_and_comes_out(seal: Launcher) -> None:
    code = "import pandas as pd\npd.DataFrame({'a': [1]}).to_excel('out.xlsx')"
    done = run_cold(seal, code, replace(LIMITS, memory_mib=512))
    assert done.status == "ok", done.output
    again = run_cold(
        seal,
        "import pandas as pd\nint(pd.read_excel('in.xlsx')['a'].sum())",
        replace(LIMITS, memory_mib=512),
        {"in.xlsx": done.artefacts[0].data},
    )
    assert again.output == "1\n"


def test_too_many_and_too_large_files_are_left_behind(seal: Launcher) -> None:
    code = """
for n in range(5): open(f'{n}.txt', 'w').write(str(n))
open('big.txt', 'w').write('x' * 3000)"""
    done = run_cold(seal, code, replace(LIMITS, files=6, file_bytes=1000))
    assert len(done.artefacts) == 5
    assert done.dropped == 1
    done = run_cold(seal, code, replace(LIMITS, files=2, file_bytes=1000))
    assert len(done.artefacts) == 2
    assert done.dropped == 4


def test_the_command_gives_what_acceptance_reads() -> None:
    done = run_exec("print(6*7)", time_s=10, memory_mib=128)
    assert done["status"] == "ok"
    assert done["output"] == "42\n"
    assert done["backend"] in RUNGS
    assert isinstance(done["wall_s"], float)


def test_code_of_a_megabyte_is_refused() -> None:
    done = run_exec("#" * 1_000_000)
    assert (done["status"], done["message"]) == ("refused", "seal.refused.code")


def test_a_backend_that_cannot_start_refuses() -> None:
    class Broken:
        name = "bubblewrap"

        def starter(self, runtime: object, runs: object) -> EachAnew:
            return EachAnew(self.start)

        def start(self, plan: object) -> Started:
            raise LaunchFailed("bubblewrap", "no")

    done: Execution = run_cold(Broken(), "1", LIMITS)  # type: ignore[arg-type]
    assert (done.status, done.message) == ("refused", "seal.refused.pool")
