"""Security roles that rest, above the alerts: who waits, why, and the button that confirms."""

from ui.confirming import waiting
from ui.web.components import fields
from ui.web.markup import Markup, icon, joined
from ui.web.plain import Visit


def section(visit: Visit) -> Markup:
    """Nothing when nobody waits."""
    found = waiting(visit.app)
    rows = [
        _row(
            visit,
            each.name,
            each.department,
            visit.say(f"duties.why.{each.rests}"),
            # whoever holds an open way in could still use it: the API refuses this, too
            Markup('<span class="atl-small">{}</span>').format(visit.say("duties.early"))
            if each.id in found.early
            else _button(visit, f"people/{each.id}", "duties.confirm-sure", each.name),
        )
        for each in found.people
    ] + [
        _row(
            visit,
            each.name,
            "",
            visit.say("duties.group", n=each.members),
            _button(visit, f"groups/{each.id}", "duties.confirm-group-sure", each.name),
        )
        for each in found.groups
    ]
    if not rows:
        return Markup("")
    return Markup(
        '<section class="atl-card atl-stack"><h2 class="atl-h2">{}</h2>'
        '<p class="atl-small">{}</p><ul class="atl-alertlist">{}</ul></section>'
    ).format(visit.say("duties.title"), visit.say("duties.more"), joined(rows))


def _row(visit: Visit, name: str, department: str, why: str, act: Markup) -> Markup:
    mark = Markup('<span class="atl-level" data-level="warning">{}{}</span>').format(
        icon("triangle-alert"), visit.say("web.role.security")
    )
    where = Markup(' <span class="atl-small">{}</span>').format(department) if department else ""
    return Markup(
        '<li data-level="warning"><div>{}</div><div><b>{}</b>{}<br>{}</div>{}</li>'
    ).format(mark, name, where, why, act)


def _button(visit: Visit, which: str, sure: str, name: str) -> Markup:
    return fields.button(
        visit.say("duties.confirm"),
        f"POST /api/v1/duties/{which}/confirm",
        sure=visit.say(sure, name=name),
        ok=visit.say("duties.confirmed"),
    )
