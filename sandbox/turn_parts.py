"""What a turn needs of the house, and how it may end."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from agents.conversations import Conversations
from guardrails.audit.ledger import Ledger
from guardrails.audit.spans import Spans
from guardrails.detect.grounding import Embed
from guardrails.screen import Screen
from sandbox.attachments import Attachments
from sandbox.broker.broker import Broker
from sandbox.limits import Limits
from sandbox.paused import PausedTurns
from sandbox.pool import Pool
from sandbox.uploads import Uploads
from sandbox.vaults import Vaults

Status = Literal["done", "blocked", "stopped", "failed", "waiting"]


@dataclass
class Parts:
    """What a turn needs of the house."""

    broker: Broker
    pool: Pool
    ledger: Ledger
    spans: Spans
    screen: Screen
    conversations: Conversations
    uploads: Uploads
    vaults: Vaults
    attachments: Attachments
    paused: PausedTurns
    embedder: Embed  # compares a reply with its passages
    pseudonym: Callable[[str], str]
    limits: Limits = field(default_factory=lambda: Limits(wall_s=300.0, cpu_s=60.0))
    closing: bool = False
    ready: asyncio.Event = field(default_factory=asyncio.Event)  # set when the screen is warm


@dataclass
class End:
    """How a turn ended. `text` is masked; `code` names the wording `error.<code>`."""

    status: Status = "failed"
    text: str = ""
    code: str = ""
    data: Mapping[str, object] = field(default_factory=dict)
