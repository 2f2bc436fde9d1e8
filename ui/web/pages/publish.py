"""Publish & review: what waits for a decision, one request with its evidence, asking for one."""

from agents.agent_records import AgentRecord
from agents.publishing_records import PublishRequest
from guardrails.errors import BadInput
from ui.access import may
from ui.routes.packages import origin
from ui.routes.publishing import name_of
from ui.web.components import fields
from ui.web.components.changes import field_name
from ui.web.components.chips import tile
from ui.web.components.names import agent_titles
from ui.web.components.reviewing import audience, brief, state
from ui.web.frame import query
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.nav import address
from ui.web.pages.request import detail
from ui.web.plain import Visit, empty, head

TABS = ("review", "mine", "done")


def body(visit: Visit) -> Markup:
    """The queue, one request, or the form to ask; by what the address says."""
    visit.sheet("publish")
    if wanted := visit.query.get("request"):
        return detail(visit, wanted)
    if agent := visit.query.get("agent"):
        return _ask(visit, agent)
    reviews = may(visit.person, "review.decide")
    tab = visit.query.get("tab", "")
    tab = tab if tab in TABS else ("review" if reviews else "mine")
    desk = visit.app.desk.publishing
    counts = {
        "review": sum(each.owner != visit.person.id for each in desk.queue()),
        "mine": len(desk.of(owner=visit.person.id)),
    }
    names = TABS if reviews else ("mine",)
    tabs = joined(
        Markup('<li><a href="{}"{}>{} {}</a></li>').format(
            address(visit.language, "publish", query(tab=name)),
            attributes(aria_current="page" if name == tab else None),
            visit.say(f"publish.tab.{name}"),
            Markup('<span class="atl-count">{}</span>').format(counts[name])
            if name in counts
            else "",
        )
        for name in names
    )
    inside = {"review": _queue, "mine": _mine, "done": _done}[tab if reviews else "mine"](visit)
    bar = Markup('<ul class="atl-subtabs">{}</ul>').format(tabs) if reviews else Markup("")
    return head(visit, "publish", visit.say("publish.lead")) + bar + inside


def _queue(visit: Visit) -> Markup:
    desk = visit.app.desk.publishing
    desk.reopen()
    queue = desk.queue()
    drifted = [
        (live, found)
        for live in desk.published()
        if live.state == "live"
        and live.agent not in {each.agent for each in queue}
        and (found := desk.drift(live.agent, visit.app.models.info().label))
        and {"documents", "operator-model"} & set(found)
    ]
    rows = _rows(visit, queue)
    again = joined(
        Markup(
            '<div class="atl-ribbon" data-kind="limit">{}<p><b>{}</b> {} <a href="{}">{}</a></p>'
            "</div>"
        ).format(
            icon("refresh-cw"),
            desk.release(live.agent, live.version).spec.title.to(visit.language),
            visit.say(
                "publish.drift",
                what=", ".join(visit.say(f"publish.field.{one}") for one in found),
            ),
            address(visit.language, "published", query(agent=live.agent)),
            visit.say("publish.look"),
        )
        for live, found in drifted
    )
    if not rows and not again:
        return empty("badge-check", visit.say("publish.none"), visit.say("publish.none-more"))
    return again + rows


def _mine(visit: Visit) -> Markup:
    desk = visit.app.desk.publishing
    rows = _rows(visit, desk.of(owner=visit.person.id))
    open_ = {each.agent for each in desk.of(owner=visit.person.id) if each.state == "waiting"}
    drafts = [each for each in visit.app.catalog.mine(visit.person.id) if each.id not in open_]
    if not rows and not drafts:  # nothing of one's own, but perhaps somebody else's package
        action = Markup('<a class="atl-button" data-kind="primary" href="{}">{}</a>').format(
            address(visit.language, "build"), visit.say("publish.build")
        )
        return empty(
            "wand-sparkles",
            visit.say("publish.no-drafts"),
            visit.say("publish.no-drafts-more"),
            action,
        ) + _package(visit)
    offered = (
        Markup(
            '<section class="atl-panel"><h2>{}</h2><p class="atl-hint">{}</p>{}</section>'
        ).format(
            visit.say("publish.ask"),
            visit.say("publish.ask-more"),
            Markup('<ul class="atl-versions">{}</ul>').format(
                joined(_draft(visit, each) for each in drafts[:30])
            ),
        )
        if drafts
        else Markup("")
    )
    return rows + offered + _package(visit)


def _done(visit: Visit) -> Markup:
    rows = _rows(visit, visit.app.desk.publishing.decided())
    return rows or empty("history", visit.say("publish.none-done"), visit.say("publish.done-more"))


def _draft(visit: Visit, record: AgentRecord) -> Markup:
    title = record.spec.title.to(visit.language) or visit.say("web.untitled")
    return Markup(
        "<li>{}<div><b>{}</b><p>{}</p><small>{}</small></div>"
        '<a class="atl-button" data-size="small" href="{}" aria-label="{}">{}</a></li>'
    ).format(
        tile(record.spec.icon),
        title,
        record.spec.purpose.to(visit.language),
        _origin(visit, record) or (visit.ago(record.updated) if record.updated else ""),
        address(visit.language, "publish", query(agent=record.id)),
        visit.say("publish.ask-name", name=title),
        visit.say("publish.ask-for"),
    )


def _origin(visit: Visit, record: AgentRecord) -> str:
    """Where an imported agent says it comes from, or which one it is a copy of."""
    if came := origin(visit.app, record.id):
        claims = ", ".join(f"{key}: {value}" for key, value in came.claims.items())
        if not claims:
            return visit.say("publish.imported-plain")
        return visit.say("publish.imported", digest=came.digest[:12], claims=claims)
    if record.base_version:
        name = agent_titles(visit).get(record.base, "")
        if name:
            return visit.say("publish.copy-of", name=name, version=record.base_version)
    return ""


def _package(visit: Visit) -> Markup:
    return Markup(
        '<section class="atl-panel" data-quiet><h2>{}</h2><p class="atl-hint">{}</p>'
        '<form class="atl-form" data-api="POST /api/v1/agents/import"'
        ' data-then="go:/{}/build?agent={{id}}">{}'
        '<p role="alert" class="atl-formerror" hidden></p>'
        '<div class="atl-actions"><button class="atl-button">{}{}</button></div></form></section>'
    ).format(
        visit.say("publish.import-title"),
        visit.say("publish.import-more"),
        visit.language,
        fields.file(
            visit,
            visit.say("publish.import-file"),
            "file",
            accept=".zip,application/zip",
            required=True,
        ),
        icon("upload"),
        visit.say("publish.import"),
    )


def _rows(visit: Visit, requests: list[PublishRequest]) -> Markup:
    if not requests:
        return Markup("")
    rows = joined(
        Markup(
            '<li><article class="atl-card atl-review">{}<div><h2 class="atl-h3"><a href="{}">{}</a>'
            '</h2><div class="atl-meta"><span>{}</span><span>{}</span><span>{}</span></div>'
            "{}</div>{}</article></li>"
        ).format(
            tile(each.spec.icon),
            address(visit.language, "publish", query(request=each.id)),
            each.spec.title.to(visit.language) or visit.say("web.untitled"),
            visit.say("publish.version", version=each.version),
            visit.say("publish.by", name=name_of(visit.app, each.owner)),
            visit.ago(each.asked),
            Markup("<p>{}</p>").format(each.notes[:160]) if each.notes else "",
            Markup('<div class="atl-meta atl-ends">{}{}</div>').format(
                brief(visit, each), state(visit, each)
            ),
        )
        for each in requests
    )
    return Markup('<ul class="atl-queue">{}</ul>').format(rows)


def _ask(visit: Visit, agent: str) -> Markup:
    record = visit.app.catalog.get(agent, visit.person.id)
    if record.status != "draft":
        raise BadInput("not-your-draft", id=agent[:64])
    desk = visit.app.desk.publishing
    live = desk.current(agent)
    missing = record.spec.missing()
    title = record.spec.title.to(visit.language) or visit.say("web.untitled")
    lacking = (
        Markup(
            '<div class="atl-ribbon" data-kind="limit">{}<p>{} <a href="{}">{}</a></p></div>'
        ).format(
            icon("triangle-alert"),
            visit.say("publish.missing", keys=", ".join(field_name(visit, key) for key in missing)),
            address(visit.language, "build", query(agent=agent)),
            visit.say("publish.to-build"),
        )
        if missing
        else ""
    )
    bumps = joined(
        Markup(
            '<label class="atl-check"><input type="radio" name="bump" value="{}"{}><span>{}'
            "<small>{}</small></span></label>"
        ).format(
            name,
            attributes(checked=name == "minor"),
            visit.say(f"publish.bump.{name}"),
            visit.say(f"publish.bump.{name}-more"),
        )
        for name in ("patch", "minor", "major")
    )
    return Markup(
        '<a class="atl-crumb" href="{back}">{arrow}{backward}</a>'
        '<header class="atl-title">{tile}<div><h1 class="atl-h1">{heading}</h1>'
        '<div class="atl-meta">{now}</div></div></header>{lacking}'
        '<div class="atl-split"><form class="atl-form atl-panel" data-keep'
        ' data-api="POST /api/v1/agents/{agent}/requests"'
        ' data-then="go:/{language}/publish?request={{id}}">'
        '<label class="atl-field">{who}<select name="audience">{audiences}</select>'
        "<small>{who_more}</small></label>"
        '<fieldset class="atl-form atl-plainset"{bump_hidden}><legend class="atl-field">{bump}'
        "</legend>{bumps}</fieldset>"
        '<label class="atl-field">{notes}<textarea name="notes" maxlength="4000" rows="4"'
        ' placeholder="{notes_hint}"></textarea></label>'
        '<label class="atl-check"><input type="checkbox" name="tests" data-type="boolean" checked>'
        "<span>{tests}<small>{tests_more}</small></span></label>"
        '<p role="alert" class="atl-formerror" hidden></p>'
        '<div class="atl-actions"><button class="atl-button" data-kind="primary">{send}{ask}'
        "</button></div></form>"
        '<aside><section class="atl-panel" data-quiet><h2>{next}</h2>{steps}</section></aside>'
        "</div>"
    ).format(
        back=address(visit.language, "publish", query(tab="mine")),
        arrow=icon("arrow-left"),
        backward=visit.say("publish.back"),
        tile=tile(record.spec.icon),
        heading=visit.say("publish.ask-title", name=title),
        now=visit.say("publish.live-now", version=live.version)
        if live and live.state == "live"
        else visit.say("publish.never"),
        lacking=lacking,
        agent=agent,
        language=visit.language,
        who=visit.say("publish.who"),
        who_more=visit.say("publish.who-more"),
        audiences=_audiences(visit, live.audience if live else ""),
        bump=visit.say("publish.bump"),
        bump_hidden=attributes(hidden=live is None),
        bumps=bumps,
        notes=visit.say("publish.notes"),
        notes_hint=visit.say("publish.notes-hint"),
        tests=visit.say("publish.tests"),
        tests_more=visit.say("publish.tests-more", n=len(record.spec.cases))
        if record.spec.cases
        else visit.say("publish.tests-none"),
        send=icon("send-horizontal"),
        ask=visit.say("publish.ask-for"),
        next=visit.say("publish.next"),
        steps=Markup('<ol class="atl-checks">{}</ol>').format(
            joined(
                Markup("<li>{}<span>{}</span></li>").format(
                    icon(name), visit.say(f"publish.next.{n}")
                )
                for n, name in enumerate(("list-checks", "users", "badge-check", "history"), 1)
            )
        ),
    )


def _audiences(visit: Visit, current: str) -> Markup:
    choices = []
    if visit.person.department:
        choices.append(f"department:{visit.person.department}")
    choices += [f"group:{group.id}" for group in visit.app.groups.all()[:100]]
    choices.append("everyone")
    people = [
        f"person:{account.id}"
        for account in visit.app.people.all()[:300]
        if account.id != visit.person.id and not account.disabled
    ]
    if current and current not in (*choices, *people):
        choices.insert(0, current)

    def option(key: str) -> Markup:
        return Markup('<option value="{}"{}>{}</option>').format(
            key, attributes(selected=key == current), audience(visit, key)
        )

    several = joined(option(key) for key in choices)
    single = joined(option(key) for key in people)
    if not people:
        return several
    return several + Markup('<optgroup label="{}">{}</optgroup>').format(
        visit.say("publish.one-person"), single
    )
