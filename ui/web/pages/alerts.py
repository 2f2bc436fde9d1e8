"""Alerts: what fired and who has seen it, which rules are on, and a test that really sends."""

from collections.abc import Mapping
from datetime import UTC, datetime

from guardrails.audit.alert_rules import AlertRule
from guardrails.audit.senders import Alert
from ui import seen
from ui.alert_words import alert_text
from ui.messages import catalogue
from ui.rulebook import officers
from ui.web.components.names import officer
from ui.web.frame import query
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.pages import confirming
from ui.web.plain import Visit, empty, head

PAGE = 30
WAYS = ("log", "webhook", "mail")
LEVELS = {"critical": "ban", "warning": "triangle-alert", "info": "info"}


def body(visit: Visit) -> Markup:
    """The page for one security officer."""
    visit.sheet("record")
    return joined(
        [_head(visit), confirming.section(visit), _list(visit), _rules(visit), _ways(visit)]
    )


def _head(visit: Visit) -> Markup:
    unseen = sum(visit.app.record.alerts.unseen().values())
    button = (
        Markup(
            '<button type="button" class="atl-button" data-size="small"'
            ' data-api="POST /api/v1/alerts/seen" data-ok="{}">{}{}</button>'
        ).format(
            visit.say("record.alerts.all-done"),
            icon("check"),
            visit.say("record.alerts.all", n=unseen),
        )
        if unseen
        else ""
    )
    return head(visit, "alerts", visit.say("record.alerts.lead"), button)


def _list(visit: Visit) -> Markup:
    before = visit.query.get("before", "")
    only = visit.query.get("show") != "all"
    found = visit.app.record.alerts.latest(
        PAGE + 1, unseen=only, before=int(before) if before.isdecimal() else None
    )
    tabs = joined(
        Markup('<li><a href="{}"{}>{}</a></li>').format(
            address(visit.language, "alerts", query(show=name)),
            Markup(' aria-current="page"') if (name != "all") == only else "",
            visit.say(f"record.alerts.show.{name or 'unseen'}"),
        )
        for name in ("", "all")
    )
    items: Markup | str
    if found:
        names = officers(visit.app, visit.language)
        items = Markup('<ul class="atl-alertlist">{}</ul>').format(
            joined(_alert(visit, one, names) for one in found[:PAGE])
        )
    else:
        items = empty(
            "badge-check", visit.say("record.alerts.none"), visit.say("record.alerts.none-more")
        )
    more = (
        Markup('<a class="atl-button" data-size="small" href="{}">{}</a>').format(
            address(
                visit.language,
                "alerts",
                query(show="" if only else "all", before=str(found[PAGE - 1].id)),
            ),
            visit.say("web.audit.older"),
        )
        if len(found) > PAGE
        else ""
    )
    return Markup('<ul class="atl-subtabs">{}</ul>{}{}').format(tabs, items, more)


def _alert(visit: Visit, one: Alert, names: Mapping[str, str]) -> Markup:
    when = datetime.fromtimestamp(one.at, UTC)
    seen = (
        Markup('<span class="atl-small">{} {}</span>').format(
            visit.say("record.alerts.seen-by-whom"), officer(names, one.seen_by)
        )
        if one.seen_by
        else Markup(
            '<button type="button" class="atl-button" data-size="small"'
            ' data-api="POST /api/v1/alerts/{}/seen">{}</button>'
        ).format(one.id, visit.say("record.alerts.seen"))
    )
    link = _link(visit, one)
    return Markup(
        '<li data-level="{}"{}><div>{}<br><time class="atl-small" datetime="{}">{}</time></div>'
        "<div><b>{}</b>{}{}</div>{}</li>"
    ).format(
        one.level,
        Markup(" data-seen") if one.seen_by else "",
        _level(visit, one.level),
        when.isoformat(),
        visit.at(when, "d MMM HH:mm"),
        name(visit, one.rule),
        alert_text(visit.language, one),
        link,
        seen,
    )


def name(visit: Visit, rule: str) -> str:
    """A rule's short name."""
    key = f"alert-name.{rule}"
    return visit.say(key) if key in catalogue(visit.language) else rule


def _link(visit: Visit, one: Alert) -> Markup:
    """To the turns that an alert is about."""
    asked = {
        "denial-burst": {"pseudonym": one.about, "verdict": "blocked"},
        "new-external-model": {"model": one.about},
        "guard-error": {"rule": one.about},
    }.get(one.rule)
    if not asked or not one.about:
        return Markup("")
    return Markup(' <a class="atl-more" href="{}">{}</a>').format(
        address(visit.language, "audit", query(days="all", **asked)),
        visit.say("record.alerts.look"),
    )


def _level(visit: Visit, level: str) -> Markup:
    return Markup('<span class="atl-level" data-level="{}">{}{}</span>').format(
        level, icon(LEVELS.get(level, "info")), visit.say(f"level.{level}").capitalize()
    )


def _rules(visit: Visit) -> Markup:
    rows = joined(_rule(visit, rule) for rule in visit.app.record.alerts.rules.all().values())
    return Markup(
        '<section class="atl-card"><h2 class="atl-h2">{}</h2><p class="atl-small">{}</p>'
        '<ul class="atl-rules">{}</ul></section>'
    ).format(visit.say("record.rules"), visit.say("record.rules.more"), rows)


def _rule(visit: Visit, rule: AlertRule) -> Markup:
    say, named = visit.say, name(visit, rule.id)
    threshold = (
        Markup(
            '<label class="atl-field atl-threshold"><span class="atl-visually-hidden">{}</span>'
            '<input type="number" name="threshold" data-type="number" value="{}" min="{}" max="{}"'
            ' step="1" required><small aria-hidden="true">{}</small></label>'
        ).format(
            say("record.rules.threshold", rule=named),
            f"{rule.threshold:g}",
            f"{rule.least:g}",
            f"{rule.most:g}",
            say(f"record.rules.unit.{rule.id}"),
        )
        if rule.threshold is not None
        else ""
    )
    state = (
        Markup('<span class="atl-chip">{}{}</span>').format(
            icon("lock"), say("record.rules.locked")
        )
        if rule.locked
        else Markup(
            '<label class="atl-switch"><span class="atl-visually-hidden">{}</span><input'
            ' type="checkbox" role="switch" name="active" data-type="boolean" value="true"{}>'
            "</label>"
        ).format(say("record.rules.switch", rule=named), Markup(" checked") if rule.active else "")
    )
    return Markup(
        '<li id="atl-rule-{}"><div>{} <b>{}</b><p class="atl-small">{}</p></div>'
        '<form data-api="PUT /api/v1/alerts/rules/{}" data-match="{}" data-ok="{}" data-keep'
        " data-autosave>{}{}"
        '<p role="alert" class="atl-formerror"></p></form></li>'
    ).format(
        rule.id,
        _level(visit, rule.level),
        named,
        say(f"record.rule-what.{rule.id}"),
        rule.id,
        seen.tag(seen.rule(rule)),
        say("record.rules.saved"),
        threshold,
        state,
    )


def _ways(visit: Visit) -> Markup:
    on = visit.app.record.alerts.ways
    ways = joined(
        Markup('<li><span class="atl-chip" data-verdict="{}">{}{}</span> <b>{}</b> {}</li>').format(
            "allowed" if way in on else "",
            icon("check" if way in on else "x"),
            visit.say("record.way.on" if way in on else "record.way.off"),
            visit.say(f"record.way.{way}"),
            ""
            if way in on
            else Markup("<small>{}</small>").format(visit.say(f"record.way.{way}.set")),
        )
        for way in WAYS
    )
    return Markup(
        '<section class="atl-card atl-stack"><h2 class="atl-h2">{}</h2><ul class="atl-ways">{}'
        '</ul><p class="atl-small">{}</p><div class="atl-actions">'
        '<button type="button" class="atl-button" data-kind="primary"'
        ' data-api="POST /api/v1/alerts/test" data-ok="{}">{}{}</button></div></section>'
    ).format(
        visit.say("record.ways"),
        ways,
        visit.say("record.ways.more"),
        visit.say("record.ways.tested"),
        icon("send-horizontal"),
        visit.say("record.ways.test"),
    )
