"""One reply of a small model is a tool call or the answer. The model here is a script."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence

import pytest

from sandbox.broker.errors import ModelError
from sandbox.broker.model_events import ModelEvent, TextDelta, ToolCall, Usage
from sandbox.broker.routing import AFTER_DOCUMENTS, plain, route, schema

ADD: dict[str, object] = {
    "name": "calculator",
    "description": "Exact arithmetic.",
    "parameters": {
        "type": "object",
        "properties": {"expression": {"type": "string", "maxLength": 200}},
        "required": ["expression"],
        "$defs": {"x": {}},
    },
}
USER: dict[str, object] = {"role": "user", "content": "What is 2+2?"}
CALLED: dict[str, object] = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"id": "c1", "name": "calculator", "arguments": {"expression": "2+2"}}],
}
RESULT: dict[str, object] = {"role": "tool", "tool_call_id": "c1", "content": "4"}


class Script:
    """Answers asks in order, three characters at a time, and remembers what was asked."""

    def __init__(self, *replies: str) -> None:
        self.replies = list(replies)
        self.asked: list[list[dict[str, object]]] = []
        self.schemas: list[Mapping[str, object] | None] = []

    async def __call__(
        self,
        told: Sequence[Mapping[str, object]],
        schema: Mapping[str, object] | None,
        limit: int,
        /,
    ) -> AsyncGenerator[ModelEvent, None]:
        self.asked.append([dict(message) for message in told])
        self.schemas.append(schema)
        reply = self.replies.pop(0)
        for at in range(0, len(reply), 3):
            yield TextDelta(reply[at : at + 3])
        yield Usage(10, 5)


ANSWER = json.dumps({"tool": "final_answer", "arguments": {}})


def call(expression: str) -> str:
    return json.dumps({"tool": "calculator", "arguments": {"expression": expression}})


async def run(script: Script, *messages: dict[str, object]) -> list[ModelEvent]:
    return [event async for event in route(script, messages, [ADD], max_tokens=64)]


def text(events: Sequence[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_a_tool_call_comes_with_its_arguments_and_no_text() -> None:
    events = await run(Script(call("2+2")), USER)
    found = [event for event in events if isinstance(event, ToolCall)]
    assert [(one.name, one.arguments) for one in found] == [("calculator", {"expression": "2+2"})]
    assert text(events) == ""
    assert events[-1] == Usage(10, 5)


async def test_an_answer_is_chosen_and_then_written_freely_while_it_streams() -> None:
    script = Script(ANSWER, 'It is "four".\nDone <PERSON_1>')
    events = await run(script, USER)
    assert text(events) == 'It is "four".\nDone <PERSON_1>'
    assert sum(isinstance(event, TextDelta) for event in events) > 3
    assert script.schemas == [schema([ADD]), None]
    assert events[-1] == Usage(20, 10)


async def test_a_model_that_copies_the_form_of_a_choice_is_asked_without_tools() -> None:
    script = Script(ANSWER, ANSWER, "Four.")
    events = await run(script, USER)
    assert text(events) == "Four."
    assert script.asked[-1] == [USER]
    assert script.schemas == [schema([ADD]), None, None]


@pytest.mark.parametrize("reply", ["{4}", '{"to', "  ", '{"name": "Ada"}'])
async def test_an_answer_in_braces_is_an_answer(reply: str) -> None:
    assert text(await run(Script(ANSWER, reply), USER)) == reply


async def test_the_next_turn_begins_like_the_last_one_so_that_it_is_not_read_again() -> None:
    first = Script(ANSWER, "Four.")
    await run(first, USER)
    second = Script(ANSWER, "Five.")
    said: dict[str, object] = {"role": "assistant", "content": "Four."}
    await run(second, USER, said, {"role": "user", "content": "And 2+3?"})
    assert second.asked[0][: len(first.asked[1])] == first.asked[1]


async def test_the_order_to_answer_repeats_a_short_request_without_its_documents() -> None:
    with_document: dict[str, object] = {
        "role": "user",
        "content": f"Document x.md:{AFTER_DOCUMENTS}What is it about?",
    }
    script = Script('{"enough": true}', "It is about x.")
    await run(script, with_document, CALLED, RESULT)
    last = str(script.asked[1][-1]["content"])
    assert last.endswith("What is it about?") and "x.md" not in last
    script = Script('{"enough": true}', "Long.")
    await run(script, {"role": "user", "content": "long " * 200}, CALLED, RESULT)
    assert "long long" not in str(script.asked[1][-1]["content"])


async def test_enough_after_a_tool_leads_to_a_free_answer_and_counts_every_ask() -> None:
    script = Script('{"enough": true}', "It is 4.")
    events = await run(script, USER, CALLED, RESULT)
    assert text(events) == "It is 4."
    assert events[-1] == Usage(20, 10)
    assert script.schemas[1] is None
    assert {"role": "user", "content": "Result of calculator:\n4"} in script.asked[1]


async def test_a_call_instead_of_an_answer_after_a_tool_is_never_shown() -> None:
    ask = Script('{"enough": true}', call("2+2"), "It is 4.")
    events = [event async for event in route(ask, [USER, CALLED, RESULT], [ADD], max_tokens=50)]
    assert "".join(one.text for one in events if isinstance(one, TextDelta)) == "It is 4."
    assert "final_answer" not in json.dumps(ask.asked[-1])


async def test_not_enough_leads_to_another_tool_call() -> None:
    events = await run(Script('{"enough": false}', call("3+3")), USER, CALLED, RESULT)
    assert [e.arguments for e in events if isinstance(e, ToolCall)] == [{"expression": "3+3"}]


async def test_the_same_call_again_becomes_an_answer() -> None:
    script = Script('{"enough": false}', call("2+2"), "It is 4.")
    events = await run(script, USER, CALLED, RESULT)
    assert text(events) == "It is 4."
    assert not [event for event in events if isinstance(event, ToolCall)]


async def test_an_earlier_turns_tools_do_not_open_the_gate() -> None:
    said: dict[str, object] = {"role": "assistant", "content": "4"}
    more: dict[str, object] = {"role": "user", "content": "And 2+3?"}
    script = Script(ANSWER, "Five.")
    events = await run(script, USER, CALLED, RESULT, said, more)
    assert text(events) == "Five."
    assert script.schemas == [schema([ADD]), None]


@pytest.mark.parametrize(
    "raw", [call("2+2")[:-4], '{"tool": "rm", "arguments": {}}', "hello", "[]", '{"tool": "x"}']
)
async def test_an_unreadable_reply_is_malformed(raw: str) -> None:
    with pytest.raises(ModelError) as caught:
        await run(Script(raw), USER)
    assert caught.value.code == "model-malformed"


def test_the_schema_allows_each_tool_or_the_answer_and_nothing_else() -> None:
    branches = schema([ADD])["anyOf"]
    assert isinstance(branches, list)
    assert [branch["properties"]["tool"]["const"] for branch in branches] == [
        "calculator",
        "final_answer",
    ]
    arguments = branches[0]["properties"]["arguments"]
    assert arguments["additionalProperties"] is False
    assert "$defs" not in arguments and "maxLength" not in arguments["properties"]["expression"]


def test_calls_in_openai_shape_and_in_ours_read_the_same() -> None:
    theirs: dict[str, object] = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "calculator", "arguments": '{"expression": "2+2"}'},
            }
        ],
    }
    assert plain([USER, theirs, RESULT], [ADD]) == plain([USER, CALLED, RESULT], [ADD])


def test_without_tools_the_conversation_stays_as_it_is() -> None:
    messages: list[dict[str, object]] = [{"role": "system", "content": "Be brief."}, USER]
    assert plain(messages) == messages


def test_orders_follow_the_documents_where_the_model_takes_them_there() -> None:
    asked: dict[str, object] = {
        "role": "user",
        "content": f"Document x.md:{AFTER_DOCUMENTS}What is it about?",
    }
    order: dict[str, object] = {"role": "system", "content": "Be brief."}
    said = [(one["role"], one["content"]) for one in plain([order, asked], chatml=True)]
    assert said[1:] == [
        ("user", "Document x.md:"),
        ("system", "Be brief."),
        ("user", "What is it about?"),
    ]
    assert plain([order, asked]) == [order, asked]
