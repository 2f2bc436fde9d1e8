"""Figures without names: what is counted, what is hidden, what is forgotten."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.audit.tables import traces
from guardrails.errors import BadInput
from guardrails.migrate import upgrade
from guardrails.store import open_engine
from ui.impact import FEWEST, WEEK, Impacts
from ui.learning import LESSONS, Learning

NOW = 1_800_000_000


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    opened = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def impacts(engine: sa.Engine) -> Impacts:
    return Impacts(engine, clock=lambda: NOW)


def report(impacts: Impacts, number: int, department: str = "HR", minutes: int = 15) -> None:
    impacts.report(
        f"c_{number}", person=f"p_{number}", department=department, agent="email-drafter",
        minutes=minutes, quality="better",
    )  # fmt: skip


def turn(engine: sa.Engine, number: int, person: str, verdict: str, ago: int) -> None:
    with engine.begin() as db:
        db.execute(
            traces.insert().values(
                id=(NOW - ago) * 1_000_000 * 1024 + number, trace_id=f"{number:032x}",
                person=person, department="HR", agent="email-drafter", version="1.0.0",
                conversation="c", verdict=verdict, rule="", request="", model="m",
                model_kind="practice", location="local", data_class="internal", kinds=" ",
                tools=" ", tokens=1, cost=0, duration=1,
            )
        )  # fmt: skip


def test_hours_are_the_sum_of_what_people_said(impacts: Impacts) -> None:
    report(impacts, 1)
    report(impacts, 2, minutes=30)
    report(impacts, 2, minutes=15)  # the same conversation again takes the first one's place
    found = impacts.figures()
    assert found.hours[-1] == 0.5
    assert found.reports == 2
    assert found.quality == {"better": 2, "same": 0, "worse": 0}


def test_a_small_department_is_not_shown_by_itself(impacts: Impacts) -> None:
    for number in range(FEWEST - 1):
        report(impacts, number)
    assert impacts.figures().by_department == {}
    report(impacts, 99)
    assert list(impacts.figures().by_department) == ["HR"]


def test_turns_are_counted_by_week_and_verdict(engine: sa.Engine, impacts: Impacts) -> None:
    turn(engine, 1, "p_1", "masked", ago=60)
    turn(engine, 2, "p_2", "masked", ago=120)
    turn(engine, 3, "p_2", "blocked", ago=WEEK + 60)
    turn(engine, 4, "p_2", "blocked", ago=40 * WEEK)
    found = impacts.figures()
    assert found.masked[-1] == 2
    assert found.blocked[-2:] == (1, 0)
    assert found.people[-2:] == (1, 2)
    assert found.turns == 3
    assert found.agents == (("email-drafter", 3, 2),)
    assert impacts.users() == {"email-drafter": 2}


@pytest.mark.parametrize(("minutes", "quality"), [(31, "better"), (-1, "better"), (5, "great")])
def test_a_report_out_of_bounds_is_refused(impacts: Impacts, minutes: int, quality: str) -> None:
    with pytest.raises(BadInput, match="bad-report"):
        impacts.report(
            "c_1", person="p", department="", agent="a", minutes=minutes, quality=quality
        )


def test_a_person_is_forgotten(impacts: Impacts) -> None:
    report(impacts, 1)
    impacts.forget("p_1")
    assert impacts.figures().reports == 0


def test_lessons_are_ticked_and_unticked(engine: sa.Engine) -> None:
    learning = Learning(engine)
    learning.tick("ann", "tour")
    learning.tick("ann", "tour")
    assert learning.done("ann") == {"tour"}
    assert learning.done("bob") == frozenset()
    learning.tick("ann", "tour", done=False)
    assert learning.done("ann") == frozenset()
    with pytest.raises(BadInput, match="no-such-lesson"):
        learning.tick("ann", "nonsense")
    assert len({lesson.id for lesson in LESSONS}) == len(LESSONS)
