"""A server killed in the middle of a turn: the next start says so, and leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.sandbox.test_kill_safety import descendants, wait_until_gone
from tests.upstream import Say, Upstream

START_S = 90.0


def serve(home: Path, port: int, upstream: Upstream) -> "subprocess.Popen[bytes]":
    environment = {
        **os.environ,
        "ATELIER_HOME": str(home),
        "ATELIER_PORT": str(port),
        "ATELIER_MODEL": "openai/test",
        "ATELIER_MODEL_BASE": upstream.base,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "serve"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(base: str) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        try:
            if not httpx.get(f"{base}/api/v1/health", timeout=5).json()["warming"]:
                return
        except (httpx.HTTPError, ValueError):
            pass
        time.sleep(0.2)
    raise TimeoutError("the server did not start")


def get(base: str, path: str) -> Any:
    answer = httpx.get(f"{base}/api/v1{path}", timeout=30)
    answer.raise_for_status()
    return answer.json()


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_a_turn_under_way_is_recorded_as_interrupted(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    with Upstream(Say("word " * 400, delay=0.5)) as upstream:
        server = serve(tmp_path, port, upstream)
        try:
            wait_for(base)
            headers = {"origin": base}
            asked = {"text": "Write to Claire Fontaine about Monday."}
            url = f"{base}/api/v1/agents/email-drafter/messages"
            with httpx.stream("POST", url, json=asked, headers=headers, timeout=60) as answer:
                for line in answer.iter_lines():
                    if line.startswith("event: delta"):
                        break
                inside = descendants(server.pid)
                server.send_signal(signal.SIGKILL)
                server.wait()
        finally:
            server.kill()
            server.wait()
        assert len(inside) >= 2
        assert wait_until_gone(inside) == []
        left = {path.name for path in (tmp_path / "runs").iterdir()}
        again = serve(tmp_path, port, upstream)
        try:
            wait_for(base)
            listed = get(base, "/conversations")
            rows = listed["rows"] if isinstance(listed, dict) else listed
            kept = get(base, f"/conversations/{rows[0]['id']}")
            said = json.dumps(kept)
            assert "turn-interrupted" in said
            assert "Claire Fontaine" in said  # the question is still there, for its owner
            assert not left & {path.name for path in (tmp_path / "runs").iterdir()}
        finally:
            again.send_signal(signal.SIGTERM)
            again.wait(30)
        assert list((tmp_path / "runs").iterdir()) == []
    assert not psutil.pid_exists(server.pid)
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text("utf-8")
