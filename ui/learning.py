"""Hands-on lessons: which there are, and which a person has done. Shows nothing itself.

What can be seen in the person's own data counts as done by itself; the rest they tick.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from agents.conversation_tables import messages
from guardrails.audit.tables import traces
from guardrails.errors import BadInput
from guardrails.store import metadata
from ui.identity import Person

if TYPE_CHECKING:
    from ui.wiring import App

learned = sa.Table(
    "learned",
    metadata,
    sa.Column("person", sa.String(128), primary_key=True),
    sa.Column("lesson", sa.String(40), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),  # seconds since 1970
)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson of about three minutes: where to try it; wording `learn.<id>…`."""

    id: str
    icon: str
    page: str
    query: tuple[tuple[str, str], ...] = ()


LESSONS: tuple[Lesson, ...] = (
    Lesson("tour", "play", "playground", (("agent", "email-drafter"), ("tour", "1"))),
    Lesson("mask", "eye-off", "playground", (("agent", "email-drafter"),)),
    Lesson("how", "scan-search", "playground", (("agent", "meeting-summariser"),)),
    Lesson("source", "book-open", "playground", (("agent", "hr-policy-helper"),)),
    Lesson("table", "chart-column", "playground", (("agent", "spreadsheet-analyst"),)),
    Lesson("order", "triangle-alert", "playground", (("agent", "customer-reply"),)),
    Lesson("build", "wand-sparkles", "build"),
    Lesson("judge", "scale", "learn"),
)
_BY_ID = {lesson.id: lesson for lesson in LESSONS}


class Learning:
    """Which lessons each person has ticked. `clock` gives seconds since 1970."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def done(self, person: str) -> frozenset[str]:
        """Ids of the lessons the person has ticked."""
        query = sa.select(learned.c.lesson).where(learned.c.person == person)
        with self._engine.connect() as db:
            return frozenset(db.scalars(query))

    def tick(self, person: str, lesson: str, *, done: bool = True) -> None:
        """Tick a lesson, or take the tick back. Raises BadInput("no-such-lesson")."""
        if lesson not in _BY_ID:
            raise BadInput("no-such-lesson")
        own = (learned.c.person == person, learned.c.lesson == lesson)
        with self._engine.begin() as db:
            db.execute(learned.delete().where(*own))
            if done:
                now = int(self._clock())
                db.execute(learned.insert().values(person=person, lesson=lesson, at=now))

    def forget(self, person: str) -> None:
        """Forget everything about one person."""
        with self._engine.begin() as db:
            db.execute(learned.delete().where(learned.c.person == person))


def seen(app: "App", person: Person) -> frozenset[str]:
    """Lessons that the person's own data show as done."""
    who = app.record.pseudonym(person.id)
    found = set()
    with app.engine.connect() as db:

        def has(query: sa.Select[int]) -> bool:
            return db.execute(query.limit(1)).first() is not None

        mine = sa.select(sa.literal(1)).where(traces.c.person == who)
        if has(mine.where(traces.c.verdict == "masked")):
            found.add("mask")
        if has(mine.where(traces.c.verdict == "flagged")):
            found.add("order")
        if has(mine.where(traces.c.tools.like("% python %"))):
            found.add("table")
    own = [each.id for each in app.conversations.mine(person.id, limit=50)]
    with app.engine.connect() as db:
        query = sa.select(messages.c.extra).where(
            messages.c.conversation.in_(own), messages.c.role == "assistant"
        )
        if any((extra or {}).get("sources") for extra in db.scalars(query.limit(200))):
            found.add("source")
    if app.catalog.mine(person.id):
        found.add("build")
    return frozenset(found)


def progress(app: "App", person: Person) -> frozenset[str]:
    """Every lesson that is done, ticked or seen."""
    ticked: frozenset[str] = app.learning.done(person.id)
    return ticked | seen(app, person)
