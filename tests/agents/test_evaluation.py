"""A run that breaks says so: nobody waits for it, and what was not checked is never called done."""

import pytest
import sqlalchemy as sa

from agents.catalog import templates
from agents.evaluation import Evaluations
from agents.spec import AgentSpec, Case
from guardrails.actor import Actor
from guardrails.audit.ledger import Ledger
from guardrails.keys import Keys
from tests.agents.test_evaluate import Answer

SPEC = templates()["email-drafter"]
BY = Actor("u_1", roles=frozenset({"champion"}))


class Asked:
    """Every case is answered alike, or breaks."""

    def __init__(self, broken: Exception | None = None) -> None:
        self.broken = broken

    async def __call__(self, spec: AgentSpec, case: Case, by: Actor) -> Answer:
        if self.broken:
            raise self.broken
        return Answer("No.")


async def ended(engine: sa.Engine, asked: Asked) -> tuple[str, str]:
    ledger = Ledger(engine, Keys(bytes(32)))
    runs = Evaluations(
        engine,
        ledger,
        asked,
        side_effect=lambda tool: "none",
        tongue=lambda text: "en",
        model=lambda: "scripted",
    )
    run = await runs.start(SPEC, BY, which="safety")
    over = await runs.wait(run.id)
    ledger.close()
    return over.state, over.error


async def test_a_case_that_breaks_ends_the_run_as_failed(
    engine: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    assert await ended(engine, Asked(ZeroDivisionError("Anna"))) == ("failed", "internal")
    assert "evaluation broke" in caplog.text and "Anna" not in caplog.text


async def test_answers_that_could_not_be_compared_are_no_evidence(engine: sa.Engine) -> None:
    with engine.begin() as db:
        db.execute(
            sa.text(
                "CREATE TRIGGER away BEFORE UPDATE ON evaluation_results"
                " BEGIN SELECT RAISE(ABORT, 'the store is away'); END"
            )
        )
    assert await ended(engine, Asked()) == ("failed", "internal")


async def test_a_run_that_breaks_nowhere_is_done(engine: sa.Engine) -> None:
    assert await ended(engine, Asked()) == ("done", "")
