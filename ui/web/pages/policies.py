"""Policies: the rules in plain words, drafts, versions, exceptions. Drafts: `policies_draft`."""

import datetime as dt
from urllib.parse import quote

from guardrails.actor import pseudonym
from guardrails.audit.usage import Used
from guardrails.policy.lifecycle import Version
from guardrails.policy.versions import State
from ui.access import may
from ui.messages import catalogue
from ui.rulebook import SUBJECTS, RuleView, officers, rulebook
from ui.web.components.chips import tile
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.pages import policies_draft, policies_exceptions
from ui.web.pages.policies_words import shown, slot_label, state_chip
from ui.web.plain import Visit, empty, head

ICONS = {
    "models": "brain", "data": "eye-off", "tools": "wrench", "files": "file-text",
    "publishing": "users", "budgets": "wallet", "own": "building-2",
}  # fmt: skip
WAITING: tuple[State, ...] = ("proposed", "approved", "returned", "draft")


def body(visit: Visit) -> Markup:
    """What the query asks for: `draft`, `version`, `view=history|exceptions`, else the rules."""
    visit.sheet("policies")
    number = visit.query.get("draft") or visit.query.get("version") or ""
    if number.isdecimal():
        return policies_draft.body(visit, visit.app.rules.get(int(number)))
    view = visit.query.get("view", "rules")
    shown = {"history": _history, "exceptions": policies_exceptions.body}.get(view, _rules)
    lead = head(visit, "policies", visit.say("rules.lead"), _begin(visit))
    return lead + _tabs(visit, view) + shown(visit)


def _tabs(visit: Visit, current: str) -> Markup:
    tabs = joined(
        Markup('<li><a href="{}"{}>{}</a></li>').format(
            address(visit.language, "policies", f"view={view}" if view != "rules" else ""),
            Markup(' aria-current="page"') if view == current else "",
            visit.say(f"rules.view.{view}"),
        )
        for view in ("rules", "history", "exceptions")
    )
    return Markup('<nav aria-label="{}"><ul class="atl-subtabs">{}</ul></nav>').format(
        visit.say("rules.views"), tabs
    )


def _begin(visit: Visit) -> Markup:
    if not may(visit.person, "policies.edit"):
        return Markup("")
    return Markup(
        '<button type="button" class="atl-button" data-kind="primary"'
        ' data-api="POST /api/v1/policies/drafts" data-fields="{{}}"'
        ' data-then="go:{}?draft={{number}}">{}{}</button>'
    ).format(address(visit.language, "policies"), icon("pencil"), visit.say("rules.begin"))


# ── the rules ────────────────────────────────────────────────────────────────────────────


def _rules(visit: Visit) -> Markup:
    problem = visit.app.rules.problem()
    active = visit.app.rules.active()
    views = rulebook(visit.app, active.text if active else "", visit.language)
    parts = [_problem(visit, problem)] if problem else []
    if active is not None:
        parts.append(_in_force(visit, active))
    parts += [_waiting(visit, [v for v in visit.app.rules.all() if v.state in WAITING])]
    for name in SUBJECTS:
        group = [view for view in views if view.subject == name]
        if group:
            parts.append(_group(visit, name, group))
    return joined(parts)


def _problem(visit: Visit, code: str) -> Markup:
    known = f"error.{code}" in catalogue(visit.language)
    words = visit.say(f"error.{code}" if known else "rules.unreadable", rule="", why="")
    return Markup(
        '<div class="atl-ribbon" data-kind="error" role="alert">{}<p>{}</p></div>'
    ).format(icon("triangle-alert"), words)


def _in_force(visit: Visit, active: Version) -> Markup:
    names = officers(visit.app, visit.language)
    since = dt.datetime.fromtimestamp(active.activated or active.created, dt.UTC)
    by = (
        visit.say("rules.in-force-product")
        if active.source == "product"
        else visit.say(
            "rules.in-force-by",
            author=names.get(active.author, active.author),
            approver=names.get(active.approved_by, active.approved_by),
        )
    )
    return Markup(
        '<div class="atl-ribbon" data-kind="ok">{}<p><b>{}</b> {} '
        '<span class="atl-small atl-rule-print" title="{}">{}</span></p></div>'
    ).format(
        icon("shield-check"),
        visit.say("rules.in-force", number=active.number, when=visit.at(since)),
        by,
        active.hash,
        visit.say("rules.fingerprint", hash=active.hash[:12]),
    )


def _waiting(visit: Visit, found: list[Version]) -> Markup:
    shipped = [v for v in found if v.source == "product"]
    found = [v for v in found if v.source != "product"] + shipped[:1]
    if not found:
        return Markup("")
    names = officers(visit.app, visit.language)
    me = pseudonym(visit.app.keys, visit.person.id)
    rows = joined(_waiting_row(visit, version, names, me) for version in found)
    return Markup(
        '<section class="atl-stack" aria-labelledby="rules-waiting"><h2 class="atl-h2"'
        ' id="rules-waiting">{}</h2><ul class="atl-stack">{}</ul></section>'
    ).format(visit.say("rules.open"), rows)


def _waiting_row(visit: Visit, version: Version, names: dict[str, str], me: str) -> Markup:
    hint = ""
    if version.state == "proposed":
        mine = me in version.editors
        hint = visit.say("rules.waits-other" if mine else "rules.waits-you")
    touched = dt.datetime.fromtimestamp(version.edited or version.created, dt.UTC)
    return Markup(
        '<li class="atl-card atl-rule-open"><div><a class="atl-h3" href="{}">{}</a>'
        '<p class="atl-small">{} · {}</p>{}</div>{}</li>'
    ).format(
        address(visit.language, "policies", f"draft={version.number}"),
        version.note or visit.say("rules.version", number=version.number),
        visit.say("rules.version", number=version.number),
        visit.say(
            "rules.touched",
            who=names.get(version.editors[-1], version.author),
            when=visit.ago(touched),
        ),
        Markup("<p>{}</p>").format(hint) if hint else "",
        state_chip(visit, version.state),
    )


def _group(visit: Visit, name: str, group: list[RuleView]) -> Markup:
    return Markup(
        '<section class="atl-stack" aria-labelledby="rules-{0}"><div class="atl-rule-head">{1}'
        '<div><h2 class="atl-h2" id="rules-{0}">{2}</h2><p class="atl-small">{3}</p></div></div>'
        '<div class="atl-rules">{4}</div></section>'
    ).format(
        name,
        tile(ICONS[name]),
        visit.say(f"rules.subject.{name}"),
        visit.say(f"rules.subject.{name}.more"),
        joined(_rule(visit, view) for view in group),
    )


def _rule(visit: Visit, view: RuleView) -> Markup:
    marks = [Markup('<span class="atl-chip" data-tone="{}">{}{}</span>').format(
        "good" if view.on else "", icon("check" if view.on else "x"),
        visit.say("rules.on" if view.on else "rules.off"),
    )]  # fmt: skip
    if view.source != "product":
        marks.append(
            Markup('<span class="atl-chip" data-verdict="flagged">{}</span>').format(
                visit.say(f"rules.source.{view.source}")
            )
        )
    return Markup(
        '<details class="atl-rule" id="rule-{}"{}><summary><code>{}</code><span>{}</span>'
        '<span class="atl-rule-marks">{}</span></summary><div class="atl-rule-more">{}</div>'
        "</details>"
    ).format(
        view.id,
        "" if view.on else Markup(" data-off"),
        view.id,
        view.sentence,
        joined(marks),
        _more(visit, view),
    )


def _more(visit: Visit, view: RuleView) -> Markup:
    facts: list[tuple[str, Markup | str]] = []
    if view.why:
        facts.append((visit.say("rules.why"), view.why))
    facts.append((visit.say("rules.instead"), view.instead))
    for slot, value in view.slots:
        facts.append((slot_label(visit, slot), shown(visit, slot, value)))
    facts.append((visit.say("rules.used"), _used(visit, view.id, view.used)))
    if view.liftable:
        facts.append((visit.say("rules.exception"), visit.say("rules.liftable")))
    if view.subject == "budgets":
        link = Markup('<a href="{}">{}</a>').format(
            address(visit.language, "models"), visit.say("rules.to-budgets")
        )
        facts.append((visit.say("rules.where"), link))
    rows = joined(Markup("<dt>{}</dt><dd>{}</dd>").format(*fact) for fact in facts)
    text = (
        Markup('<details class="atl-rule-text"><summary>{}</summary><pre class="atl-said">{}</pre>'
               "</details>").format(visit.say("rules.text"), view.text)
        if view.text
        else ""
    )  # fmt: skip
    return Markup('<dl class="atl-rule-facts">{}</dl>{}').format(rows, text)


def _used(visit: Visit, rule: str, use: Used | None) -> Markup | str:
    if use is None:
        return visit.say("rules.used-never")
    words = visit.say(
        "rules.used-turns", n=use.turns, people=visit.say("count.people", n=use.people)
    )
    if not may(visit.person, "traces.view"):
        return words
    link = address(visit.language, "audit", f"rule={quote(rule)}")
    return Markup('<a href="{}">{}</a>').format(link, words)


# ── every version ────────────────────────────────────────────────────────────────────────


def _history(visit: Visit) -> Markup:
    names = officers(visit.app, visit.language)
    found = visit.app.rules.all()
    if len(found) == 1:
        note = empty("history", visit.say("rules.only-one"), visit.say("rules.only-one-more"))
    else:
        note = Markup("")
    heads = ("number", "state", "note", "author", "approver", "when", "act")
    cells = joined(
        Markup('<th scope="col">{}</th>').format(visit.say(f"rules.column.{each}"))
        for each in heads
    )
    rows = joined(_version_row(visit, version, names) for version in found)
    return note + Markup(
        '<table class="atl-datatable atl-short"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
    ).format(cells, rows)


def _version_row(visit: Visit, version: Version, names: dict[str, str]) -> Markup:
    when = version.activated or version.approved or version.edited or version.created
    link = address(visit.language, "policies", f"version={version.number}&as=changes")
    cells = (
        ("number", Markup('<a href="{}">{}</a>').format(link, version.number)),
        ("state", state_chip(visit, version.state)),
        ("note", version.note or visit.say(f"rules.note-{version.source}")),
        ("author", names.get(version.author, version.author)),
        ("approver", names.get(version.approved_by, version.approved_by) or "–"),
        ("when", visit.at(dt.datetime.fromtimestamp(when, dt.UTC))),
        ("act", _roll_back(visit, version)),
    )
    return Markup("<tr>{}</tr>").format(
        joined(
            Markup('<td data-label="{}">{}</td>').format(visit.say(f"rules.column.{name}"), cell)
            for name, cell in cells
        )
    )


def _roll_back(visit: Visit, version: Version) -> Markup | str:
    if version.state not in ("approved", "retired") or not may(visit.person, "policies.approve"):
        return "–" if version.state != "active" else visit.say("rules.now")
    key = "rules.activate" if version.state == "approved" else "rules.roll-back"
    return Markup(
        '<button type="button" class="atl-button" data-size="small" data-fields="{{}}"'
        ' data-api="POST /api/v1/policies/versions/{}/activate" data-sure="{}" data-ok="{}">{}{}'
        "</button>"
    ).format(
        version.number,
        visit.say("rules.activate-sure", number=version.number),
        visit.say("rules.activated", number=version.number),
        icon("refresh-cw"),
        visit.say(key),
    )
