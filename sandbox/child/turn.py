"""Run one turn inside the seal: build the agent, answer, say the final text."""

from typing import Any

from langgraph.errors import GraphRecursionError

from agents.loop import answer, build
from sandbox.child.door import Channel, Door, Refused
from sandbox.child.model import SocketChatModel
from sandbox.child.tools import offer


def run(channel: Channel, frame: dict[str, Any]) -> None:
    """Answer the turn in `frame` and send `final`, `paused` (a tool waits) or `failed`."""
    door = Door(channel)
    try:
        text = _decided(door, frame) if frame["tools"] else _alone(door, frame)
    except Refused as refusal:
        channel.send({"t": "failed", "kind": refusal.rule})
    except GraphRecursionError:
        channel.send({"t": "failed", "kind": "limit-rounds"})
    else:
        channel.send({"t": "paused"} if text is None else {"t": "final", "text": text})


def _decided(door: Door, frame: dict[str, Any]) -> str | None:
    """LangChain decides when to call a tool, when to ask the model and when it has the answer."""
    agent = build(SocketChatModel(door=door), [offer(door, tool) for tool in frame["tools"]])
    return answer(agent, frame["instructions"], frame["messages"], frame["rounds"])


def _alone(door: Door, frame: dict[str, Any]) -> str:
    """Without tools there is nothing to decide: the model is asked once, and what it says is the
    answer. A graph of one node comes to the same in ten times the time."""
    told = [{"role": "system", "content": frame["instructions"]}] if frame["instructions"] else []
    asked = {"t": "model.call", "messages": [*told, *frame["messages"]], "tools": []}
    return str(door.ask(asked)["content"])


def rehearse() -> None:
    """One turn with a tool and one without, and nobody at the other end.

    What LangChain loads and builds at its first turn is then there before a process has a job; in
    a template all copies share it.
    """
    tool = {"name": "today", "description": "The date.", "parameters": _NOTHING}
    for tools in ([tool], []):
        run(_Stage(), {"tools": tools, "instructions": "x", "messages": [_HELLO], "rounds": 2})


_NOTHING = {"type": "object", "properties": {}}
_HELLO = {"role": "user", "content": "Hello"}


class _Stage:
    """Answers like a broker whose model asks for the tool once and then says "Hello"."""

    def __init__(self) -> None:
        self._asked: list[dict[str, Any]] = []

    def send(self, frame: dict[str, Any]) -> None:
        self._asked.append(frame)

    def receive(self) -> dict[str, Any]:
        frame = self._asked[-1]
        if frame["t"] == "tool.call":
            return {"t": "tool.result", "id": frame["id"], "content": "Monday"}
        first = len(self._asked) == 1 and frame["tools"]
        calls = [{"id": "call", "name": "today", "arguments": {}}] if first else []
        return {"t": "model.result", "id": frame["id"], "content": "Hello", "tool_calls": calls}
