"""Budgets on the page of models: what is set, how much is gone, and setting them."""

import time
from collections.abc import Iterable
from datetime import datetime

from guardrails.actor import pseudonym
from guardrails.budgets import EVERYONE, Budget, Use, renews
from ui import seen
from ui.access import may
from ui.web.markup import Markup, icon, joined
from ui.web.plain import Visit, empty

HIGH = 0.8
MILLION = 1_000_000


def budgets(visit: Visit, edits: bool) -> Markup:
    """The table of budgets with their use, and for administrators the form."""
    found = visit.app.budgets.all()
    inside = (
        joined([_uses(visit), _limits(visit, found, edits)])
        if found
        else empty("wallet", visit.say("rules.budget.none"), visit.say("rules.budget.none-more"))
    )
    return Markup(
        '<section class="atl-stack" aria-labelledby="budgets-here"><h2 class="atl-h2"'
        ' id="budgets-here">{}</h2>{}{}</section>'
    ).format(visit.say("rules.budget.title"), inside, _new(visit) if edits else "")


def _uses(visit: Visit) -> Markup:
    uses = visit.app.budgets.uses()[:100]
    if not uses:
        return Markup('<p class="atl-card">{}</p>').format(visit.say("rules.budget.unused"))
    rows = joined(_use_row(visit, use) for use in uses)
    heads = _heads(visit, ("who", "share", "used", "of", "renews"))
    return Markup(
        '<table class="atl-datatable atl-short"><caption>{}</caption><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table>"
    ).format(visit.say("rules.budget.use"), heads, rows)


def _use_row(visit: Visit, use: Use) -> Markup:
    percent = round(use.share * 100)
    meter = Markup(
        '<meter min="0" max="1" high="{}" value="{}" aria-label="{}"></meter> {} %'
    ).format(HIGH, min(use.share, 1), visit.say("rules.budget.column.share"), percent)
    when = visit.at(datetime.fromisoformat(renews(use.budget.period, time.time())), "d MMM y")
    cells = (
        ("who", _named(visit, use.budget.scope, use.name)),
        ("share", meter),
        ("used", amount(visit, use.budget, use.used + use.reserved)),
        ("of", amount(visit, use.budget, use.budget.most)),
        ("renews", when),
    )
    return _row(visit, cells)


def _limits(visit: Visit, found: list[Budget], edits: bool) -> Markup:
    names = ("who", "of", "period", "act") if edits else ("who", "of", "period")
    rows, match = [], seen.tag(seen.budgets(visit.app))
    for one in found:
        cells: list[tuple[str, Markup | str]] = [
            ("who", _whose(visit, one)),
            ("of", amount(visit, one, one.most)),
            ("period", visit.say(f"rules.budget.period.{one.period}")),
        ]
        if edits:
            cells.append(("act", _remove(visit, one, match)))
        rows.append(_row(visit, cells))
    return Markup(
        '<table class="atl-datatable atl-short"><caption>{}</caption><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table>"
    ).format(visit.say("rules.budget.limits"), _heads(visit, names), joined(rows))


def _whose(visit: Visit, one: Budget) -> str:
    if one.name == EVERYONE:
        return visit.say(f"rules.budget.each.{one.scope}")
    return _named(visit, one.scope, one.name)


def _named(visit: Visit, scope: str, name: str) -> str:
    # administrators manage people and need the name to help; security sees pseudonyms
    if scope == "person" and may(visit.person, "models.manage"):
        name = dict(_names(visit)).get(name, name)
    return f"{visit.say(f'rules.budget.scope.{scope}')} {name}"


def amount(visit: Visit, budget: Budget, value: int) -> str:
    """An amount with its unit, in words."""
    shown = value / MILLION if budget.unit == "cost" else value
    return visit.say(f"rules.budget.amount.{budget.unit}", n=visit.number(shown))


def _remove(visit: Visit, one: Budget, match: str) -> Markup:
    return Markup(
        '<form data-api="PUT /api/v1/budgets" data-match="{}" data-sure="{}" data-ok="{}">'
        '<input type="hidden" name="scope" value="{}"><input type="hidden" name="name" value="{}">'
        '<input type="hidden" name="unit" value="{}"><input type="hidden" name="period" value="{}">'
        '<input type="hidden" name="most" data-type="number" value="">'
        '<button class="atl-button" data-size="small" data-kind="danger">{}{}</button></form>'
    ).format(
        match,
        visit.say("rules.budget.remove-sure"),
        visit.say("rules.budget.removed"),
        one.scope,
        one.name,
        one.unit,
        one.period,
        icon("trash-2"),
        visit.say("rules.budget.remove"),
    )


def _new(visit: Visit) -> Markup:
    def choice(name: str, values: tuple[str, ...]) -> Markup:
        options = joined(
            Markup('<option value="{}">{}</option>').format(
                each, visit.say(f"rules.budget.{name}.{each}")
            )
            for each in values
        )
        return Markup('<label class="atl-field">{}<select name="{}">{}</select></label>').format(
            visit.say(f"rules.budget.field.{name}"), name, options
        )

    known = joined(
        Markup('<option value="{}">{}</option>').format(value, label)
        for value, label in _names(visit)
    )
    return Markup(
        '<details class="atl-fold" id="budget-new"><summary>{}{}</summary>'
        '<form class="atl-form" data-api="PUT /api/v1/budgets" data-match="{}" data-ok="{}">'
        '<div class="atl-form-row">{}<label class="atl-field">{}<input name="name" value="*"'
        ' list="budget-names" maxlength="128" required><small>{}</small></label>'
        '<datalist id="budget-names">{}</datalist></div><div class="atl-form-row">{}{}'
        '<label class="atl-field">{}<input type="number" id="budget-most" min="0" step="any"'
        ' required><input type="hidden" name="most" data-type="number"><small>{}</small>'
        "</label></div>"
        '<div class="atl-actions">'
        '<button class="atl-button" data-kind="primary">{}</button></div></form></details>'
    ).format(
        icon("plus"),
        visit.say("rules.budget.add"),
        seen.tag(seen.budgets(visit.app)),
        visit.say("rules.saved"),
        choice("scope", ("person", "department", "agent")),
        visit.say("rules.budget.field.name"),
        visit.say("rules.budget.name-hint"),
        known,
        choice("unit", ("tokens", "calls", "cost")),
        choice("period", ("day", "month")),
        visit.say("rules.budget.field.most"),
        visit.say("rules.budget.most-hint"),
        visit.say("rules.budget.save"),
    )


def _names(visit: Visit) -> list[tuple[str, str]]:
    people = visit.app.people.all()
    departments = sorted({one.department for one in people if one.department})
    named = [(pseudonym(visit.app.keys, one.id), one.name) for one in people[:500]]
    return [("*", visit.say("rules.budget.everyone")), *((d, d) for d in departments), *named]


def _heads(visit: Visit, names: tuple[str, ...]) -> Markup:
    return joined(
        Markup('<th scope="col">{}</th>').format(visit.say(f"rules.budget.column.{name}"))
        for name in names
    )


def _row(visit: Visit, cells: Iterable[tuple[str, Markup | str]]) -> Markup:
    return Markup("<tr>{}</tr>").format(
        joined(
            Markup('<td data-label="{}">{}</td>').format(
                visit.say(f"rules.budget.column.{name}"), cell
            )
            for name, cell in cells
        )
    )
