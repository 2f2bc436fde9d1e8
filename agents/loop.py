"""One turn of one agent: LangChain decides whether to answer, call a tool or ask the model.

Runs inside the seal. Knows nothing of guards, providers, storage or sockets: `model` and `tools`
are whatever it is given.
"""

from collections.abc import Mapping, Sequence

from langchain.agents import create_agent
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.tools import BaseTool

# create_agent spends two graph steps on one tool round (model, tools) and one on the answer
STEPS_PER_ROUND = 2


def run_turn(
    model: BaseChatModel,
    tools: Sequence[BaseTool],
    instructions: str,
    messages: Sequence[Mapping[str, str]],
    rounds: int = 6,
) -> str:
    """Answer the last of `messages` ({"role", "content"}, oldest first) and return the text.

    At most `rounds` tool rounds are made; raises langgraph's GraphRecursionError beyond them, and
    whatever `model` and `tools` raise.
    """
    agent = create_agent(model, list(tools), system_prompt=instructions or None)
    state = agent.invoke(
        {"messages": [dict(message) for message in messages]},
        {"recursion_limit": rounds * STEPS_PER_ROUND + 2},
    )
    last = state["messages"][-1]
    return str(last.text)
