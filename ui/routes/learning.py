"""Lessons done, and what conversations were worth to people."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter

from guardrails.audit.ledger import Act
from ui.identity import Person
from ui.learning import LESSONS, progress
from ui.routes.common import Services, allowed
from ui.routes.shapes import Done, ImpactFigures, LessonRow, LessonTick, TimeReport

router = APIRouter(tags=["learning"])

Somebody = Annotated[Person, allowed("agents.use")]


@router.get("/me/lessons")
def lessons(app: Services, person: Somebody) -> list[LessonRow]:
    """The lessons and which of them the caller has done."""
    done = progress(app, person)
    return [LessonRow(id=lesson.id, done=lesson.id in done) for lesson in LESSONS]


@router.put("/me/lessons/{lesson}")
def tick(lesson: str, asked: LessonTick, app: Services, person: Somebody) -> Done:
    """Tick one of the caller's lessons, or take the tick back."""
    app.learning.tick(person.id, lesson, done=asked.done)
    return Done()


@router.put("/conversations/{conversation}/saved")
def saved(
    conversation: str,
    asked: TimeReport,
    app: Services,
    person: Annotated[Person, allowed("conversations.own")],
) -> Done:
    """Say what one of the caller's conversations saved; counted for Impact without a name."""
    row = app.conversations.get(conversation, person.id)
    app.ledger.record(Act("feedback", person.id, agent=row.agent, conversation=conversation))
    app.impacts.report(
        conversation,
        person=app.record.pseudonym(person.id),
        department=person.department,
        agent=row.agent,
        minutes=asked.minutes,
        quality=asked.quality,
    )
    return Done()


@router.get("/impact")
def impact(app: Services, person: Annotated[Person, allowed("impact.view")]) -> ImpactFigures:
    """What the workshop is good for, over the last ten weeks."""
    return ImpactFigures.model_validate(asdict(app.impacts.figures()))
