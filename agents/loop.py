"""One turn of one agent: LangChain decides whether to answer, call a tool or ask the model.

Runs inside the seal. Knows nothing of guards, providers, storage or sockets: `model` and `tools`
are whatever it is given. A tool that has to wait for a person calls `pause`; the turn goes on
later, in another process, from the messages it had come to (docs/decisions/0010).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import interrupt

# create_agent spends two graph steps on one tool round (model, tools) and one on the answer
STEPS_PER_ROUND = 2


def build(model: BaseChatModel, tools: Sequence[BaseTool]) -> Any:
    """The agent as LangChain's graph. One without tools serves any number of turns."""
    saver = InMemorySaver() if tools else None  # only a tool can wait
    return create_agent(model, list(tools), checkpointer=saver)


def answer(
    agent: Any, instructions: str, messages: Sequence[Mapping[str, Any]], rounds: int = 6
) -> str | None:
    """Answer the last of `messages` ({"role", "content"}, oldest first) and return the text.

    None means that a tool waits for a person. Messages that end with an assistant's tool calls are
    such a turn, taken up again: the tools are called first. At most `rounds` tool rounds are made;
    raises langgraph's GraphRecursionError beyond them, and whatever the model and tools raise.
    """
    config: RunnableConfig = {
        "recursion_limit": rounds * STEPS_PER_ROUND + 2,
        "configurable": {"thread_id": "turn"},
    }
    history = [_message(message) for message in messages]
    given: dict[str, Any] | None = {"messages": history}
    if instructions:
        history.insert(0, SystemMessage(instructions))
    if agent.checkpointer and isinstance(history[-1], AIMessage) and history[-1].tool_calls:
        agent.update_state(config, given, as_node="model")
        given = None  # go on from the checkpoint
    state = agent.invoke(given, config, durability="exit" if agent.checkpointer else None)
    if state.get("__interrupt__"):
        return None
    return str(state["messages"][-1].text)


def pause(why: Mapping[str, Any]) -> None:
    """Called by a tool: end this run here, with all that was done so far. Does not return."""
    interrupt(dict(why))


def _message(plain: Mapping[str, Any]) -> AnyMessage:
    content = str(plain["content"])
    match plain["role"]:
        case "assistant":
            calls = [
                ToolCall(name=call["name"], args=call["arguments"], id=call["id"])
                for call in plain.get("tool_calls", ())
            ]
            return AIMessage(content=content, tool_calls=calls)
        case "tool":
            return ToolMessage(content=content, tool_call_id=str(plain["tool_call_id"]))
        case _:
            return HumanMessage(content=content)
