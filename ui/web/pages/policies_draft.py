"""One version of the rules: forms, text, what it changes, its rehearsal, and its life."""

import datetime as dt
from typing import Literal

from guardrails.actor import pseudonym
from guardrails.policy.lifecycle import EDITABLE, Version
from ui.access import may
from ui.rulebook import officers
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.pages.policies_editor import editor
from ui.web.pages.policies_forms import forms
from ui.web.pages.policies_rehearsal import rehearsal, running
from ui.web.pages.policies_words import state_chip
from ui.web.plain import Visit

Part = Literal["forms", "text", "changes", "rehearsal"]
PARTS: tuple[Part, ...] = ("forms", "text", "changes", "rehearsal")
LOCKED: tuple[Part, ...] = ("changes", "rehearsal", "text")


def body(visit: Visit, version: Version) -> Markup:
    """A version, editable while it is a draft."""
    visit.script("policies")
    editable = version.state in EDITABLE and may(visit.person, "policies.edit")
    parts = PARTS if editable else LOCKED
    given = visit.query.get("as", "")
    part = next((one for one in parts if one == given), parts[0])
    drawn = {"forms": forms, "text": editor, "changes": _changes, "rehearsal": rehearsal}[part]
    page = Markup(
        '<div class="atl-split" id="rules-part"{}><div class="atl-stack">{}</div>'
        "<aside>{}</aside></div>"
    ).format(
        Markup(' data-poll="1"') if part == "rehearsal" and running(visit, version) else "",
        drawn(visit, version),
        _life(visit, version),
    )
    return _head(visit, version) + _tabs(visit, version, parts, part) + page


def _head(visit: Visit, version: Version) -> Markup:
    return Markup(
        '<header><a class="atl-more atl-rule-back" href="{}">{}{}</a><div class="atl-headrow">'
        '<h1 class="atl-h1">{}</h1>{}</div>{}</header>'
    ).format(
        address(visit.language, "policies"),
        icon("arrow-left"),
        visit.say("web.nav.policies"),
        visit.say("rules.version", number=version.number),
        state_chip(visit, version.state),
        Markup('<p class="atl-lead">{}</p>').format(version.note) if version.note else "",
    )


def _tabs(visit: Visit, version: Version, parts: tuple[Part, ...], current: Part) -> Markup:
    tabs = joined(
        Markup('<li><a href="{}"{}>{}</a></li>').format(
            address(visit.language, "policies", f"draft={version.number}&as={part}"),
            Markup(' aria-current="page"') if part == current else "",
            visit.say(f"rules.part.{part}"),
        )
        for part in parts
    )
    return Markup('<nav aria-label="{}"><ul class="atl-subtabs">{}</ul></nav>').format(
        visit.say("rules.parts"), tabs
    )


def _changes(visit: Visit, version: Version) -> Markup:
    lines = visit.app.rules.diff(version.number).splitlines()
    if not lines:
        return Markup('<p class="atl-card">{}</p>').format(visit.say("rules.no-changes"))
    kinds = {"+": "added", "-": "removed", "@": "place"}
    drawn = joined(
        Markup('<div data-line="{}">{}</div>').format(kinds.get(line[:1], ""), line or " ")
        for line in lines
        if not line.startswith(("---", "+++"))
    )
    return Markup('<p class="atl-small">{}</p><div class="atl-diff">{}</div>').format(
        visit.say("rules.against-active"), drawn
    )


# ── its life ─────────────────────────────────────────────────────────────────────────────


def _life(visit: Visit, version: Version) -> Markup:
    me = pseudonym(visit.app.keys, visit.person.id)
    parts = [_steps(visit, version)]
    if version.state == "returned" and version.review:
        parts.append(
            Markup('<div class="atl-ribbon" data-kind="limit">{}<p><b>{}</b> {}</p></div>').format(
                icon("arrow-left"), visit.say("rules.returned-because"), version.review
            )
        )
    if version.state in EDITABLE and may(visit.person, "policies.edit"):
        parts += [_note(visit, version), _rehearse(visit, version), _submit(visit, version)]
        if me in version.editors:
            parts.append(_button(visit, version, "withdraw", "x", "danger"))
    if version.state == "proposed":
        parts += [_rehearse(visit, version)] if may(visit.person, "policies.edit") else []
        parts += [_decide(visit, version, me)]
    if version.state in ("approved", "retired") and may(visit.person, "policies.approve"):
        parts.append(_activate(visit, version))
    return Markup(
        '<section class="atl-card atl-stack" id="rules-life" aria-label="{}">{}</section>'
    ).format(visit.say("rules.life"), joined(parts))


def _steps(visit: Visit, version: Version) -> Markup:
    names = officers(visit.app, visit.language)

    def when(value: float | None) -> str:
        return visit.at(dt.datetime.fromtimestamp(value, dt.UTC)) if value else ""

    editors = ", ".join(names.get(who, who) for who in version.editors)
    rehearsed = version.rehearsal
    steps = (
        ("drafted", editors, when(version.edited or version.created), True),
        (
            "rehearsed",
            visit.say("rules.looked-at", n=int(rehearsed["looked_at"])) if rehearsed else "",
            when(float(rehearsed["at"])) if rehearsed else "",
            rehearsed is not None,
        ),
        (
            "approved",
            names.get(version.approved_by, version.approved_by),
            when(version.approved),
            bool(version.approved),
        ),
        (
            "activated",
            names.get(version.activated_by, version.activated_by),
            when(version.activated),
            bool(version.activated),
        ),
    )
    rows = joined(
        Markup('<li{}>{}<div><b>{}</b><span class="atl-small">{}</span></div></li>').format(
            Markup(" data-done") if done else "",
            icon("circle-check" if done else "clock"),
            visit.say(f"rules.step.{name}"),
            " · ".join(part for part in (who, at) if part) or visit.say("rules.not-yet"),
        )
        for name, who, at, done in steps
    )
    return Markup('<ol class="atl-rule-steps">{}</ol>').format(rows)


def _note(visit: Visit, version: Version) -> Markup:
    return Markup(
        '<form class="atl-form" data-api="PUT /api/v1/policies/drafts/{}" data-ok="{}" data-keep'
        ' data-note-form><label class="atl-field">{}<textarea name="note" rows="2"'
        ' maxlength="2000">{}</textarea></label><input type="hidden" name="revision"'
        ' data-type="number" data-revision value="{}"><div class="atl-actions">'
        '<button class="atl-button" data-size="small">{}</button></div></form>'
    ).format(
        version.number,
        visit.say("rules.saved"),
        visit.say("rules.note-label"),
        "\n" + version.note,
        version.revision,
        visit.say("rules.save-note"),
    )


def _rehearse(visit: Visit, version: Version) -> Markup:
    options = joined(
        Markup('<option value="{}"{}>{}</option>').format(
            days, Markup(" selected") if days == 30 else "", visit.say("rules.days", n=days)
        )
        for days in (7, 30, 90, 366)
    )
    return Markup(
        '<form class="atl-form" data-api="POST /api/v1/policies/drafts/{0}/rehearse"'
        ' data-then="go:{1}"><label class="atl-field">{2}<select name="days"'
        ' data-type="number">{3}</select></label><div class="atl-actions">'
        '<button class="atl-button">{4}{5}</button></div></form>'
    ).format(
        version.number,
        address(visit.language, "policies", f"draft={version.number}&as=rehearsal"),
        visit.say("rules.rehearse-period"),
        options,
        icon("play"),
        visit.say("rules.rehearse"),
    )


def _submit(visit: Visit, version: Version) -> Markup:
    errors = [p for p in visit.app.rules.problems(version.text) if p.level == "error"]
    same = not visit.app.rules.diff(version.number)
    reason = ""
    if errors:
        reason = visit.say("rules.submit-errors", n=len(errors))
    elif same:
        reason = visit.say("rules.submit-same")
    why = Markup('<p class="atl-small">{}</p>').format(reason or visit.say("rules.submit-more"))
    return why + _button(
        visit, version, "submit", "send-horizontal", "primary", disabled=bool(reason)
    )


def _button(
    visit: Visit, version: Version, act: str, picture: str, kind: str, disabled: bool = False
) -> Markup:
    sure = Markup(' data-sure="{}"').format(visit.say("rules.withdraw-sure"))
    return Markup(
        '<button type="button" class="atl-button" data-kind="{}" data-api="POST'
        ' /api/v1/policies/drafts/{}/{}" data-fields="{{}}" data-ok="{}"{}{}>{}{}</button>'
    ).format(
        kind,
        version.number,
        act,
        visit.say(f"rules.did.{act}"),
        sure if act == "withdraw" else "",
        Markup(" disabled") if disabled else "",
        icon(picture),
        visit.say(f"rules.do.{act}"),
    )


def _decide(visit: Visit, version: Version, me: str) -> Markup:
    if not may(visit.person, "policies.approve"):
        return Markup("<p>{}</p>").format(visit.say("rules.waits-security"))
    if me in version.editors:
        return Markup("<p>{}</p>").format(visit.say("rules.waits-other")) + _button(
            visit, version, "withdraw", "x", "danger"
        )
    back = Markup(
        '<form class="atl-form" data-api="POST /api/v1/policies/drafts/{}/return" data-ok="{}">'
        '<label class="atl-field">{}<textarea name="note" rows="2" required minlength="3"'
        ' maxlength="2000"></textarea></label><div class="atl-actions">'
        '<button class="atl-button">{}{}</button></div></form>'
    ).format(
        version.number,
        visit.say("rules.did.return"),
        visit.say("rules.return-label"),
        icon("arrow-left"),
        visit.say("rules.do.return"),
    )
    hint = Markup('<p class="atl-small">{}</p>').format(visit.say("rules.decide-more"))
    return hint + _button(visit, version, "approve", "check", "primary") + back


def _activate(visit: Visit, version: Version) -> Markup:
    again = version.state == "retired"
    return Markup(
        '<form class="atl-form" data-api="POST /api/v1/policies/versions/{}/activate"'
        ' data-ok="{}" data-sure="{}"><label class="atl-field">{}<input name="reason"'
        ' maxlength="2000"{}></label><p class="atl-small">{}</p><div class="atl-actions">'
        '<button class="atl-button" data-kind="primary">{}{}</button></div></form>'
    ).format(
        version.number,
        visit.say("rules.activated", number=version.number),
        visit.say("rules.activate-sure", number=version.number),
        visit.say("rules.reason"),
        Markup(" required minlength=3") if again else "",
        visit.say("rules.activate-more"),
        icon("refresh-cw" if again else "shield-check"),
        visit.say("rules.roll-back" if again else "rules.activate"),
    )
