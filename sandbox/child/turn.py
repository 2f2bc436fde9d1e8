"""Run one turn inside the seal: build the agent, answer, say the final text."""

from typing import Any

from langgraph.errors import GraphRecursionError

from agents.loop import run_turn
from sandbox.child.door import Channel, Door, Refused
from sandbox.child.model import SocketChatModel
from sandbox.child.tools import offer


def run(channel: Channel, frame: dict[str, Any]) -> None:
    """Answer the turn in `frame` and send `final`, `paused` (a tool waits) or `failed`."""
    door = Door(channel)
    try:
        text = run_turn(
            SocketChatModel(door=door),
            [offer(door, tool) for tool in frame["tools"]],
            frame["instructions"],
            frame["messages"],
            frame["rounds"],
        )
    except Refused as refusal:
        channel.send({"t": "failed", "kind": refusal.rule})
    except GraphRecursionError:
        channel.send({"t": "failed", "kind": "limit-rounds"})
    else:
        channel.send({"t": "paused"} if text is None else {"t": "final", "text": text})
