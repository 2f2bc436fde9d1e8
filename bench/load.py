"""People who chat at the same time with a real server: `python -m bench.load [50 200]`.

Every person has an account, a conversation, a think time of 3 to 7 s and reads the server-sent
events of the API. The upstream is scripted: 60 words over 0.6 s, the first at once, so that the
house is what is measured. Clients and upstream share the machine with the server; they are one
process with one thread, and what they cost is a row of the table.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil
import uvloop

from bench.chatters import TEXT, Ask, Seen, chat
from bench.clock import tree_cpu
from bench.table import Row, show
from sandbox.limits import MIB
from ui.running import close
from ui.settings import Settings
from ui.wiring import build

PORT = 7897
BASE = f"http://127.0.0.1:{PORT}"
TARGETS = {50: (40.0, 110.0), 200: (500.0, 1500.0)}


def main() -> None:
    """Print one table for each number of people."""
    for people in [int(one) for one in sys.argv[1:] if one.isdigit()] or [50, 200]:
        rows = _with_server(people)
        load = os.getloadavg()[0]
        show(f"{people} people chat (load {load:.1f} on {os.cpu_count()} cores)", rows)


def _with_server(people: int) -> list[Row]:
    with (
        tempfile.TemporaryDirectory() as home,
        socket.create_server(("127.0.0.1", 0), backlog=1024) as upstream,
    ):
        cookies = _accounts(Path(home), people)
        environment = {
            **os.environ,
            "ATELIER_HOME": home,
            "ATELIER_PORT": str(PORT),
            "ATELIER_MODEL": "openai/test",
            "ATELIER_MODEL_BASE": f"http://127.0.0.1:{upstream.getsockname()[1]}/v1",
        }
        began = time.monotonic()
        command = [sys.executable, "-m", "ui.cli", "serve"]
        with tempfile.TemporaryFile() as said:
            server = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
            try:
                _wait(f"{BASE}/api/v1/health", warm=False)
                page_s = time.monotonic() - began
                _wait(f"{BASE}/api/v1/health", warm=True)
                return _measured(server, people, cookies, page_s, upstream)
            finally:
                server.send_signal(signal.SIGTERM)
                server.wait(60)


def _measured(
    server: "subprocess.Popen[bytes]",
    people: int,
    cookies: list[str],
    page_s: float,
    upstream: socket.socket,
) -> list[Row]:
    time.sleep(3)
    idle_mib = psutil.Process(server.pid).memory_info().rss / MIB
    seen = Seen()
    server_s, cpu_s, own_s = uvloop.run(
        chat(
            [_asking(cookie) for cookie in cookies],
            seen,
            upstream,
            lambda: (*tree_cpu(server.pid), time.process_time()),
        )
    )
    loaded_mib = psutil.Process(server.pid).memory_info().rss / MIB
    answered = max(1, len(seen.whole))
    return [
        *seen.rows(TARGETS.get(people, (None, None))),
        Row("CPU per answered message, everything", 1000 * cpu_s / answered, "ms", 60),
        Row("of which sealed processes", 1000 * (cpu_s - server_s) / answered, "ms"),
        Row("clients and upstream, beside it", 1000 * own_s / answered, "ms"),
        Row("memory of the server, idle", idle_mib, "MiB", 700),
        Row("memory per active person", (loaded_mib - idle_mib) / people, "MiB", 0.5),
        Row("start to page", page_s, "s", 5),
    ]


def _accounts(home: Path, people: int) -> list[str]:
    """Cookies of new accounts in a new home."""
    app = build(Settings.model_validate({"home": home, "model": "openai/test"}))
    try:
        found = []
        for number in range(people):
            account = app.people.add(f"person{number}", None, name=f"Person {number}")
            found.append(app.identity.begin(account))
        return found
    finally:
        close(app)


def _asking(cookie: str) -> Ask:
    """How one person asks: always in the same conversation."""
    conversation = ""

    async def ask(message: int) -> tuple[float, float]:
        nonlocal conversation
        first, whole, conversation = await _one(cookie, conversation, message)
        return first, whole

    return ask


async def _one(cookie: str, conversation: str, message: int) -> tuple[float, float, str]:
    """One message: ms to the first words, ms to the end, the conversation's id."""
    asked = {"text": TEXT.format(n=message)}
    if conversation:
        asked["conversation"] = conversation
    body = json.dumps(asked).encode()
    head = (
        "POST /api/v1/agents/email-drafter/messages HTTP/1.1\r\n"
        f"host: 127.0.0.1:{PORT}\r\norigin: {BASE}\r\ncontent-type: application/json\r\n"
        f"cookie: atelier_session={cookie}\r\ncontent-length: {len(body)}\r\n"
        "connection: close\r\n\r\n"
    )
    began = time.perf_counter()
    first = 0.0
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    try:
        writer.write(head.encode() + body)
        event, last = b"", b""
        async with asyncio.timeout(60):
            status = await reader.readline()
            if b" 200 " not in status:
                raise ValueError(f"{status!r} {(await reader.read(2000))[-200:]!r}")
            while line := await reader.readline():
                if line.startswith(b"event: "):
                    event = line[7:].strip()
                    if event == b"delta" and not first:
                        first = (time.perf_counter() - began) * 1000
                elif line.startswith(b"data: ") and event == b"reply":
                    last = line[6:]
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    reply = json.loads(last)
    if reply.get("status") != "done" or not first:
        raise ValueError(f"{reply.get('status')} {reply.get('error')}")
    return first, (time.perf_counter() - began) * 1000, str(reply["conversation"])


def _wait(url: str, warm: bool) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        with suppress(OSError, ValueError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
            if not warm or not json.load(answer)["warming"]:
                return
        time.sleep(0.05)
    raise TimeoutError("the server did not start")


if __name__ == "__main__":
    main()
