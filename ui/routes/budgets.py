"""Budgets: what is set, what is gone, and setting them. Amounts are the engine's own units."""

import time
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from guardrails.actor import pseudonym
from guardrails.audit.ledger import Act
from guardrails.budgets import EVERYONE, Budget, Use, renews
from ui import seen
from ui.identity import Person
from ui.routes.common import Seen, Services, allowed, shown
from ui.routes.shapes import Done, Shape

router = APIRouter(tags=["budgets"])


class BudgetRow(Shape):
    """At most `most` in a day or month (UTC). `cost` is in millionths of a dollar.

    `name` is `*` (each has their own), a department, an agent's id or a person's pseudonym.
    """

    scope: Literal["person", "department", "agent"]
    name: str
    unit: Literal["tokens", "cost", "calls"]
    period: Literal["day", "month"]
    most: int


class UseRow(BudgetRow):
    """What `name` has used of one budget. `share` is 0..1, and more when a limit was lowered."""

    used: int
    reserved: int
    share: float
    renews: str


class BudgetPage(Shape):
    """All budgets, and their use now, fullest first."""

    budgets: list[BudgetRow]
    uses: list[UseRow]


class BudgetChange(BaseModel):
    """`most` null removes the limit; 0 forbids. `name` of a person: account id or pseudonym."""

    model_config = ConfigDict(extra="forbid")

    scope: Literal["person", "department", "agent"]
    name: Annotated[str, Field(min_length=1, max_length=128)] = EVERYONE
    unit: Literal["tokens", "cost", "calls"]
    period: Literal["day", "month"]
    most: Annotated[int, Field(ge=0, le=10**15)] | None


@router.get("/budgets")
def budgets(
    app: Services, person: Annotated[Person, allowed("budgets.view")], response: Response
) -> BudgetPage:
    """Every budget and what is gone of it in the current day or month."""
    shown(response, seen.budgets(app))
    return BudgetPage(
        budgets=[BudgetRow(**asdict(one)) for one in app.budgets.all()],
        uses=[use_row(one) for one in app.budgets.uses()],
    )


@router.get("/budgets/mine")
def mine(app: Services, person: Annotated[Person, allowed("agents.use")]) -> list[UseRow]:
    """The caller's own budgets and those of their department."""
    names = {("person", pseudonym(app.keys, person.id)), ("department", person.department)}
    return [use_row(one) for one in app.budgets.uses() if (one.budget.scope, one.name) in names]


@router.put("/budgets")
def change(
    change: BudgetChange,
    app: Services,
    person: Annotated[Person, allowed("models.manage")],
    save: Seen,
) -> Done:
    """Set or remove one limit. It holds from the next call on."""
    name = change.name.strip() or EVERYONE
    if change.scope == "person" and name != EVERYONE:
        name = pseudonym(app.keys, name)
    budget = Budget(change.scope, name, change.unit, change.period, change.most or 0)
    payload = asdict(budget) | {"removed": change.most is None}
    with save.still(lambda: seen.budgets(app)):
        app.ledger.record(Act("budget.set", person.id, payload=payload))
        if change.most is None:
            app.budgets.remove(budget)
        else:
            app.budgets.set(budget)
    return Done()


def use_row(use: Use) -> UseRow:
    """A use as the API shows it."""
    given = asdict(use.budget) | {"name": use.name, "used": use.used, "reserved": use.reserved}
    when = renews(use.budget.period, time.time())
    return UseRow(**given, share=round(use.share, 4), renews=when)
