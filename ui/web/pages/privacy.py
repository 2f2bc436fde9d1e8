"""My privacy: what is kept about me, who looked at it, take it away, have it erased."""

import datetime as dt
from collections.abc import Iterable

from guardrails.audit.reveal import View
from ui import privacy
from ui.routes.own_services import listed
from ui.web.components import services
from ui.web.frame import query
from ui.web.markup import Markup, icon, joined
from ui.web.nav import BY_ID, address
from ui.web.plain import Visit, empty, head

SHOWN = 50
FIGURES = (
    ("conversations", "message-circle"),
    ("messages", "message-square-text"),
    ("masked_values", "eye-off"),
    ("drafts", "wand-sparkles"),
    ("traces", "scan-search"),
)


def body(visit: Visit) -> Markup:
    """The page for the person who opens it."""
    app, person = visit.app, visit.person
    who = app.record.pseudonym(person.id)
    kept = privacy.kept(app, person)
    return Markup("{}{}{}{}{}{}{}").format(
        head(visit, "privacy", visit.say("privacy.lead")),
        services.came_back(visit),
        _kept(visit, kept, who),
        _looks(visit, app.record.reveals.who_saw(who, SHOWN), app.record.reveals.unread(who)),
        services.section(visit, listed(app, person)),
        _rights(visit),
        _more(visit),
    )


def _kept(visit: Visit, kept: privacy.KeptOfMe, who: str) -> Markup:
    tiles = joined(
        Markup(
            '<li class="atl-card atl-kpi"><span class="atl-small">{}{}</span><b>{}</b></li>'
        ).format(
            icon(picture), visit.say(f"privacy.kept.{name}"), visit.number(getattr(kept, name))
        )
        for name, picture in FIGURES
    )
    since = visit.say("privacy.since", date=visit.at(kept.since, "d MMMM y")) if kept.since else ""
    return Markup(
        '<section class="atl-stack"><h2 class="atl-h2">{}</h2>'
        '<ul class="atl-kpis atl-kpis-5">{}</ul>'
        '<p class="atl-small">{} {} <code>{}</code></p></section>'
    ).format(visit.say("privacy.kept"), tiles, since, visit.say("privacy.pseudonym"), who)


def _looks(visit: Visit, looks: Iterable[View], unread: int) -> Markup:
    rows = joined(
        Markup(
            '<tr><td data-label="{}">{}{}</td><td data-label="{}">{}</td>'
            '<td data-label="{}">{}</td><td data-label="{}"><code>{}</code></td></tr>'
        ).format(
            visit.say("privacy.when"),
            _when(visit, each.at),
            Markup(' <span class="atl-chip" data-tone="good">{}</span>').format(
                visit.say("privacy.new")
            )
            if each.new
            else "",
            visit.say("privacy.what"),
            visit.say(f"privacy.look.{each.kind}"),
            visit.say("privacy.reason"),
            each.reason or "–",
            visit.say("privacy.by"),
            each.viewer,
        )
        for each in looks
    )
    title = Markup(
        '<div class="atl-headrow"><h2 class="atl-h2" id="atl-looks">{}</h2>{}</div>'
    ).format(
        visit.say("privacy.looks"),
        Markup(
            '<button class="atl-button" data-size="small" data-api="POST /api/v1/me/looked/read">'
            "{}</button>"
        ).format(visit.say("privacy.read"))
        if unread
        else "",
    )
    if not rows:
        inside = empty("eye", visit.say("privacy.nobody"), visit.say("privacy.nobody.more"))
    else:
        names = ("when", "what", "reason", "by")
        inside = Markup(
            '<table class="atl-datatable" aria-labelledby="atl-looks"><thead><tr>{}</tr></thead>'
            "<tbody>{}</tbody></table>"
        ).format(
            joined(
                Markup('<th scope="col">{}</th>').format(visit.say(f"privacy.{name}"))
                for name in names
            ),
            rows,
        )
    return Markup('<section class="atl-stack">{}<p class="atl-small">{}</p>{}</section>').format(
        title, visit.say("privacy.looks.more"), inside
    )


def _when(visit: Visit, at: float) -> str:
    return visit.at(dt.datetime.fromtimestamp(at, dt.UTC))


def _rights(visit: Visit) -> Markup:
    return Markup(
        '<section class="atl-grid"><div class="atl-card atl-stack"><h2 class="atl-h3">{}</h2>'
        '<p>{}</p><div class="atl-actions"><button class="atl-button" data-kind="primary"'
        ' data-download="POST /api/v1/me/export" data-ok="{}">{}{}</button></div></div>'
        '<form class="atl-card atl-stack" data-api="POST /api/v1/me/erase" data-sure="{}"'
        ' data-ok="{}"><h2 class="atl-h3">{}</h2><p>{}</p><label class="atl-check">'
        '<input type="checkbox" name="confirm" data-type="boolean"><span>{}</span></label>'
        '<div class="atl-actions"><button class="atl-button" data-kind="danger">{}{}</button></div>'
        "</form></section>"
    ).format(
        visit.say("privacy.export"),
        visit.say("privacy.export.more"),
        visit.say("privacy.export.done"),
        icon("download"),
        visit.say("privacy.export.do"),
        visit.say("privacy.erase.sure"),
        visit.say("privacy.erase.done"),
        visit.say("privacy.erase"),
        visit.say("privacy.erase.more"),
        visit.say("privacy.erase.confirm"),
        icon("trash-2"),
        visit.say("privacy.erase.do"),
    )


def _more(visit: Visit) -> Markup:
    links = joined(
        Markup('<li><a href="{}">{}</a></li>').format(
            address(visit.language, page, query()), visit.say(f"web.nav.{page}")
        )
        for page in ("conversations", "account")
        if page in BY_ID
    )
    return Markup(
        '<nav class="atl-small" aria-label="{}"><ul class="atl-actions">{}</ul></nav>'
    ).format(visit.say("privacy.more"), links)
