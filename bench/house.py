"""The house as a whole: start, first answer, the door's own cost. `python -m bench.house`.

The model is a scripted upstream on loopback, so that the house is what is measured; the practice
model's own figures are in `bench.models`.
"""

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from agents.catalog import templates
from bench.table import Row, show
from guardrails.actor import Actor
from sandbox.events import Delta
from tests.house import house
from tests.upstream import Say, Upstream
from ui.wiring import App

TEXT = "Write to Claire Fontaine (claire.fontaine@example.com, 06 12 34 56 78): we meet on Monday."
TURNS = 30


def main() -> None:
    """Print the table."""
    rows = [*_start(), *asyncio.run(_turns())]
    show("The house", rows)


def _start() -> list[Row]:
    """A second start on the same home: address to page, page to first answer."""
    with tempfile.TemporaryDirectory() as home, Upstream(Say("Hello.")) as upstream:
        environment = {
            **os.environ,
            "ATELIER_HOME": home,
            "ATELIER_PORT": "7899",
            "ATELIER_MODEL": "openai/test",
            "ATELIER_MODEL_BASE": upstream.base,
        }
        _one_start(environment)
        page, answer = _one_start(environment)
    return [
        Row("second start to page", page, "s", 8.0),
        Row("second start to first answer", answer, "s", None),
    ]


def _one_start(environment: dict[str, str]) -> tuple[float, float]:
    began = time.monotonic()
    atelier = Path(sys.executable).with_name("atelier")
    server = subprocess.Popen(
        [atelier, "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        base = "http://127.0.0.1:7899"
        _wait(f"{base}/en/", began)
        page = time.monotonic() - began
        body = json.dumps({"text": "Hello"}).encode()
        request = urllib.request.Request(  # noqa: S310  (loopback)
            f"{base}/api/v1/agents/email-drafter/messages",
            body,
            {"content-type": "application/json", "origin": base},
        )
        with urllib.request.urlopen(request, timeout=120) as reply:  # noqa: S310
            for line in reply:
                if line.startswith(b"event: delta"):
                    break
        return page, time.monotonic() - began
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _wait(url: str, began: float) -> None:
    while time.monotonic() - began < 90:
        try:
            with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310
                if b"gradio" in reply.read():
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise TimeoutError(url)


async def _turns() -> list[Row]:
    """Whole turns minus the time the upstream took, on a warm house."""
    spec = templates()["email-drafter"]
    overhead, first = [], []
    with tempfile.TemporaryDirectory() as folder:
        async with house(Path(folder)) as one:
            one.script(Say("Dear <PERSON_1>, we meet on Monday."))
            for number in range(TURNS + 3):
                while not one.app.pool.status()["ready"]["agent"]:  # type: ignore[index]
                    await asyncio.sleep(0.02)
                began = time.perf_counter()
                seen = 0.0
                turn = one.app.sessions.send(
                    actor=Actor("u_bench"), agent=spec, text=f"{TEXT} Number {number}."
                )
                async for event in turn:
                    if isinstance(event, Delta) and not seen:
                        seen = time.perf_counter() - began
                if number >= 3:
                    overhead.append((time.perf_counter() - began) * 1000)
                    first.append(seen * 1000)
            alone = [await _model_alone(one.app) for _number in range(TURNS)]
    model = statistics.median(alone)
    overhead.sort()
    first.sort()
    return [
        Row("whole turn, scripted model, p50", statistics.median(overhead), "ms", None),
        Row("whole turn, scripted model, p95", overhead[int(len(overhead) * 0.95)], "ms", None),
        Row("the model call alone (litellm and upstream), p50", model, "ms", None),
        Row(
            "the door: turn p95 less the model call",
            overhead[int(len(overhead) * 0.95)] - model,
            "ms",
            100.0,
        ),
        Row("first token, p50", statistics.median(first), "ms", None),
        Row("first token, p95", first[int(len(first) * 0.95)], "ms", None),
    ]


async def _model_alone(app: App) -> float:
    began = time.perf_counter()
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": TEXT}]
    async for _event in app.models.stream(messages):
        pass
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
