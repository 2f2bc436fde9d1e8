"""My published agents: who uses them, what they say, what it costs, which version is live."""

from agents.publishing_records import Live, Report
from guardrails.errors import BadInput
from ui.figures import figures
from ui.routes.publishing import name_of
from ui.web.components.chips import masked, tile
from ui.web.components.held import held
from ui.web.components.reviewing import ICONS, TONES, audience, chip
from ui.web.frame import query
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit, empty, head


def body(visit: Visit) -> Markup:
    """Every published agent of the person; a champion may look at everybody's."""
    visit.sheet("publish")
    desk = visit.app.desk.publishing
    champion = "champion" in visit.person.roles
    if wanted := visit.query.get("agent"):
        live = desk.current(wanted)
        if live is None or (live.owner != visit.person.id and not champion):
            raise BadInput("agent-not-found", id=wanted[:64])
        return _one(visit, live)
    everybody = champion and visit.query.get("of") == "all"
    found = desk.published("" if everybody else visit.person.id)
    lead = visit.say("publish.published-lead")
    tabs = Markup("")
    if champion:
        tabs = Markup('<ul class="atl-subtabs">{}</ul>').format(
            joined(
                Markup('<li><a href="{}"{}>{}</a></li>').format(
                    address(visit.language, "published", query(of="all") if all_ else ""),
                    attributes(aria_current="page" if all_ == everybody else None),
                    visit.say("publish.of-all" if all_ else "publish.of-me"),
                )
                for all_ in (False, True)
            )
        )
    if not found:
        action = Markup('<a class="atl-button" data-kind="primary" href="{}">{}</a>').format(
            address(visit.language, "publish", query(tab="mine")), visit.say("publish.to-publish")
        )
        nothing = empty(
            "badge-check",
            visit.say("publish.none-published"),
            visit.say("publish.none-published-more"),
            action,
        )
        return head(visit, "published", lead) + tabs + nothing
    cards = joined(_card(visit, live) for live in found)
    return (
        head(visit, "published", lead)
        + tabs
        + Markup('<ul class="atl-queue">{}</ul>').format(cards)
    )


def _card(visit: Visit, live: Live) -> Markup:
    spec = visit.app.desk.publishing.release(live.agent, live.version).spec
    return Markup(
        '<li><article class="atl-card atl-stack"><div class="atl-review">{}<div>'
        '<h2 class="atl-h3"><a class="atl-plainlink" href="{}">{}</a></h2><div class="atl-meta">'
        "<span>{}</span><span>{}</span>{}</div></div>{}</div>{}{}</article></li>"
    ).format(
        tile(spec.icon),
        address(visit.language, "published", query(agent=live.agent)),
        spec.title.to(visit.language),
        visit.say("publish.version", version=live.version),
        audience(visit, live.audience),
        Markup("<span>{}</span>").format(
            visit.say("publish.by", name=name_of(visit.app, live.owner))
        )
        if live.owner != visit.person.id
        else "",
        _state(visit, live),
        _kpis(visit, live),
        _drift(visit, live),
    )


def _state(visit: Visit, live: Live) -> Markup:
    return chip(visit.say(f"publish.state.{live.state}"), TONES[live.state], ICONS[live.state])


def _kpis(visit: Visit, live: Live) -> Markup:
    use = figures(visit.app, live)
    stars = visit.app.desk.opinions.rating(live.agent)
    open_ = sum(r.state == "open" for r in visit.app.desk.opinions.reports(live.agent))
    say = visit.say
    cells = [
        (visit.number(use.uses), say("publish.kpi.uses", n=use.uses)),
        (visit.number(use.people), say("publish.kpi.people", n=use.people)),
        (
            Markup("{}<small> / 5</small>").format(visit.number(round(stars.mean, 1)))
            if stars.n
            else "–",
            say("publish.kpi.stars", n=stars.n),
        ),
        (visit.number(open_), say("publish.kpi.reports", n=open_)),
        (visit.dollars(use.cost), say("publish.kpi.cost")),
        (
            Markup("{}<small> s</small>").format(visit.number(round(use.median_ms / 1000, 1)))
            if use.uses
            else "–",
            say("publish.kpi.median"),
        ),
    ]
    return Markup('<dl class="atl-kpis">{}</dl>').format(
        joined(Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(dt, dd) for dd, dt in cells)
    )


def _drift(visit: Visit, live: Live) -> Markup:
    desk = visit.app.desk.publishing
    if live.state == "withdrawn":
        return Markup(
            '<div class="atl-ribbon" data-kind="blocked">{}<p><b>{}</b> {}</p></div>'
        ).format(
            icon("ban"), visit.say("publish.withdrawn", when=visit.ago(live.since)), live.reason
        )
    found = desk.drift(live.agent, visit.app.models.info().label)
    if not found:
        return Markup("")
    open_ = [one for one in desk.of(agent=live.agent) if one.state in ("checking", "waiting")]
    if open_:
        target, word = query(request=open_[0].id), visit.say("publish.to-request")
    else:
        target, word = query(agent=live.agent), visit.say("publish.ask-for")
    link = (
        Markup('<a href="{}">{}</a>').format(address(visit.language, "publish", target), word)
        if live.owner == visit.person.id or open_
        else ""
    )
    return Markup('<div class="atl-ribbon" data-kind="limit">{}<p>{} {}</p></div>').format(
        icon("refresh-cw"),
        visit.say(
            "publish.drift", what=", ".join(visit.say(f"publish.field.{one}") for one in found)
        ),
        link,
    )


def _one(visit: Visit, live: Live) -> Markup:
    desk = visit.app.desk.publishing
    spec = desk.release(live.agent, live.version).spec
    reports = visit.app.desk.opinions.reports(live.agent)
    return Markup(
        '<a class="atl-crumb" href="{}">{}{}</a><header class="atl-title">{}<div>'
        '<h1 class="atl-h1">{}</h1><div class="atl-meta">{}<span>{}</span><span>{}</span></div>'
        '</div></header>{}{}<div class="atl-split"><div class="atl-stack">{}</div>'
        "<aside>{}{}{}</aside></div>"
    ).format(
        address(visit.language, "published"),
        icon("arrow-left"),
        visit.say("publish.back-published"),
        tile(spec.icon),
        spec.title.to(visit.language),
        _state(visit, live),
        visit.say("publish.version", version=live.version),
        audience(visit, live.audience),
        _drift(visit, live),
        _kpis(visit, live),
        _reports(visit, live, reports),
        _versions(visit, live),
        held(visit, live),
        _withdraw(visit, live),
    )


def _reports(visit: Visit, live: Live, reports: list[Report]) -> Markup:
    if not reports:
        return Markup('<section class="atl-panel"><h2>{}</h2>{}</section>').format(
            visit.say("publish.reports"),
            empty("flag", visit.say("publish.no-reports"), visit.say("publish.no-reports-more")),
        )
    own = live.owner == visit.person.id
    return Markup(
        '<section class="atl-panel"><h2>{}</h2><ul class="atl-remarks">{}</ul></section>'
    ).format(
        visit.say("publish.reports"), joined(_report(visit, each, own) for each in reports[:50])
    )


def _report(visit: Visit, report: Report, own: bool) -> Markup:
    say = visit.say
    acts = Markup("")
    if report.state == "open":
        close = Markup(
            '<button class="atl-button" data-size="small" data-api="POST'
            ' /api/v1/reports/{}/close" data-ok="{}">{}</button>'
        ).format(report.id, say("publish.report-closed"), say("publish.report-close"))
        case = Markup(
            '<button class="atl-button" data-size="small" data-kind="primary" data-api="POST'
            ' /api/v1/reports/{}/case" data-ok="{}">{}{}</button>'
        ).format(
            report.id, say("publish.report-cased"), icon("list-checks"), say("publish.report-case")
        )
        acts = Markup('<div class="atl-actions">{}{}</div>').format(case if own else "", close)
    asked = (
        Markup('<p class="atl-said">{}</p>').format(masked(visit.language, report.input))
        if report.input
        else ""
    )
    return Markup(
        '<li class="atl-stack"><div class="atl-meta">{}{}<span>{}</span><span>{}</span></div>'
        "<p>{}</p>{}{}</li>"
    ).format(
        chip(say(f"publish.report.{report.kind}"), "wait", "flag"),
        chip(say(f"publish.report-state.{report.state}"), "good" if report.state != "open" else ""),
        visit.ago(report.at),
        say("publish.version", version=report.version),
        masked(visit.language, report.text) if report.text else say("publish.report-wordless"),
        asked,
        acts,
    )


def _versions(visit: Visit, live: Live) -> Markup:
    say = visit.say
    rows = []
    for each in visit.app.desk.publishing.releases(live.agent):
        current = each.version == live.version and live.state == "live"
        act = (
            chip(say("publish.state.live"), "good", "circle-check")
            if current
            else Markup(
                '<button class="atl-button" data-size="small" data-api="POST'
                ' /api/v1/agents/{}/rollback" data-fields="{}" data-sure="{}" data-ok="{}"'
                ' aria-label="{}">{}</button>'
            ).format(
                live.agent,
                f'{{"version": "{each.version}"}}',
                say("publish.rollback-sure", version=each.version),
                say("publish.rolled-back", version=each.version),
                say("publish.rollback-to", version=each.version),
                say("publish.rollback"),
            )
        )
        rows.append(
            Markup(
                '<li><b><a href="{}">{}</a></b><div><span class="atl-small">{} · {}</span>{}</div>'
                "{}</li>"
            ).format(
                address(visit.language, "publish", query(request=each.request)),
                each.version,
                visit.at(each.at, "d MMM y"),
                say("publish.approved-by", name=name_of(visit.app, each.approved_by)),
                Markup("<p>{}</p>").format(each.notes[:200]) if each.notes else "",
                act,
            )
        )
    return Markup(
        '<section class="atl-panel"><h2>{}</h2><ul class="atl-versions">{}</ul>'
        '<div class="atl-actions"><a class="atl-button" data-size="small" download'
        ' href="/api/v1/agents/{}/export">{}{}</a></div></section>'
    ).format(
        say("publish.versions"), joined(rows), live.agent, icon("package"), say("publish.export")
    )


def _withdraw(visit: Visit, live: Live) -> Markup:
    if live.state != "live":
        return Markup("")
    say = visit.say
    return Markup(
        '<section class="atl-panel"><h2>{}</h2><p class="atl-hint">{}</p><form class="atl-form"'
        ' data-api="POST /api/v1/agents/{}/withdraw" data-sure="{}" data-ok="{}">'
        '<label class="atl-field">{}<textarea name="reason" rows="2" required maxlength="4000">'
        '</textarea></label><p role="alert" class="atl-formerror" hidden></p>'
        '<button class="atl-button" data-kind="danger">{}{}</button></form></section>'
    ).format(
        say("publish.withdraw-title"),
        say("publish.withdraw-more"),
        live.agent,
        say("publish.withdraw-sure"),
        say("publish.withdraw-done"),
        say("publish.withdraw-why"),
        icon("ban"),
        say("publish.withdraw"),
    )
