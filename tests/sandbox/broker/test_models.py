"""Any OpenAI-compatible server: protocol, streaming, tools and every way a call can fail."""

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from sandbox.broker.errors import ModelError
from sandbox.broker.litellm_quiet import library
from sandbox.broker.models import Models, TextDelta, ToolCall, Usage
from tests.upstream import Say, Upstream

ASK: list[dict[str, object]] = [{"role": "user", "content": "Bonjour <PERSON_1>"}]
CLOCK: dict[str, object] = {
    "name": "current_date",
    "description": "Today's date.",
    "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}},
}


# the first is asked directly, the second by litellm: a name of OpenAI's own wants its parameters
BOTH = pytest.mark.parametrize("name", ["openai/test", "openai/gpt-test"])


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """The import takes seconds, many on a busy machine: it is no part of a call's time."""
    library()


def models(
    upstream: Upstream, tmp_path: Path, timeout: float = 20.0, name: str = "openai/test"
) -> Models:
    secrets = {"OPENAI_API_KEY": "k-1"}
    return Models(name, home=tmp_path, base=upstream.base, timeout=timeout, secrets=secrets)


async def collect(
    made: Models, tools: Sequence[dict[str, object]] = ()
) -> list[TextDelta | ToolCall | Usage]:
    return [event async for event in made.stream(ASK, tools)]


def text(events: Sequence[object]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@BOTH
async def test_words_stream_and_usage_comes_last(tmp_path: Path, name: str) -> None:
    with Upstream(Say("Bonjour <PERSON_1>, ravi de vous lire.", delay=0.1)) as upstream:
        events = await collect(models(upstream, tmp_path, name=name))
    assert text(events) == "Bonjour <PERSON_1>, ravi de vous lire."
    # words that arrive together may come together, but not all of them
    assert len([event for event in events if isinstance(event, TextDelta)]) > 1
    assert events[-1] == Usage(12, 7, 0.0)


async def test_first_word_arrives_before_the_last_was_made(tmp_path: Path) -> None:
    with Upstream(Say("one two three four five six", delay=0.1)) as upstream:
        made = models(upstream, tmp_path)
        await collect(made)  # litellm's import is not what is measured
        seen = [
            time.monotonic() async for event in made.stream(ASK) if isinstance(event, TextDelta)
        ]
    assert seen[-1] - seen[0] > 0.3


async def test_the_key_travels_in_the_header_and_the_request_is_as_given(tmp_path: Path) -> None:
    with Upstream() as upstream:
        await collect(models(upstream, tmp_path), [CLOCK])
    assert b"Bearer k-1" in upstream.received
    sent = json.loads(upstream.bodies[0])
    assert sent["messages"] == ASK
    assert sent["model"] == "test"
    assert sent["tools"] == [{"type": "function", "function": CLOCK}]
    assert sent["stream"] is True


@BOTH
async def test_tool_calls_split_over_chunks_are_put_together(tmp_path: Path, name: str) -> None:
    wanted: list[tuple[str, dict[str, object]]] = [
        ("current_date", {"zone": "Europe/Paris"}),
        ("current_date", {}),
    ]
    with Upstream(Say(tools=wanted)) as upstream:
        events = await collect(models(upstream, tmp_path, name=name), [CLOCK])
    calls = [event for event in events if isinstance(event, ToolCall)]
    assert [(call.name, call.arguments) for call in calls] == wanted
    assert calls[0].id != calls[1].id


@BOTH
@pytest.mark.parametrize(
    ("say", "code"),
    [
        (Say(status=401), "model-auth"),
        (Say(status=403), "model-auth"),
        (Say(status=429), "model-rate-limited"),
        (Say(status=400), "model-rejected"),
        (Say(status=404), "model-rejected"),
        (Say(status=500), "model-unavailable"),
        (Say(status=503), "model-unavailable"),
        (Say("a b c d e", fault="cut"), "model-interrupted"),
        (Say("a b c d e", fault="end"), "model-interrupted"),
        (Say("a b c d e", fault="garbage"), "model-malformed"),
        (Say(fault="not-json"), "model-malformed"),
        (Say(tools=[("current_date", {"zone": "x"})], bad_arguments=True), "model-malformed"),
    ],
)
async def test_failures_of_the_upstream_have_one_code_each(
    tmp_path: Path, say: Say, code: str, name: str
) -> None:
    with Upstream(say) as upstream, pytest.raises(ModelError) as caught:
        await collect(models(upstream, tmp_path, name=name), [CLOCK])
    assert caught.value.code == code
    assert len(upstream.calls) == 1, "retries are the door's business"


@pytest.mark.parametrize("fault", ["hang", "stall"])
async def test_the_timeout_bounds_the_whole_call_and_hangs_up(tmp_path: Path, fault: str) -> None:
    with Upstream(Say("ok"), Say("a b c d e f", fault=fault)) as upstream:  # type: ignore[arg-type]
        made = models(upstream, tmp_path, timeout=1.0)
        with contextlib.suppress(ModelError):  # litellm's first import may eat the second
            await collect(made)
        begun = time.monotonic()
        with pytest.raises(ModelError) as caught:
            await collect(made)
        assert time.monotonic() - begun < 3
        assert caught.value.code == "model-timeout"
        await _until(lambda: upstream.calls[-1].gone)


async def test_a_slow_drip_does_not_outlive_the_total_timeout(tmp_path: Path) -> None:
    with Upstream(Say(" ".join("x" * 200), delay=0.1)) as upstream:
        made = models(upstream, tmp_path, timeout=1.5)
        begun = time.monotonic()
        with pytest.raises(ModelError) as caught:
            await collect(made)
        assert caught.value.code == "model-timeout"
        assert time.monotonic() - begun < 8  # litellm's first import included


async def test_cancelling_hangs_up_on_the_upstream(tmp_path: Path) -> None:
    with Upstream(Say(" ".join("word" for _ in range(300)), delay=0.05)) as upstream:
        made = models(upstream, tmp_path)
        first = asyncio.Event()

        async def turn() -> None:
            async for _ in made.stream(ASK):
                first.set()

        task = asyncio.create_task(turn())
        await asyncio.wait_for(first.wait(), 15)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await _until(lambda: upstream.calls[0].gone)


async def test_closing_the_stream_early_hangs_up_too(tmp_path: Path) -> None:
    with Upstream(Say(" ".join("word" for _ in range(300)), delay=0.05)) as upstream:
        stream = models(upstream, tmp_path).stream(ASK)
        await anext(stream)
        await stream.aclose()
        await _until(lambda: upstream.calls[0].gone)


async def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    made = Models("openai/t", home=tmp_path, base="http://127.0.0.1:9/v1", timeout=5, secrets={})
    with pytest.raises(ModelError) as caught:
        await collect(made)
    assert caught.value.code == "model-unavailable"


async def test_an_error_carries_no_content(tmp_path: Path) -> None:
    with Upstream(Say(status=400)) as upstream, pytest.raises(ModelError) as caught:
        await collect(models(upstream, tmp_path))
    error = caught.value
    assert "PERSON_1" not in str(error) and error.__cause__ is None
    assert error.__suppress_context__
    assert error.data == {"provider": "openai"}


@pytest.mark.parametrize(
    ("model", "key", "header"),
    [
        ("openai/gpt-x", "OPENAI_API_KEY", b"Bearer k-secret"),
        ("azure/my-deployment", "AZURE_API_KEY", b"k-secret"),
        ("mistral/mistral-x", "MISTRAL_API_KEY", b"Bearer k-secret"),
        ("hosted_vllm/llama-x", "HOSTED_VLLM_API_KEY", b"Bearer k-secret"),
        ("deepseek/chat-x", "DEEPSEEK_API_KEY", b"Bearer k-secret"),
    ],
)
async def test_providers_work_by_settings_alone(
    tmp_path: Path, model: str, key: str, header: bytes
) -> None:
    secrets = {key: "k-secret", "AZURE_API_VERSION": "2024-10-21"}
    with Upstream(Say("Bonjour à tous."), Say(tools=[("current_date", {"zone": "x"})])) as upstream:
        base = upstream.base.removesuffix("/v1") if model.startswith("azure") else upstream.base
        made = Models(model, home=tmp_path, base=base, timeout=20, secrets=secrets)
        assert text(await collect(made)) == "Bonjour à tous."
        events = await collect(made, [CLOCK])
    assert [e.name for e in events if isinstance(e, ToolCall)] == ["current_date"]
    assert header in upstream.received
    info = made.info()
    assert (info.kind, info.provider) == ("provider", model.partition("/")[0])


async def test_nothing_of_a_call_reaches_a_log_or_the_terminal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    says = [Say("Bonjour <PERSON_1>"), Say(status=400), Say("a b c d e", fault="garbage")]
    with Upstream(*says) as upstream:
        made = models(upstream, tmp_path)
        for _ in says:
            with contextlib.suppress(ModelError):
                await collect(made)
        await asyncio.sleep(0.3)  # litellm finishes its book-keeping behind our back
    shown = capfd.readouterr()
    everything = caplog.text + shown.out + shown.err
    assert "PERSON_1" not in everything
    assert "k-1" not in everything


async def test_a_call_in_our_own_shape_is_told_in_the_providers(tmp_path: Path) -> None:
    call = {"id": "c1", "name": "current_date", "arguments": {"zone": "x"}}
    said: dict[str, object] = {"role": "assistant", "content": "", "tool_calls": [call]}
    asked: list[dict[str, object]] = [*ASK, said,
             {"role": "tool", "tool_call_id": "c1", "content": "Tuesday"}]  # fmt: skip
    with Upstream() as upstream:
        async for _ in models(upstream, tmp_path).stream(asked, [CLOCK]):
            pass
    sent = json.loads(upstream.bodies[0])["messages"][1]["tool_calls"][0]
    assert sent["type"] == "function"
    assert sent["function"] == {"name": "current_date", "arguments": '{"zone": "x"}'}


async def test_a_proxy_never_sees_what_is_said_to_this_machine(tmp_path: Path) -> None:
    script = """
import asyncio, sys
from pathlib import Path
from sandbox.broker.models import Models
async def main():
    made = Models("openai/t", home=Path("."), base=sys.argv[1], timeout=30, secrets={})
    print([event async for event in made.stream([{"role": "user", "content": "hi"}])][-1])
asyncio.run(main())
"""
    with Upstream() as proxy, Upstream(Say("fine")) as upstream:
        address = proxy.base.removesuffix("/v1")
        proxied = {"HTTP_PROXY": address, "http_proxy": address, "ALL_PROXY": address}
        done = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            script,
            upstream.base,
            env={"PATH": os.environ["PATH"], **proxied},
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await done.communicate()
    assert b"Usage" in out
    assert (len(proxy.requests), len(upstream.requests)) == (0, 1)


async def test_an_endless_reply_is_cut_off(tmp_path: Path) -> None:
    endless = Upstream(Say(" ".join(["x" * 50_000] * 30)))
    with endless as upstream, pytest.raises(ModelError) as caught:
        await collect(models(upstream, tmp_path))
    assert caught.value.code == "model-malformed"


async def test_info_knows_a_loopback_server_is_local_and_says_so_only_then(tmp_path: Path) -> None:
    near = Models("openai/x", home=tmp_path, base="http://127.0.0.1:8000/v1", secrets={})
    far = Models("openai/x", home=tmp_path, secrets={})
    told = Models("openai/x", home=tmp_path, location="eu", secrets={})
    assert (near.info().location, far.info().location, told.info().location) == ("local", "", "eu")


async def test_start_returns_at_once_and_stop_may_come_twice(tmp_path: Path) -> None:
    made = Models("openai/x", home=tmp_path, secrets={})
    begun = time.monotonic()
    await made.start()
    assert time.monotonic() - begun < 0.5
    await made.stop()
    await made.stop()
    assert made.info().state == "ready"


async def _until(done: object, seconds: float = 5.0) -> None:
    assert callable(done)
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "did not happen in time"
        await asyncio.sleep(0.02)
