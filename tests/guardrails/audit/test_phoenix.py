"""A real Arize Phoenix, started from the package registry, shows our spans for what they are."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from guardrails.audit import export
from guardrails.audit.spans import Spans
from tests.installed import program

START_SECONDS = 180
QUERY = """{ projects { edges { node { name spans(first: 50) { edges { node {
  name spanKind tokenCountTotal attributes } } } } } } }"""


@pytest.fixture(scope="module")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Phoenix on loopback; yields its address. `PHOENIX_PYTHON` may name one installed."""
    folder = tmp_path_factory.mktemp("phoenix")
    python = os.environ.get("PHOENIX_PYTHON", "")
    if not python:
        uv = program("uv")
        subprocess.run([uv, "venv", "-q", folder / "venv"], check=True)
        python = str(folder / "venv" / "bin" / "python")
        subprocess.run(
            [uv, "pip", "install", "-q", "--python", python, "arize-phoenix"], check=True
        )
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    log = (folder / "log").open("wb")
    server = subprocess.Popen(
        [python, "-m", "phoenix.server.main", "serve"],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(ports[0]),
            "PHOENIX_GRPC_PORT": str(ports[1]),
            "PHOENIX_WORKING_DIR": str(folder),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        },
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    address = f"http://127.0.0.1:{ports[0]}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert server.poll() is None, (folder / "log").read_text()[-2_000:]
            try:
                httpx.get(f"{address}/healthz", timeout=2).raise_for_status()
                break
            except httpx.HTTPError:
                assert time.monotonic() < deadline, (folder / "log").read_text()[-2_000:]
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def shown(address: str, project: str, least: int) -> list[dict[str, object]]:
    """Spans of a project as Phoenix shows them, once there are `least`."""
    for _ in range(60):
        answer = httpx.post(f"{address}/graphql", json={"query": QUERY}, timeout=10)
        data = answer.raise_for_status().json()["data"]
        for edge in data["projects"]["edges"]:
            if edge["node"]["name"] == project:
                found = [span["node"] for span in edge["node"]["spans"]["edges"]]
                if len(found) >= least:
                    return found
        time.sleep(0.5)
    raise AssertionError("Phoenix did not show the spans")


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_phoenix_shows_kinds_tokens_and_cost(phoenix: str, engine: sa.Engine) -> None:
    spans = Spans(engine, "atelier", otlp_endpoint=f"{phoenix}/v1/traces")
    with spans.root("invoke_agent hr", {"agent": "hr", "request": "Hello <PERSON_1>"}) as root:
        with root.span("GUARDRAIL", "screen", {"verdict": "masked", "rule": "DP-01"}):
            pass
        call = {"model": "gpt-4o-mini", "provider": "openai", "cost": 0.5}
        with root.span("LLM", "chat gpt-4o-mini", call) as llm:
            llm.set(input_tokens=70, output_tokens=30, tokens=100)
        with root.span("TOOL", "execute_tool calculator", {"tool": "calculator"}):
            pass
    spans.close()
    assert (spans.dropped, spans.otlp_lost) == (0, 0)

    found = {str(span["name"]): span for span in shown(phoenix, "atelier", 4)}
    assert {name: str(span["spanKind"]).lower() for name, span in found.items()} == {
        "invoke_agent hr": "agent",
        "screen": "guardrail",
        "chat gpt-4o-mini": "llm",
        "execute_tool calculator": "tool",
    }
    assert found["chat gpt-4o-mini"]["tokenCountTotal"] == 100
    attributes = json.loads(str(found["chat gpt-4o-mini"]["attributes"]))
    assert attributes["llm"]["cost"]["total"] == 0.5

    assert export.otlp(engine, f"{phoenix}/v1/traces") == 4  # stored spans can be sent again


def test_a_collector_that_is_gone_loses_nothing_at_home(engine: sa.Engine) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{probe.getsockname()[1]}/v1/traces"
    assert Path(str(engine.url.database)).exists()
    spans = Spans(engine, "test", otlp_endpoint=endpoint)
    with spans.root("turn"):
        pass
    assert spans.flush()
    assert (spans.dropped, spans.exported) == (0, 1)
    spans.close()
    assert spans.otlp_lost == 1
