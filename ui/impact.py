"""What the workshop is good for: time people report, quality, collaboration, insight. No names.

Time saved is what a person reports after a conversation, at most `MOST_MINUTES` each: a claim,
and shown as one. A department with fewer than `FEWEST` people is not shown by itself.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from guardrails.audit.tables import traces
from guardrails.errors import BadInput
from guardrails.store import metadata

MOST_MINUTES = 30
FEWEST = 3
WEEKS = 10
WEEK = 7 * 86_400
_PER_SECOND = 1_000_000 * 1024  # a trace's id: microseconds, then ten bits

time_reports = sa.Table(
    "time_reports",
    metadata,
    sa.Column("conversation", sa.String(32), primary_key=True),
    sa.Column("person", sa.Text, nullable=False),  # pseudonym
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("minutes", sa.Integer, nullable=False),
    sa.Column("quality", sa.Text, nullable=False),  # better, same, worse
    sa.Column("at", sa.BigInteger, nullable=False, index=True),  # seconds since 1970
)
QUALITIES = ("better", "same", "worse")


@dataclass(frozen=True)
class Impact:
    """Figures of the last `WEEKS` weeks, oldest first; the last week is not over."""

    starts: tuple[int, ...]  # of the weeks, seconds since 1970
    hours: tuple[float, ...]
    people: tuple[int, ...]
    masked: tuple[int, ...]  # turns with masked details
    blocked: tuple[int, ...]
    turns: int
    by_department: dict[str, tuple[float, ...]] = field(default_factory=dict)  # hours
    agents: tuple[tuple[str, int, int], ...] = ()  # id, turns, people; most used first
    quality: dict[str, int] = field(default_factory=dict)
    reports: int = 0


class Impacts:
    """Keeps what people report, and counts. `clock` gives seconds since 1970."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def report(
        self,
        conversation: str,
        *,
        person: str,
        department: str,
        agent: str,
        minutes: int,
        quality: str,
    ) -> None:
        """What one person says of one conversation; a later report takes an earlier one's place.

        Raises BadInput("bad-report").
        """
        if not 0 <= minutes <= MOST_MINUTES or quality not in QUALITIES:
            raise BadInput("bad-report", most=MOST_MINUTES)
        with self._engine.begin() as db:
            db.execute(time_reports.delete().where(time_reports.c.conversation == conversation))
            db.execute(
                time_reports.insert().values(
                    conversation=conversation,
                    person=person,
                    department=department,
                    agent=agent,
                    minutes=minutes,
                    quality=quality,
                    at=int(self._clock()),
                )
            )

    def hours_of(self, person: str, days: int = 7) -> float:
        """Hours one person has reported in the last `days`."""
        query = sa.select(sa.func.sum(time_reports.c.minutes)).where(
            time_reports.c.person == person, time_reports.c.at > self._clock() - days * 86_400
        )
        with self._engine.connect() as db:
            return (db.scalar(query) or 0) / 60

    def users(self) -> dict[str, int]:
        """How many people have used each agent in the last weeks, by agent id."""
        since = (int(self._clock()) - WEEKS * WEEK) * _PER_SECOND
        who = sa.func.count(sa.distinct(traces.c.person))
        used = (traces.c.id >= since, traces.c.purpose == "chat")
        query = sa.select(traces.c.agent, who).where(*used).group_by(traces.c.agent)
        with self._engine.connect() as db:
            return {agent: people for agent, people in db.execute(query)}

    def forget(self, person: str) -> None:
        """Forget what one person reported (GDPR art. 17)."""
        with self._engine.begin() as db:
            db.execute(time_reports.delete().where(time_reports.c.person == person))

    def figures(self) -> Impact:
        """Count the last weeks."""
        now = int(self._clock())
        first = now - WEEKS * WEEK
        starts = tuple(first + week * WEEK for week in range(WEEKS))
        since = first * _PER_SECOND
        number = ((traces.c.id - since) // (WEEK * _PER_SECOND)).label("week")
        who = sa.func.count(sa.distinct(traces.c.person)).label("people")
        count = sa.func.count().label("turns")
        with self._engine.connect() as db:
            # test runs and try-outs are work on an agent, not with it
            recent = sa.and_(traces.c.id >= since, traces.c.purpose == "chat")
            weekly = db.execute(sa.select(number, who).where(recent).group_by(number)).all()
            verdicts = db.execute(
                sa.select(number, traces.c.verdict, count)
                .where(recent)
                .group_by(number, traces.c.verdict)
            ).all()
            agents = db.execute(
                sa.select(traces.c.agent, count, who)
                .where(recent)
                .group_by(traces.c.agent)
                .order_by(count.desc())
                .limit(8)
            ).all()
            reports = db.execute(sa.select(time_reports).where(time_reports.c.at >= first)).all()
        people = {row.week: row.people for row in weekly}
        counted: dict[tuple[int, str], int] = {(r.week, r.verdict): r.turns for r in verdicts}
        return Impact(
            starts=starts,
            hours=_hours(reports, first),
            people=tuple(people.get(at, 0) for at in range(WEEKS)),
            masked=tuple(counted.get((at, "masked"), 0) for at in range(WEEKS)),
            blocked=tuple(counted.get((at, "blocked"), 0) for at in range(WEEKS)),
            turns=sum(counted.values()),
            by_department=_departments(reports, first),
            agents=tuple((row.agent, row.turns, row.people) for row in agents),
            quality={name: sum(r.quality == name for r in reports) for name in QUALITIES},
            reports=len(reports),
        )


def _hours(reports: Sequence[Any], first: int) -> tuple[float, ...]:
    minutes = [0] * WEEKS
    for row in reports:
        minutes[min(WEEKS - 1, (row.at - first) // WEEK)] += row.minutes
    return tuple(total / 60 for total in minutes)


def _departments(reports: Sequence[Any], first: int) -> dict[str, tuple[float, ...]]:
    people: dict[str, set[str]] = {}
    for row in reports:
        people.setdefault(row.department, set()).add(row.person)
    shown = [name for name, who in people.items() if name and len(who) >= FEWEST]
    return {
        name: _hours([row for row in reports if row.department == name], first)
        for name in sorted(shown)
    }
