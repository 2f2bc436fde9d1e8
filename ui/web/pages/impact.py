"""Impact: what people say it saved, how many use it, what the guards did, what is used most."""

import datetime as dt
from collections.abc import Sequence

from ui.impact import FEWEST, MOST_MINUTES, Impact
from ui.web.components.plot import plot
from ui.web.components.spark import spark
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit, empty, head


def body(visit: Visit) -> Markup:
    """The page; figures are of the last ten weeks and name nobody."""
    found = visit.app.impacts.figures()
    top = head(visit, "impact", visit.say("impact.lead", n=MOST_MINUTES))
    if not found.turns and not found.reports:
        link = Markup('<a class="atl-button" data-kind="primary" href="{}">{}</a>').format(
            address(visit.language, "home"), visit.say("web.conversations.begin")
        )
        return top + empty(
            "chart-column", visit.say("impact.none"), visit.say("impact.none.more"), link
        )
    return Markup(
        '{}<ul class="atl-kpis">{}</ul><div class="atl-split">{}<aside>{}{}</aside></div>'
    ).format(
        top,
        joined(
            (
                _kpi(visit, "hours", found.hours),
                _kpi(visit, "people", found.people, total=False),
                _kpi(visit, "masked", found.masked),
                _kpi(visit, "blocked", found.blocked),
            )
        ),
        _hours(visit, found),
        _agents(visit, found),
        _quality(visit, found),
    )


def _kpi(visit: Visit, name: str, counts: Sequence[float], *, total: bool = True) -> Markup:
    shown = sum(counts) if total else max(counts, default=0)
    before, last = sum(counts[-4:-2]), sum(counts[-2:])
    change = (
        Markup('<span class="atl-chip">{}{}\u202f%</span>').format(
            "+" if last >= before else "−", visit.number(abs(round(100 * (last - before) / before)))
        )
        if before
        else ""
    )
    told = ", ".join(visit.number(round(count, 1)) for count in counts)
    words = visit.say(f"impact.{name}.trend", counts=told)
    return Markup(
        '<li class="atl-card atl-kpi"><span class="atl-small">{}</span><b>{} {}</b>{}</li>'
    ).format(
        visit.say(f"impact.{name}"),
        visit.number(round(shown, 1)),
        change,
        spark([round(10 * count) for count in counts], words),
    )


def _hours(visit: Visit, found: Impact) -> Markup:
    labels = [visit.at(dt.datetime.fromtimestamp(start, dt.UTC), "d MMM") for start in found.starts]
    lines = found.by_department or {visit.say("impact.everybody"): found.hours}
    return Markup(
        '<section class="atl-card atl-stack"><h2 class="atl-h3">{}</h2>{}'
        '<p class="atl-small">{}</p></section>'
    ).format(
        visit.say("impact.week"),
        plot(visit, labels, lines, unit=visit.say("impact.unit")),
        visit.say("impact.fewest", n=FEWEST),
    )


def _agents(visit: Visit, found: Impact) -> Markup:
    most = max((turns for _, turns, _ in found.agents), default=1)
    visible = visit.app.catalog.visible(visit.person.id)
    known = {record.id: record.spec.title.to(visit.language) for record in visible}
    rows = joined(
        Markup(
            '<li><div class="atl-headrow"><span>{}</span><b>{}</b></div>'
            '<div class="atl-bar" aria-hidden="true"><i style="width:{}%"></i></div></li>'
        ).format(
            known.get(agent, visit.say("impact.private")),
            visit.say("impact.turns", n=turns),
            round(100 * turns / most),
        )
        for agent, turns, _people in found.agents
    )
    return Markup(
        '<section class="atl-card atl-stack"><h2 class="atl-h3">{}</h2>'
        '<ul class="atl-stack">{}</ul></section>'
    ).format(visit.say("impact.agents"), rows)


def _quality(visit: Visit, found: Impact) -> Markup:
    total = sum(found.quality.values())
    rows = joined(
        Markup("<dt>{}</dt><dd>{}\u202f%</dd>").format(
            visit.say(f"impact.quality.{name}"), visit.number(round(100 * count / total))
        )
        for name, count in found.quality.items()
        if total
    )
    return Markup(
        '<section class="atl-card atl-stack"><h2 class="atl-h3">{}{}</h2>{}'
        '<p class="atl-small">{}</p></section>'
    ).format(
        icon("scale"),
        visit.say("impact.quality"),
        Markup('<dl class="atl-facts">{}</dl>').format(rows) if rows else "",
        visit.say("impact.quality.more", n=found.reports),
    )
