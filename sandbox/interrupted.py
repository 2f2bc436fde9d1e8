"""After a crash: turns that were under way are over, and their conversations say so; what a turn
that goes on had begun is known, so that nothing is done twice unseen.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from agents.conversation_tables import messages
from agents.conversations import Conversations
from guardrails.audit.ledger import Ledger
from guardrails.audit.tables import ledger
from guardrails.processes import orphaned
from sandbox.events import Reply

CODE = "turn-interrupted"


def close_interrupted(engine: sa.Engine, conversations: Conversations) -> int:
    """Answer each message that a dead process left without one. Returns how many.

    The record itself says "outcome unknown".
    """
    later = messages.alias()
    left = sa.select(messages.c.conversation, messages.c.trace_id).where(
        messages.c.role == "user",
        orphaned(messages.c.process),
        ~sa.exists().where(
            later.c.conversation == messages.c.conversation, later.c.number > messages.c.number
        ),
        # a branch begins with copies of another conversation's messages: those are nobody's turn
        sa.exists().where(
            ledger.c.trace_id == messages.c.trace_id,
            ledger.c.conversation == messages.c.conversation,
            ledger.c.kind == "turn",
        ),
    )
    with engine.connect() as db:
        found = [tuple(row) for row in db.execute(left)]
    for conversation, trace_id in found:
        reply = Reply("", (), (), trace_id, conversation=conversation, status="failed", error=CODE)
        kept = {**asdict(reply), "sources": [], "approvals": []}
        conversations.add(conversation, "assistant", "", trace_id, kept)
    return len(found)


@dataclass(frozen=True, slots=True)
class Begun:
    """A tool call of a turn that was begun; nobody knows whether it was done. `row` is its intent
    in the ledger; `arguments` are masked."""

    row: int
    tool: str
    arguments: dict[str, Any]


def begun_acts(record: Ledger, conversation: str, since: int) -> list[Begun]:
    """Tool calls of one conversation since a moment (microseconds) whose outcome is unknown.

    A crash between an act and its result, or a stop in the middle of it, leaves one. Oldest first.
    """
    intents, outcomes = ledger.alias(), ledger.alias()
    query = (
        sa.select(intents.c.seq, intents.c.subject, intents.c.payload)
        .outerjoin(outcomes, outcomes.c.intent == intents.c.seq)
        .where(
            intents.c.conversation == conversation,
            intents.c.kind == "tool.call",
            intents.c.step == "intent",
            intents.c.at >= since,
            sa.or_(outcomes.c.seq.is_(None), outcomes.c.verdict.in_(("unknown", "interrupted"))),
        )
        .order_by(intents.c.seq)
    )
    found: list[Begun] = []
    with record.engine.connect() as db:
        for row in db.execute(query):
            told = record.sealer.open(db, row.subject, row.payload) or {}
            try:
                arguments = json.loads(str(told.get("arguments", "")))
            except ValueError:
                continue  # erased: there is nothing left that could be done again
            found.append(Begun(row.seq, str(told.get("tool", "")), arguments))
    return found
