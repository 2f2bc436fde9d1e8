"""One added source of tools, as it is kept: what is confirmed, what is offered, why it is off."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from sandbox.broker.openapi import Definition

Kind = Literal["openapi", "mcp"]
State = Literal["ready", "changed", "off", "unreachable", "flagged", "new", "sign-in"]
Connect = Literal["", "person", "house"]


@dataclass(frozen=True, slots=True)
class Source:
    """One added source. `tools` are confirmed; `offered` what it offers now; `reason` is a code."""

    id: str
    kind: Kind
    title: str
    settings: Mapping[str, Any]
    tools: tuple[Definition, ...]
    hash: str
    offered: tuple[Definition, ...]
    offered_hash: str
    enabled: bool
    reason: str
    changed_by: str

    @property
    def state(self) -> State:
        """`ready` when its tools can be used; else why not."""
        if not self.enabled:
            return "off"
        if self.reason == "source-orders":
            return "flagged"
        if not self.hash:
            return "new" if self.offered_hash else "sign-in"
        if self.hash != self.offered_hash:
            return "changed"
        return "unreachable" if self.reason else "ready"

    @property
    def connect(self) -> Connect:
        """Who signs in: each `person`, one for the `house`, or nobody ("")."""
        return cast(Connect, self.settings.get("connect", ""))

    @property
    def differences(self) -> tuple[str, ...]:
        """Names of tools that are new, gone or described otherwise than when confirmed."""
        old = {one["name"]: one for one in self.tools}
        new = {one["name"]: one for one in self.offered}
        return tuple(sorted(name for name in old | new if old.get(name) != new.get(name)))
