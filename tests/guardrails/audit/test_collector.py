"""A real OpenTelemetry collector (rotel, from the package registry) takes our metrics and spans."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.audit import export
from guardrails.audit.metrics import Metrics
from guardrails.audit.spans import Spans
from tests import installed
from ui.record import readers
from ui.settings import Settings

COLLECTOR = "rotel==0.0.1a15"
START_SECONDS = 60


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The collector's program. `ROTEL` may name one installed."""
    if given := os.environ.get("ROTEL", ""):
        return given
    folder = tmp_path_factory.mktemp("rotel")
    uv = installed.program("uv")
    subprocess.run([uv, "venv", "-q", folder / "venv"], check=True)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([uv, "pip", "install", "-q", "--python", python, COLLECTOR], check=True)
    return str(next((folder / "venv").rglob("rotel-agent")))


class Collector:
    """The one that runs: where it listens, and what it says it got."""

    def __init__(self, program: str, folder: Path, what: str) -> None:
        ports = []
        for _ in range(2):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                ports.append(free.getsockname()[1])
        self.address = f"http://127.0.0.1:{ports[0]}"
        self._out = folder / "out"
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [
                    program, "start", "--exporter", "blackhole",
                    "--debug-log", what, "--debug-log-verbosity", "detailed",
                    "--otlp-http-endpoint", f"127.0.0.1:{ports[0]}",
                    "--otlp-grpc-endpoint", f"127.0.0.1:{ports[1]}",
                    "--pid-file", str(folder / "pid"), "--log-file", str(folder / "log"),
                ],
                stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", ports[0]), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise TimeoutError("the collector did not start")

    def got(self, word: str) -> str:
        """Everything it said, once `word` is in it."""
        end = time.monotonic() + START_SECONDS
        while word not in (said := self._out.read_text("utf-8", "replace")):
            assert time.monotonic() < end, said
            time.sleep(0.05)
        return said

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture
def collector(program: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Collector]:
    running = Collector(program, tmp_path, request.param)
    try:
        yield running
    finally:
        running.stop()


CALL = {"model": "small", "provider": "openai", "input_tokens": 700, "output_tokens": 3}


def turn(spans: Spans) -> None:
    """One turn with one model call; the request is masked as everything that is recorded."""
    words = {"verdict": "masked", "request": "To <PERSON_1>", "agent": "hr"}
    with spans.root("invoke_agent hr", words) as root, root.span("LLM", "chat small", CALL):
        pass
    assert spans.flush()


@pytest.mark.heavy
@pytest.mark.parametrize("collector", ["metrics"], indirect=True)
def test_a_collector_gets_tokens_and_durations_and_no_content(
    collector: Collector, engine: sa.Engine, tmp_path: Path
) -> None:
    given = {"home": tmp_path, "otlp_metrics_endpoint": f"{collector.address}/v1/metrics"}
    metrics = Metrics({}, readers(Settings.model_validate(given)))
    spans = Spans(engine, "test", processors=[metrics])
    turn(spans)
    assert metrics.force_flush()
    said = collector.got("gen_ai.client.token.usage")
    spans.close()
    assert "service.name: Str(atelier)" in said
    usage = said[said.index("gen_ai.client.token.usage") :]
    for name, value in (
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.request.model", "small"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.token.type", "input"),
        ("gen_ai.token.type", "output"),
    ):
        assert f"{name}: Str({value})" in usage, name
    assert re.search(r"Sum: 700\b", usage) and re.search(r"Sum: 3\b", usage)
    assert "gen_ai.client.operation.duration" in said and "Unit: s" in said
    assert "PERSON" not in said


@pytest.mark.heavy
@pytest.mark.parametrize("collector", ["traces"], indirect=True)
def test_a_collector_gets_the_spans_as_the_store_has_them(
    collector: Collector, engine: sa.Engine
) -> None:
    spans = Spans(engine, "test")
    turn(spans)
    sent = export.otlp(engine, f"{collector.address}/v1/traces")
    said = collector.got("chat small")
    spans.close()
    assert sent == 2
    assert "service.name: Str(atelier)" in said
    assert "openinference.span.kind: Str(LLM)" in said
    assert "openinference.span.kind: Str(AGENT)" in said
    assert "gen_ai.usage.input_tokens: Int(700)" in said
