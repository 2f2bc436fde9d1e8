"""Stand-ins instead of placeholders, for agents that need natural text; only the model sees them.

The sealed process, the record and the conversation keep placeholders: what goes out is dressed
here, what comes back is undressed before anything else looks at it.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from sandbox.broker.model_events import ToolCall
from sandbox.broker.run import Run


class Natural:
    """One model call. Does nothing unless the agent's `pseudonyms` are `surrogates`."""

    def __init__(self, run: Run) -> None:
        wanted = run.agent.pseudonyms == "surrogates"
        self._surrogates = run.vault.surrogates(run.language) if wanted else None
        self._kinds = run.vault.placeholders() if wanted else {}

    def out(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The messages as the model gets them."""
        if self._surrogates is None:
            return messages
        contents = [str(message["content"]) for message in messages]
        calls = [
            call["function"]["arguments"]
            for message in messages
            for call in message.get("tool_calls", ())
        ]
        dressed = self._surrogates.dress_all([*contents, *calls], self._kinds)
        arguments = iter(dressed[len(contents) :])
        return [
            {**message, "content": content}
            | (
                {
                    "tool_calls": [
                        {**call, "function": {**call["function"], "arguments": next(arguments)}}
                        for call in message["tool_calls"]
                    ]
                }
                if message.get("tool_calls")
                else {}
            )
            for message, content in zip(messages, dressed, strict=False)
        ]

    def back(self, pieces: AsyncIterator[str]) -> AsyncIterator[str]:
        """The answer with placeholders again, while it arrives."""
        return pieces if self._surrogates is None else self._surrogates.undress_stream(pieces)

    def call(self, call: ToolCall) -> ToolCall:
        """A tool call with placeholders again."""
        if self._surrogates is None:
            return call
        return replace(call, arguments=self._undressed(call.arguments))

    def _undressed(self, value: Any) -> Any:
        if isinstance(value, str) and self._surrogates is not None:
            return self._surrogates.undress(value)
        if isinstance(value, list):
            return [self._undressed(item) for item in value]
        if isinstance(value, dict):
            return {name: self._undressed(item) for name, item in value.items()}
        return value
