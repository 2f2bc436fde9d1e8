"""A LangChain chat model whose network is the socket. Knows nothing of providers or keys."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict

from sandbox.child.door import Door

ROLES = {"system": "system", "human": "user", "ai": "assistant", "tool": "tool"}


class SocketChatModel(BaseChatModel):
    """Emits one `model.call` frame per generation and waits for `model.result`."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    door: Door

    @property
    def _llm_type(self) -> str:
        return "atelier-socket"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[Any, AIMessage]:
        """Offer `tools` with every call, as {"name", "description", "parameters"}."""
        offered = [convert_to_openai_tool(tool)["function"] for tool in tools]
        return self.bind(tools=offered, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        answer = self.door.ask(
            {
                "t": "model.call",
                "messages": [_plain(message) for message in messages],
                "tools": kwargs.get("tools", []),
            }
        )
        calls = [
            ToolCall(name=call["name"], args=call["arguments"], id=call["id"])
            for call in answer["tool_calls"]
        ]
        message = AIMessage(content=answer["content"], tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=message)])


def _plain(message: BaseMessage) -> dict[str, Any]:
    plain: dict[str, Any] = {"role": ROLES[message.type], "content": str(message.text)}
    if isinstance(message, AIMessage) and message.tool_calls:
        plain["tool_calls"] = [
            {"id": call["id"], "name": call["name"], "arguments": call["args"]}
            for call in message.tool_calls
        ]
    if isinstance(message, ToolMessage):
        plain["tool_call_id"] = message.tool_call_id
    return plain
