"""Conversations whose rule wants shorter retention: removed when their days are over.

Messages, files, documents and names go, and with them the spans and trace rows of the
conversation. Ledger rows stay (who, what, verdict). A legal hold beats this.
"""

import logging
import time
from collections.abc import Callable
from typing import Final, Protocol

import sqlalchemy as sa

from agents.conversations import Conversations
from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.retention import Retention
from guardrails.audit.tables import spans, traces

SHORT_DAYS: Final = 30
_DAY: Final = 86_400.0
log = logging.getLogger(__name__)


class Forgets(Protocol):
    """What keeps a conversation's files, documents and names."""

    def forget(self, conversation: str) -> None: ...


def purge_short(
    engine: sa.Engine,
    conversations: Conversations,
    forgets: Forgets,
    ledger: Ledger,
    retention: Retention,
    clock: Callable[[], float] = time.time,
    days: int = SHORT_DAYS,
) -> int:
    """Remove every conversation of class "short" that nobody touched for `days`. Returns how many.

    Raises LedgerUnavailable before anything of a conversation is removed.
    """
    removed = 0
    for found in conversations.shortened(clock() - days * _DAY):
        if _held(engine, retention, found.id):
            continue
        ledger.record(Act("retention", "system", conversation=found.id, rule="short-retention"))
        forgets.forget(found.id)
        conversations.delete(found.id, found.owner)
        with engine.begin() as db:
            own = sa.select(traces.c.trace_id).where(traces.c.conversation == found.id)
            db.execute(sa.delete(spans).where(spans.c.trace_id.in_(own)))
            db.execute(sa.delete(traces).where(traces.c.conversation == found.id))
        removed += 1
    return removed


def _held(engine: sa.Engine, retention: Retention, conversation: str) -> bool:
    open_ = [hold for hold in retention.holds() if hold.released is None]
    if any(hold.field == "all" for hold in open_):
        return True
    fields = [traces.c[hold.field] == hold.value for hold in open_]
    if not fields:
        return False
    query = sa.select(sa.literal(1)).where(traces.c.conversation == conversation, sa.or_(*fields))
    with engine.connect() as db:
        return db.scalar(query.limit(1)) is not None
