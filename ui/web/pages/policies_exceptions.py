"""Exceptions: rules lifted for one person and a time, asked for by employees, decided here."""

import datetime as dt

from guardrails.actor import pseudonym
from guardrails.policy.catalogue import explain
from guardrails.policy.exceptions import PolicyException
from ui.access import may
from ui.web.components.names import agent_name, agent_titles, rule_mark
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit, empty

DAYS = (1, 7, 30, 90)


def body(visit: Visit) -> Markup:
    """Those that wait, those that hold, those that are over."""
    found = visit.app.exceptions.all()
    if not found:
        more = visit.say("rules.exceptions.none-more")
        return empty("hand-helping", visit.say("rules.exceptions.none"), more)
    now = dt.datetime.now(dt.UTC).timestamp()
    waiting = [one for one in found if one.state == "asked"]
    holding = [one for one in found if one.holds(now)]
    over = [one for one in found if one not in waiting and one not in holding]
    parts = []
    if waiting:
        cards = joined(_waiting(visit, one) for one in waiting)
        parts.append(
            _section(visit, "waiting", Markup("<ul class='atl-grid'>{}</ul>").format(cards))
        )
    for name, group in (("holding", holding), ("over", over)):
        if group:
            parts.append(_section(visit, name, _table(visit, group, name == "holding")))
    return joined(parts)


def _section(visit: Visit, name: str, inside: Markup) -> Markup:
    return Markup(
        '<section class="atl-stack" aria-labelledby="ex-{0}"><h2 class="atl-h2" id="ex-{0}">{1}'
        "</h2>{2}</section>"
    ).format(name, visit.say(f"rules.exceptions.{name}"), inside)


def _waiting(visit: Visit, one: PolicyException) -> Markup:
    words = explain(one.rule, visit.language, own=visit.app.policy.policies.words)
    return Markup(
        '<li><article class="atl-card atl-stack"><div><h3 class="atl-h3"><code>{}</code> {}</h3>'
        '<p class="atl-small">{}</p></div><blockquote class="atl-said">{}</blockquote>{}{}'
        "</article></li>"
    ).format(
        one.rule,
        words.sentence,
        _who(visit, one),
        one.reason,
        _trace(visit, one),
        _decide(visit, one),
    )


def _who(visit: Visit, one: PolicyException) -> str:
    agent = _agent(visit, one)
    asked = visit.ago(dt.datetime.fromtimestamp(one.asked, dt.UTC))
    return " · ".join((one.person, agent, asked))


def _agent(visit: Visit, one: PolicyException) -> str:
    if not one.agent:
        return visit.say("rules.exceptions.every-agent")
    return agent_name(visit, agent_titles(visit), one.agent)


def _trace(visit: Visit, one: PolicyException) -> Markup:
    if not one.trace_id or not may(visit.person, "traces.view"):
        return Markup("")
    return Markup('<a class="atl-more" href="{}">{}</a>').format(
        address(visit.language, "audit", f"open={one.trace_id}"),
        visit.say("rules.exceptions.trace"),
    )


def _decide(visit: Visit, one: PolicyException) -> Markup:
    if not may(visit.person, "policies.approve"):
        return Markup("")
    if one.person == pseudonym(visit.app.keys, visit.person.id):
        return Markup('<p class="atl-small">{}</p>').format(visit.say("rules.exceptions.own"))
    options = joined(
        Markup('<option value="{}"{}>{}</option>').format(
            days, Markup(" selected") if days == 7 else "", visit.say("rules.days", n=days)
        )
        for days in DAYS
    )
    note = Markup('<label class="atl-field">{}<input name="note" maxlength="500"></label>').format(
        visit.say("rules.exceptions.note")
    )
    grant = Markup(
        '<form class="atl-form" data-api="POST /api/v1/exceptions/{}/grant" data-ok="{}">'
        '<div class="atl-form-row"><label class="atl-field">{}<select name="days"'
        ' data-type="number">{}</select></label>{}</div><div class="atl-actions">'
        '<button class="atl-button" data-kind="primary" data-size="small">{}{}</button></div>'
        "</form>"
    ).format(
        one.id,
        visit.say("rules.exceptions.granted"),
        visit.say("rules.exceptions.for"),
        options,
        note,
        icon("check"),
        visit.say("rules.exceptions.grant"),
    )
    refuse = Markup(
        '<form class="atl-form" data-api="POST /api/v1/exceptions/{}/refuse" data-ok="{}">{}'
        '<div class="atl-actions"><button class="atl-button" data-size="small">{}{}</button></div>'
        "</form>"
    ).format(
        one.id,
        visit.say("rules.exceptions.refused"),
        note,
        icon("x"),
        visit.say("rules.exceptions.refuse"),
    )
    return grant + Markup(
        '<details class="atl-rule-text"><summary>{}</summary>{}</details>'
    ).format(visit.say("rules.exceptions.refuse"), refuse)


def _table(visit: Visit, group: list[PolicyException], holding: bool) -> Markup:
    names = ["rule", "person", "agent", "reason", "until" if holding else "state"]
    names += ["act"] if holding else []
    heads = joined(
        Markup('<th scope="col">{}</th>').format(visit.say(f"rules.column.{name}"))
        for name in names
    )
    rows = []
    for one in group:
        cells: dict[str, Markup | str] = {
            "rule": rule_mark(visit, one.rule),
            "person": one.person,
            "agent": _agent(visit, one),
            "reason": one.reason,
            "state": visit.say(f"rules.exceptions.state.{_state(one)}"),
            "until": visit.at(dt.datetime.fromtimestamp(one.expires or 0, dt.UTC)),
            "act": _end(visit, one),
        }
        rows.append(
            Markup("<tr>{}</tr>").format(
                joined(
                    Markup('<td data-label="{}">{}</td>').format(
                        visit.say(f"rules.column.{name}"), cells[name]
                    )
                    for name in names
                )
            )
        )
    return Markup(
        '<table class="atl-datatable"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
    ).format(heads, joined(rows))


def _state(one: PolicyException) -> str:
    return "over" if one.state == "granted" else one.state


def _end(visit: Visit, one: PolicyException) -> Markup | str:
    if not may(visit.person, "policies.approve"):
        return "–"
    return Markup(
        '<button type="button" class="atl-button" data-size="small" data-kind="danger"'
        ' data-api="POST /api/v1/exceptions/{}/end" data-sure="{}" data-ok="{}">{}</button>'
    ).format(
        one.id,
        visit.say("rules.exceptions.end-sure"),
        visit.say("rules.exceptions.ended"),
        visit.say("rules.exceptions.end"),
    )
