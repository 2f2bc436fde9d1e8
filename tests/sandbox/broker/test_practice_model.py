"""The 1.5B for real: it chooses tools in both languages and answers from what they return."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest

from agents.tools.registry import described
from sandbox.broker.models import Models, TextDelta, ToolCall

pytestmark = [pytest.mark.model, pytest.mark.timeout(900)]
TOOLS = described(["calculator", "current_date", "search_documents"])


@pytest.fixture
async def models(tmp_path: Path) -> AsyncGenerator[Models, None]:
    made = Models("practice", home=tmp_path, timeout=400, may_fetch=False)
    await made.start()
    yield made
    await made.stop()


def asked(text: str) -> list[dict[str, object]]:
    system = "You are a helpful assistant at work. Be brief and correct."
    return [{"role": "system", "content": system}, {"role": "user", "content": text}]


async def test_it_chooses_the_right_tool_in_both_languages(models: Models) -> None:
    expected = {
        "What is 1834 times 27?": "calculator",
        "Combien font 1250 divisé par 8 ?": "calculator",
        "Quel jour sommes-nous ?": "current_date",
        "How many days of parental leave does our handbook grant?": "search_documents",
        "Merci beaucoup pour votre aide !": "",
    }
    chosen = {}
    for ask in expected:
        async with aclosing(models.stream(asked(ask), TOOLS, temperature=0.0)) as events:
            first = await anext(events)
        chosen[ask] = first.name if isinstance(first, ToolCall) else ""
    assert chosen == expected
    assert models.info().label == "Practice model · Qwen2.5-Coder 1.5B"


async def test_it_answers_from_what_a_tool_returned(models: Models) -> None:
    call = {"id": "c1", "name": "calculator", "arguments": {"expression": "1834*27"}}
    turn: list[dict[str, object]] = [
        *asked("What is 1834 times 27?"),
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "49518"},
    ]
    events = [event async for event in models.stream(turn, TOOLS, temperature=0.0)]
    said = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert "49518" in said.replace(",", "").replace(" ", "")
