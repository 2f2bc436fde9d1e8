"""The agent loop inside the seal, against a broker that is a list of answers."""

from typing import Any

import pytest

from sandbox.child.turn import run

CALCULATOR = {
    "name": "calculator",
    "description": "Compute.",
    "parameters": {
        "type": "object",
        "properties": {"expression": {"type": "string"}},
        "required": ["expression"],
    },
}


class Broker:
    """Answers each question with the next of `answers`; keeps what was asked."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def send(self, frame: dict[str, Any]) -> None:
        self.asked.append(frame)

    def receive(self) -> dict[str, Any]:
        return {"id": self.asked[-1]["id"], **self.answers.pop(0)}


def turn(**changed: Any) -> dict[str, Any]:
    return {
        "t": "turn",
        "instructions": "Be brief.",
        "messages": [{"role": "user", "content": "What is 6 times 7?"}],
        "tools": [CALCULATOR],
        "rounds": 3,
        **changed,
    }


def says(text: str, *calls: dict[str, Any]) -> dict[str, Any]:
    return {"t": "model.result", "content": text, "tool_calls": list(calls)}


def test_an_answer_without_tools_is_the_final_text() -> None:
    broker = Broker(says("Forty-two."))
    run(broker, turn())
    assert broker.asked[-1] == {"t": "final", "text": "Forty-two."}
    first = broker.asked[0]
    assert first["t"] == "model.call"
    assert [m["role"] for m in first["messages"]] == ["system", "user"]
    assert [t["name"] for t in first["tools"]] == ["calculator"]


def test_a_tool_call_goes_through_the_door_and_its_result_to_the_model() -> None:
    call = {"id": "c1", "name": "calculator", "arguments": {"expression": "6*7"}}
    broker = Broker(says("", call), {"t": "tool.result", "content": "42"}, says("It is 42."))
    run(broker, turn())
    asked = [frame["t"] for frame in broker.asked]
    assert asked == ["model.call", "tool.call", "model.call", "final"]
    assert broker.asked[1]["arguments"] == {"expression": "6*7"}
    last = broker.asked[2]["messages"][-1]
    assert (last["role"], last["content"], last["tool_call_id"]) == ("tool", "42", "c1")
    assert broker.asked[2]["messages"][-2]["tool_calls"] == [call]


def test_a_refused_tool_is_told_to_the_model_which_may_answer_without() -> None:
    call = {"id": "c1", "name": "calculator", "arguments": {"expression": "1"}}
    broker = Broker(
        says("", call),
        {"t": "refused", "rule": "tool-unlisted", "message": "no"},
        says("I cannot compute here."),
    )
    run(broker, turn())
    assert "tool-unlisted" in broker.asked[2]["messages"][-1]["content"]
    assert broker.asked[-1]["text"] == "I cannot compute here."


def test_a_refused_model_call_ends_the_turn_with_its_rule() -> None:
    broker = Broker({"t": "refused", "rule": "DP-03", "message": "no"})
    run(broker, turn())
    assert broker.asked[-1] == {"t": "failed", "kind": "DP-03"}


def test_an_agent_that_calls_tools_without_end_is_stopped() -> None:
    call = {"id": "c1", "name": "calculator", "arguments": {"expression": "1"}}
    endless = [says("", call), {"t": "tool.result", "content": "1"}] * 20
    broker = Broker(*endless)
    run(broker, turn())
    assert broker.asked[-1] == {"t": "failed", "kind": "limit-rounds"}


def test_an_answer_to_another_question_ends_the_turn() -> None:
    broker = Broker({**says("x"), "id": 99})
    with pytest.raises(ConnectionError):
        run(broker, turn())


def test_a_tool_that_waits_for_a_person_ends_the_run_where_it_is() -> None:
    call = {"id": "c1", "name": "calculator", "arguments": {"expression": "6*7"}}
    broker = Broker(says("", call), {"t": "waiting", "approval": "a1"})
    run(broker, turn())
    assert [frame["t"] for frame in broker.asked] == ["model.call", "tool.call", "paused"]


def test_what_can_be_done_beside_a_waiting_tool_is_done() -> None:
    calls = [
        {"id": f"c{n}", "name": "calculator", "arguments": {"expression": str(n)}} for n in (1, 2)
    ]
    waits = {"t": "waiting", "approval": "a1"}
    broker = Broker(says("", *calls), waits, {"t": "tool.result", "content": "2"})
    run(broker, turn())
    asked = [frame["t"] for frame in broker.asked]
    assert asked == ["model.call", "tool.call", "tool.call", "paused"]


def test_a_turn_goes_on_from_its_messages_in_another_process() -> None:
    call = {"id": "c1", "name": "calculator", "arguments": {"expression": "6*7"}}
    earlier = {"id": "c0", "name": "calculator", "arguments": {"expression": "1"}}
    messages = [
        {"role": "user", "content": "What is 6 times 7?"},
        {"role": "assistant", "content": "", "tool_calls": [earlier]},
        {"role": "tool", "content": "1", "tool_call_id": "c0"},
        {"role": "assistant", "content": "I compute.", "tool_calls": [call]},
    ]
    broker = Broker({"t": "tool.result", "content": "42"}, says("It is 42."))
    run(broker, turn(messages=messages))
    assert [frame["t"] for frame in broker.asked] == ["tool.call", "model.call", "final"]
    told = broker.asked[1]["messages"]
    roles = ["system", "user", "assistant", "tool", "assistant", "tool"]
    assert [message["role"] for message in told] == roles
    assert (told[-1]["content"], told[-1]["tool_call_id"]) == ("42", "c1")
