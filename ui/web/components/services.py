"""Services that a person signs in to: what is connected, and the two buttons."""

from collections.abc import Iterable
from urllib.parse import quote

from ui.routes.own_services import ServiceRow
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.plain import Visit

RIBBON = Markup('<div class="atl-ribbon" data-kind="{}" role="{}">{}<b>{}</b></div>')


def came_back(visit: Visit) -> Markup:
    """How the sign-in that somebody just comes back from ended; nothing without one."""
    how = visit.query.get("connect", "")
    if not how:
        return Markup("")
    if how == "done":
        return RIBBON.format("ok", "status", icon("circle-check"), visit.say("services.done"))
    code = "connect-lost" if how == "connect-lost" else "connect-refused"
    return RIBBON.format("error", "alert", icon("triangle-alert"), visit.say(f"error.{code}"))


def section(visit: Visit, services: Iterable[ServiceRow]) -> Markup:
    """The list for the page of one's own data; nothing where there is no service."""
    rows = joined(
        Markup(
            '<li class="atl-card atl-stack"><div class="atl-headrow"><h3 class="atl-h3">{}</h3>'
            '<span class="atl-chip"{}>{}</span></div><p class="atl-small">{}{}</p>'
            '<div class="atl-actions">{}</div></li>'
        ).format(
            one.title,
            attributes(data_tone="good" if one.connected else None),
            state(visit, one),
            one.address,
            f" · {visit.say('services.house')}" if one.for_house else "",
            button(visit, one, "privacy"),
        )
        for one in services
    )
    if not rows:
        return Markup("")
    return Markup(
        '<section class="atl-stack" id="services"><h2 class="atl-h2">{}</h2>'
        '<p class="atl-small">{}</p><ul class="atl-grid atl-plain">{}</ul></section>'
    ).format(visit.say("services.title"), visit.say("services.more"), rows)


def state(visit: Visit, one: ServiceRow) -> str:
    """Connected since when, or not."""
    if one.since is None:
        return visit.say("services.not")
    return visit.say("services.since", date=visit.at(one.since, "d MMMM y"))


def button(visit: Visit, one: ServiceRow, page: str) -> Markup:
    """Connect, or disconnect."""
    if one.connected:
        return Markup(
            '<button class="atl-button" data-size="small"'
            ' data-api="DELETE /api/v1/me/services/{}" data-sure="{}" data-ok="{}">{}</button>'
        ).format(
            one.id,
            visit.say("services.sure", name=one.title),
            visit.say("services.ended"),
            visit.say("services.disconnect"),
        )
    back = quote(f"/{visit.language}/{page}", safe="")
    return Markup(
        '<a class="atl-button" data-kind="primary" data-size="small"'
        ' href="/api/v1/me/services/{}/connect?next={}">{}{}</a>'
    ).format(one.id, back, icon("external-link"), visit.say("services.connect"))
