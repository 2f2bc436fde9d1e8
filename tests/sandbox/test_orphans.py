"""A server killed in the middle of starting a sealed process leaves one that waits for ever."""

import signal
import subprocess
import sys
import time

import psutil
import pytest

from sandbox.launch.bubblewrap import find_bwrap
from sandbox.rundirs import end_orphans

STARTER = """
import os, subprocess, sys, time
held = os.memfd_create("sealed")
block, write = os.pipe()
info_read, info = os.pipe()
process = subprocess.Popen(
    [sys.argv[1], "--unshare-user", "--userns-block-fd", str(block), "--info-fd", str(info),
     "--die-with-parent", "--ro-bind", "/", "/", "sleep", "600"],
    pass_fds=[held, block, info, write],
)
print(process.pid, flush=True)
time.sleep(600)
"""


def test_the_next_start_ends_what_waits_for_a_dead_server() -> None:
    binary = find_bwrap()
    if binary is None:
        pytest.fail("needs bubblewrap: apt-get install bubblewrap")
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(binary)], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    outer = psutil.Process(int(starter.stdout.readline()))
    time.sleep(0.3)
    left = [outer, *outer.children(recursive=True)]
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    starter.stdout.close()
    time.sleep(0.3)
    waiting = [process for process in left if _alive(process)]
    assert waiting, "nothing was left: the case this test is about did not happen"
    end_orphans()
    deadline = time.monotonic() + 5
    while [process for process in waiting if _alive(process)]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
