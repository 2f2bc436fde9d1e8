"""How much a published agent is used, from the traces of its turns. Reads only."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from agents.publishing_records import Live
from guardrails.audit.tables import traces


@dataclass(frozen=True, slots=True)
class Figures:
    """Turns of colleagues; the author's own and test runs are left out. `cost` in the operator's
    currency."""

    uses: int
    people: int
    cost: float
    blocked: int
    median_ms: float


def figures(app: Any, live: Live) -> Figures:
    """Figures of one agent over everything that is kept."""
    others = sa.and_(
        traces.c.agent == live.agent,
        traces.c.person != app.sessions.pseudonym(live.owner),
        traces.c.purpose == "chat",
    )
    count = sa.func.count()
    query = sa.select(
        count,
        sa.func.count(traces.c.person.distinct()),
        sa.func.coalesce(sa.func.sum(traces.c.cost), 0),
        sa.func.coalesce(sa.func.sum(sa.case((traces.c.verdict == "blocked", 1), else_=0)), 0),
    ).where(others)
    with app.engine.connect() as db:
        uses, people, cost, blocked = db.execute(query).one()
        middle = db.scalar(
            sa.select(traces.c.duration)
            .where(others)
            .order_by(traces.c.duration)
            .limit(1)
            .offset(uses // 2)
        )
    return Figures(
        int(uses), int(people), float(cost) / 1e6, int(blocked), float(middle or 0) / 1000
    )
