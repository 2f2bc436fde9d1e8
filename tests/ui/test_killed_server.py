"""kill -9 in the middle of a turn: nothing recorded is lost, no orphan, the next start heals."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
import sqlalchemy as sa

from guardrails.audit.tables import ledger
from guardrails.store import open_engine
from tests.upstream import Say, Upstream

ATELIER = Path(sys.executable).with_name("atelier")
AGENT = "/api/v1/agents/email-drafter/messages"


@contextmanager
def server(home: Path, base: str) -> "Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]":
    """A real server on `home`, warm."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "ATELIER_HOME": str(home),
        "ATELIER_PORT": str(port),
        "ATELIER_MODEL": "openai/test",
        "ATELIER_MODEL_BASE": base,
    }
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([ATELIER, "serve"], env=environment)
    try:
        with httpx.Client(base_url=address, headers={"origin": address}, timeout=60) as client:
            _until(lambda: _warm(client), 100)
            yield process, client
    finally:
        process.kill()
        process.wait()


def _warm(client: httpx.Client) -> bool:
    try:
        return client.get("/api/v1/health").json().get("warming") is False
    except (httpx.HTTPError, json.JSONDecodeError):
        return False


def _until(true: object, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@pytest.mark.timeout(300)
def test_a_killed_server_leaves_nothing_behind_and_its_turn_is_on_record(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Upstream(Say("word " * 400, delay=0.05)) as upstream:
        with server(home, upstream.base) as (process, client):
            children = psutil.Process(process.pid).children(recursive=True)
            with client.stream("POST", AGENT, json={"text": "Write to Ada Example"}) as reply:
                assert any(line.startswith("event: delta") for line in reply.iter_lines())
                children += psutil.Process(process.pid).children(recursive=True)
                os.kill(process.pid, signal.SIGKILL)
            process.wait()
        assert children
        _until(lambda: not [child for child in children if _alive(child)], 10)
        upstream.script = [Say("Back again.")]
        with server(home, upstream.base) as (_process, client):
            (kept,) = client.get("/api/v1/conversations").json()
            messages = client.get(f"/api/v1/conversations/{kept['id']}").json()["messages"]
            assert messages[0]["text"] == "Write to Ada Example"
            with client.stream(
                "POST", AGENT, json={"text": "Again", "conversation": kept["id"]}
            ) as again:
                assert "Back again." in "".join(again.iter_lines())
    assert _open_acts(home) == 0
    environment = {**os.environ, "ATELIER_HOME": str(home)}
    verified = subprocess.run([ATELIER, "audit", "verify"], env=environment, check=False)
    assert verified.returncode == 0


def _alive(process: psutil.Process) -> bool:
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


def _open_acts(home: Path) -> int:
    engine = open_engine(f"sqlite:///{home / 'atelier.db'}")
    outcome = ledger.alias()
    answered = sa.exists().where(outcome.c.intent == ledger.c.seq)
    query = sa.select(sa.func.count()).where(ledger.c.step == "intent", ~answered)
    with engine.connect() as db:
        open_acts = int(db.scalar(query) or 0)
        assert db.scalar(sa.select(sa.func.count()).select_from(ledger))
    engine.dispose()
    return open_acts
