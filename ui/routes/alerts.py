"""Alerts: what fired, who has seen it, which rules are on, and a test that really sends."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from guardrails.audit.alert_rules import AlertRule
from guardrails.audit.ledger import Act
from guardrails.errors import BadInput
from ui import seen as editing
from ui.alert_words import alert_text
from ui.identity import Person
from ui.routes.common import Limits, Seen, Services, allowed, limited
from ui.routes.shapes import Done, Shape

router = APIRouter(prefix="/alerts", tags=["alerts"])

Officer = Annotated[Person, allowed("alerts.view")]


class AlertRow(Shape):
    """One alert in the caller's language. `seen_by` is empty until somebody has seen it."""

    id: int
    rule: str
    level: str
    at: datetime
    about: str
    message: str
    seen_by: str


class AlertPage(Shape):
    """Alerts, newest first; `unseen` counts per level over everything."""

    rows: list[AlertRow]
    unseen: dict[str, int]
    ways: list[str]


class RuleRow(Shape):
    """One rule. `least` and `most` bound the threshold; `locked` ones are always on."""

    id: str
    level: str
    active: bool
    locked: bool
    threshold: float | None
    least: float
    most: float
    changed_by: str


class RuleChange(BaseModel):
    """On or off, and from which threshold on (null: the default)."""

    model_config = ConfigDict(extra="forbid")
    active: bool = True
    threshold: float | None = Field(None, allow_inf_nan=False)


@router.get("")
def alerts(
    app: Services,
    person: Officer,
    unseen: bool = False,
    before: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AlertPage:
    """Alerts, newest first. `before` is the id of the last one of the page before."""
    found = app.record.alerts.latest(limit, unseen=unseen, before=before)
    rows = [
        AlertRow(
            id=one.id, rule=one.rule, level=one.level, at=datetime.fromtimestamp(one.at, UTC),
            about=one.about, message=alert_text(person.language, one), seen_by=one.seen_by,
        )
        for one in found
    ]  # fmt: skip
    return AlertPage(
        rows=rows, unseen=app.record.alerts.unseen(), ways=list(app.record.alerts.ways)
    )


@router.post("/seen")
def all_seen(app: Services, person: Officer) -> Done:
    """Mark every alert as seen."""
    return _seen(app, person, None)


@router.post("/{alert}/seen")
def seen(alert: int, app: Services, person: Officer) -> Done:
    """Mark one alert as seen."""
    return _seen(app, person, alert)


@router.get("/rules")
def rules(app: Services, person: Officer) -> list[RuleRow]:
    """Every rule as it is now."""
    return [_rule(rule) for rule in app.record.alerts.rules.all().values()]


@router.put("/rules/{rule}")
def change(rule: str, wanted: RuleChange, app: Services, person: Officer, save: Seen) -> RuleRow:
    """Switch a rule on or off, or move its threshold. The change is recorded first."""
    known = app.record.alerts.rules
    if rule not in known.all():
        raise BadInput("no-such-alert-rule", rule=rule)
    me = app.record.pseudonym(person.id)
    payload = {"rule": rule, "active": wanted.active, "threshold": wanted.threshold}
    with save.still(lambda: editing.rule(known.all()[rule])):
        app.ledger.record(Act("alert.rule", me, payload=payload))
        return _rule(known.set(rule, active=wanted.active, threshold=wanted.threshold, by=me))


@router.post("/test")
def test(app: Services, rates: Limits, person: Officer) -> dict[str, str]:
    """Send a real alert every way there is; says per way whether it was `sent` or `failed`."""
    limited(rates.tried, person)
    me = app.record.pseudonym(person.id)
    app.ledger.record(Act("alert.test", me))
    results: dict[str, str] = app.record.alerts.test(by=me)
    return results


def _seen(app: Services, person: Person, alert: int | None) -> Done:
    me = app.record.pseudonym(person.id)
    app.ledger.record(Act("alert.seen", me, payload={"alert": alert or "all"}))
    app.record.alerts.seen(alert, by=me)
    return Done()


def _rule(rule: AlertRule) -> RuleRow:
    return RuleRow(
        id=rule.id,
        level=rule.level,
        active=rule.active,
        locked=rule.locked,
        threshold=rule.threshold,
        least=rule.least,
        most=rule.most,
        changed_by=rule.changed_by,
    )
