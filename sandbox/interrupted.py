"""After a crash: turns that were under way are over, and their conversations say so."""

from dataclasses import asdict

import sqlalchemy as sa

from agents.conversations import Conversations, messages
from guardrails.audit.tables import ledger
from sandbox.events import Reply

CODE = "turn-interrupted"


def close_interrupted(engine: sa.Engine, conversations: Conversations) -> int:
    """Answer each message that a dead server left without one. Returns how many.

    Call at start, when no turn is under way. The record itself says "outcome unknown".
    """
    later = messages.alias()
    left = sa.select(messages.c.conversation, messages.c.trace_id).where(
        messages.c.role == "user",
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
