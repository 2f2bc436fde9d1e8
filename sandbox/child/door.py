"""Questions from inside the seal to the broker, one at a time. Knows nothing of their meaning."""

import threading
from typing import Any, Protocol


class Channel(Protocol):
    """The one socket."""

    def send(self, frame: dict[str, Any]) -> None: ...
    def receive(self) -> dict[str, Any]: ...


class Refused(Exception):
    """The broker said no. `rule` names the rule, `message` is for the model or the log."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule, self.message = rule, message
        super().__init__(rule)


class Door:
    """Asks and waits for the answer. LangGraph runs tools in threads, so asking is serialised."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._last = 0

    def ask(self, frame: dict[str, Any]) -> dict[str, Any]:
        """Send `frame` with a fresh id and return the answer. Raises Refused, ConnectionError."""
        with self._lock:
            self._last += 1
            self._channel.send({**frame, "id": self._last})
            answer = self._channel.receive()
        if answer.get("id") != self._last:
            raise ConnectionError("the answer belongs to another question")
        if answer.get("t") == "refused":
            raise Refused(str(answer.get("rule")), str(answer.get("message")))
        return answer
