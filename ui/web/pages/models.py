"""Models and budgets: what is connected, where it runs, who may use it, what it costs.

Administrators edit, security looks. Keys are typed here and never shown.
"""

import datetime as dt
from collections.abc import Mapping

from guardrails.audit.usage import Used, used
from sandbox.broker.connections import Connection
from sandbox.broker.model_events import ModelInfo
from ui import seen
from ui.access import may
from ui.messages import catalogue
from ui.web.components.chips import tile
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.pages.models_budgets import budgets
from ui.web.plain import Visit, head

LOCATIONS = ("local", "eu", "us", "other", "")


def body(visit: Visit) -> Markup:
    """Models first, then budgets."""
    visit.sheet("policies")
    visit.script("budgets")
    edits = may(visit.person, "models.manage")
    use = used(visit.app.engine, "model")
    own = visit.app.models.own()
    preferred = visit.app.connections.find("")
    cards = [_own(visit, own, use, preferred is None, edits)]
    cards += [_card(visit, one, use, edits) for one in visit.app.connections.all()]
    parts = [
        head(visit, "models", visit.say("rules.models.lead")),
        Markup(
            '<section class="atl-stack" aria-labelledby="models-here"><h2 class="atl-h2"'
            ' id="models-here">{}</h2><ul class="atl-grid">{}</ul></section>'
        ).format(visit.say("rules.models.here"), joined(cards)),
    ]
    if edits:
        parts.append(_connect(visit))
    parts += [_who_may(visit), budgets(visit, edits)]
    return joined(parts)


def _own(
    visit: Visit, own: ModelInfo, use: Mapping[str, Used], default: bool, edits: bool
) -> Markup:
    hint = visit.say("rules.models.practice" if own.kind != "provider" else "rules.models.setting")
    acts = [_check(visit, "own")] if edits else []
    if edits and not default:
        acts.append(_make_default(visit, ""))
    facts = (
        ("place", _place(visit, own.location)),
        ("price", visit.say("rules.models.free") if own.kind != "provider" else "–"),
        ("used", _used(visit, use.get(own.label))),
        ("key", visit.say("rules.models.key-setting")),
    )
    words = catalogue(visit.language)
    state = f"models.state.{own.state}"
    return _frame(
        visit,
        own.label,
        own.name,
        [
            _chip(visit, "default") if default else None,
            Markup('<span class="atl-chip">{}</span>').format(
                visit.say(state) if state in words else own.state
            ),
        ],
        facts,
        hint,
        acts,
    )


def _card(visit: Visit, one: Connection, use: Mapping[str, Used], edits: bool) -> Markup:
    price = (
        visit.say(
            "rules.models.dollars",
            inside=visit.number(one.price[0]),
            out=visit.number(one.price[1]),
        )
        if one.price
        else visit.say("rules.models.price-unknown")
    )
    facts = (
        ("place", _place(visit, one.location)),
        ("address", one.base or visit.say("rules.models.provider-address")),
        ("price", price),
        ("used", _used(visit, use.get(one.label))),
        ("key", visit.say("rules.models.key-set" if one.has_key else "rules.models.key-none")),
    )
    marks = [_chip(visit, "default") if one.preferred else None]
    marks.append(_chip(visit, "on" if one.enabled else "off"))
    hint = ""
    if one.checked:
        when = visit.ago(dt.datetime.fromtimestamp(one.checked, dt.UTC))
        marks.append(_chip(visit, "answers" if not one.check else "fails"))
        hint = visit.say("rules.models.checked", when=when)
        if one.check and f"error.{one.check}" in catalogue(visit.language):
            hint += " " + visit.say(f"error.{one.check}")
    acts: list[Markup] = []
    if edits:
        acts.append(_check(visit, one.id))
        if one.enabled and not one.preferred:
            acts.append(_make_default(visit, one.id))
        acts.append(_change(visit, one))
    return _frame(visit, one.label, one.name, marks, facts, hint, acts)


def _frame(
    visit: Visit,
    label: str,
    name: str,
    marks: list[Markup | None],
    facts: tuple[tuple[str, str], ...],
    hint: str,
    acts: list[Markup],
) -> Markup:
    rows = joined(
        Markup("<dt>{}</dt><dd>{}</dd>").format(visit.say(f"rules.models.fact.{key}"), value)
        for key, value in facts
    )
    return Markup(
        '<li><article class="atl-card atl-stack"><div class="atl-rule-head">{}<div>'
        '<h3 class="atl-h3">{}</h3><p class="atl-small"><code>{}</code></p></div></div>'
        '<div class="atl-rule-marks">{}</div><dl class="atl-facts">{}</dl>{}'
        '<div class="atl-actions">{}</div></article></li>'
    ).format(
        tile("brain"),
        label,
        name,
        joined(mark for mark in marks if mark is not None),
        rows,
        Markup('<p class="atl-small">{}</p>').format(hint) if hint else "",
        joined(acts),
    )


def _chip(visit: Visit, name: str) -> Markup:
    look = {
        "default": ("flagged", "star"), "on": ("allowed", "check"), "off": ("", "x"),
        "answers": ("allowed", "circle-check"), "fails": ("blocked", "triangle-alert"),
    }[name]  # fmt: skip
    picture = "badge-check" if name == "default" else look[1]
    return Markup('<span class="atl-chip" data-verdict="{}">{}{}</span>').format(
        look[0], icon(picture), visit.say(f"rules.models.{name}")
    )


def _place(visit: Visit, location: str) -> str:
    return visit.say(f"rules.place.{location or 'unknown'}")


def _used(visit: Visit, use: Used | None) -> str:
    if use is None:
        return visit.say("rules.models.unused")
    return visit.say(
        "rules.models.turns", n=use.turns, people=visit.say("count.people", n=use.people)
    )


def _check(visit: Visit, identity: str) -> Markup:
    return Markup(
        '<button type="button" class="atl-button" data-size="small" data-fields="{{}}"'
        ' data-api="POST /api/v1/models/connections/{}/check" data-then="reload"'
        ' data-ok="{}">{}{}</button>'
    ).format(
        identity, visit.say("rules.models.tried"), icon("wifi"), visit.say("rules.models.test")
    )


def _make_default(visit: Visit, identity: str) -> Markup:
    return Markup(
        '<button type="button" class="atl-button" data-size="small" data-fields=\'{{"id":"{}"}}\''
        ' data-api="PUT /api/v1/models/default" data-ok="{}" data-sure="{}">{}</button>'
    ).format(
        identity,
        visit.say("rules.models.made-default"),
        visit.say("rules.models.default-sure"),
        visit.say("rules.models.make-default"),
    )


def _change(visit: Visit, one: Connection) -> Markup:
    price = one.price or ("", "")
    edit = Markup(
        '<form class="atl-form" data-api="PATCH /api/v1/models/connections/{}"'
        ' data-match="{}" data-ok="{}" data-keep>'
        "{}{}{}{}"
        '<label class="atl-check"><input type="checkbox" name="enabled" data-type="boolean"{}>'
        '<span>{}</span></label><div class="atl-actions"><button class="atl-button"'
        ' data-size="small">{}</button></div></form>'
    ).format(
        one.id,
        seen.tag(seen.connection(one)),
        visit.say("rules.saved"),
        _text(visit, "label", one.label),
        _text(visit, "base", one.base, visit.say("rules.models.base-drops-key")),
        _location(visit, one.location),
        _price_fields(visit, price[0], price[1]),
        Markup(" checked") if one.enabled else "",
        visit.say("rules.models.enabled"),
        visit.say("rules.models.save"),
    )
    key = Markup(
        '<form class="atl-form" data-api="PUT /api/v1/models/connections/{}/key" data-ok="{}">{}'
        '<div class="atl-actions"><button class="atl-button" data-size="small">{}</button>{}</div>'
        "</form>"
    ).format(
        one.id,
        visit.say("rules.models.key-saved"),
        _key(visit, required=True),
        visit.say("rules.models.key-replace"),
        _delete(visit, f"{one.id}/key", "key-delete") if one.has_key else "",
    )
    return Markup(
        '<details class="atl-rule-text" id="model-{}"><summary>{}</summary>'
        '<div class="atl-stack">{}{}{}</div></details>'
    ).format(one.id, visit.say("rules.models.change"), edit, key, _delete(visit, one.id, "remove"))


def _delete(visit: Visit, path: str, name: str) -> Markup:
    return Markup(
        '<button type="button" class="atl-button" data-size="small" data-kind="danger"'
        ' data-api="DELETE /api/v1/models/connections/{}" data-sure="{}" data-ok="{}">{}{}</button>'
    ).format(
        path,
        visit.say(f"rules.models.{name}-sure"),
        visit.say(f"rules.models.{name}-done"),
        icon("trash-2"),
        visit.say(f"rules.models.{name}"),
    )


def _connect(visit: Visit) -> Markup:
    return Markup(
        '<details class="atl-fold" id="model-new"><summary>{}{}</summary>'
        '<form class="atl-form" data-api="POST /api/v1/models/connections" data-ok="{}">'
        '<p class="atl-small">{}</p><div class="atl-form-row">{}{}</div>'
        '<div class="atl-form-row">{}{}</div>{}{}<div class="atl-actions">'
        '<button class="atl-button" data-kind="primary">{}</button></div></form></details>'
    ).format(
        icon("plus"),
        visit.say("rules.models.add"),
        visit.say("rules.models.added"),
        visit.say("rules.models.add-more"),
        _text(visit, "name", "", visit.say("rules.models.name-hint"), required=True),
        _text(visit, "label", ""),
        _text(visit, "base", "", visit.say("rules.models.base-hint")),
        _location(visit, ""),
        _price_fields(visit, "", ""),
        _key(visit),
        visit.say("rules.models.connect"),
    )


def _text(visit: Visit, name: str, value: str, hint: str = "", required: bool = False) -> Markup:
    return Markup(
        '<label class="atl-field">{}<input name="{}" value="{}" maxlength="500"{}>{}</label>'
    ).format(
        visit.say(f"rules.models.field.{name}"),
        name,
        value,
        Markup(" required") if required else "",
        Markup("<small>{}</small>").format(hint) if hint else "",
    )


def _location(visit: Visit, value: str) -> Markup:
    options = joined(
        Markup('<option value="{}"{}>{}</option>').format(
            each, Markup(" selected") if each == value else "", _place(visit, each)
        )
        for each in LOCATIONS
    )
    return Markup(
        '<label class="atl-field">{}<select name="location">{}</select><small>{}</small></label>'
    ).format(visit.say("rules.models.field.location"), options, visit.say("rules.models.where"))


def _price_fields(visit: Visit, inside: object, out: object) -> Markup:
    fields = joined(
        Markup(
            '<label class="atl-field">{}<input type="number" name="{}" data-type="number" min="0"'
            ' max="10000" step="any" value="{}"></label>'
        ).format(visit.say(f"rules.models.field.{name}"), name, value)
        for name, value in (("price_in", inside), ("price_out", out))
    )
    return Markup('<div class="atl-form-row">{}</div>').format(fields)


def _key(visit: Visit, required: bool = False) -> Markup:
    return Markup(
        '<label class="atl-field">{}<input type="password" name="key" autocomplete="off"'
        ' maxlength="4000"{}><small>{}</small></label>'
    ).format(
        visit.say("rules.models.field.key"),
        Markup(" required") if required else "",
        visit.say("rules.models.key-hint"),
    )


def _who_may(visit: Visit) -> Markup:
    link: Markup | str = ""
    if may(visit.person, "policies.view"):
        link = Markup('<a href="{}">{}</a>').format(
            address(visit.language, "policies"), visit.say("web.nav.policies")
        )
    return Markup('<div class="atl-ribbon">{}<p><b>{}</b> {} {}</p></div>').format(
        icon("scale"), visit.say("rules.models.who"), visit.say("rules.models.who-more"), link
    )
