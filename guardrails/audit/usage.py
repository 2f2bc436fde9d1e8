"""How often something was used: turns, people and agents per model or rule. Counts only."""

import time
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from guardrails.audit.tables import traces

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Used:
    """What turns of the last days came to."""

    turns: int
    people: int
    agents: int
    last: float  # seconds since 1970


def used(
    engine: sa.Engine, by: Literal["model", "rule"], days: int = 30, now: float | None = None
) -> dict[str, Used]:
    """Use by model label or deciding rule, over the last `days`."""
    column, count = traces.c[by], sa.func.count
    since = int((time.time() if now is None else now) - days * DAY_S) * 1_000_000
    query = (
        sa.select(
            column,
            count(),
            count(sa.distinct(traces.c.person)),
            count(sa.distinct(traces.c.agent)),
            sa.func.max(traces.c.id),
        )
        .where(traces.c.id >= since << 10)
        .group_by(column)
    )
    with engine.connect() as connection:
        return {
            name: Used(turns, people, agents, (last >> 10) / 1e6)
            for name, turns, people, agents, last in connection.execute(query)
            if name
        }
