"""The values of the rules as forms: switches, two tables, lists. Each change is saved at once."""

from collections.abc import Iterable, Sequence

from agents.tools.registry import TOOLS
from guardrails.policy.forms import EVERY, Slot, Values
from guardrails.policy.known import CLASSES, KINDS, LOCATIONS, ROLES
from guardrails.policy.lifecycle import Version
from guardrails.screen import DEFAULT as SCREEN
from ui.rulebook import SUBJECTS, RuleView, rulebook
from ui.web.components.chips import tile
from ui.web.markup import Markup, joined
from ui.web.nav import address
from ui.web.pages.policies_editor import words_of
from ui.web.pages.policies_words import slot_label, value_word
from ui.web.plain import Visit

ICONS = {
    "models": "brain", "data": "eye-off", "tools": "wrench", "files": "file-text",
    "publishing": "users", "own": "building-2",
}  # fmt: skip
PLACES = {"public": "MD-07", "internal": "MD-08", "confidential": "MD-09", "restricted": "MD-03"}
READABLE, BLOCKED = "DP-01", "DP-09"
SHOWN = 3  # values named before a list is opened
FILE_TYPES = (
    "text/plain", "text/csv", "text/markdown", "text/tab-separated-values", "text/html",
    "application/json", "application/pdf", "message/rfc822", "image/png", "image/jpeg",
    "image/webp", "image/svg+xml",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
)  # fmt: skip


def forms(visit: Visit, version: Version) -> Markup:
    """Every rule of the draft with its switch and what may be set."""
    views = rulebook(visit.app, version.text, visit.language, {})
    by_id = {view.id: view for view in views}
    sections = []
    for subject in SUBJECTS:
        group = [view for view in views if view.subject == subject]
        if not group or subject == "budgets":
            continue
        tables: list[Markup] = []
        if subject == "models" and all(rule in by_id for rule in PLACES.values()):
            tables.append(_places(visit, by_id))
        if subject == "data" and {READABLE, BLOCKED} <= set(by_id):
            tables.append(_kinds(visit, by_id))
        rules = joined(_rule(visit, view, bool(tables)) for view in group)
        sections.append(
            Markup(
                '<section class="atl-stack" aria-labelledby="form-{0}"><div class="atl-rule-head">'
                '{1}<h2 class="atl-h2" id="form-{0}">{2}</h2></div>{3}'
                '<div class="atl-rules">{4}</div></section>'
            ).format(
                subject,
                tile(ICONS[subject]),
                visit.say(f"rules.subject.{subject}"),
                joined(tables),
                rules,
            )
        )
    return Markup(
        '<div class="atl-stack" data-forms="{}" data-revision-now="{}" data-page="{}"'
        ' data-words="{}"><p class="atl-rule-status" role="status" data-status>{}</p>'
        '<div data-conflict role="alert"></div>{}</div>'
    ).format(
        version.number,
        version.revision,
        address(visit.language, "policies"),
        words_of(visit),
        visit.say("rules.forms-hint"),
        joined(sections),
    )


# ── two tables ───────────────────────────────────────────────────────────────────────────


def _places(visit: Visit, rules: dict[str, RuleView]) -> Markup:
    heads = joined(
        Markup('<th scope="col">{}</th>').format(value_word(visit, "locations", place))
        for place in LOCATIONS
    )
    rows = []
    for data_class, rule in PLACES.items():
        found = _value(rules[rule], "locations")
        name = visit.say(f"web.data.{data_class}")
        cells = [Markup('<th scope="row">{} <code>{}</code></th>').format(name, rule)]
        for place in LOCATIONS:
            word = value_word(visit, "locations", place)
            cells.append(
                Markup(
                    '<td data-label="{}"><input type="checkbox" class="atl-rule-tick"'
                    ' data-rule="{}" data-slot="locations" value="{}" aria-label="{} · {}"{}{}>'
                    "</td>"
                ).format(
                    word, rule, place, name, word,
                    Markup(" checked") if found is not None and place in found else "",
                    Markup(" disabled") if found is None else "",
                )
            )  # fmt: skip
        rows.append(Markup("<tr>{}</tr>").format(joined(cells)))
    return _table(visit, "rules.table.places", heads, rows)


def _kinds(visit: Visit, rules: dict[str, RuleView]) -> Markup:
    heads = joined(
        Markup('<th scope="col">{}</th>').format(visit.say(f"web.data.{each}")) for each in CLASSES
    )
    clear = {each: _value(rules[READABLE], f"kinds@{each}") for each in CLASSES}
    stop = {each: _value(rules[BLOCKED], f"kinds@{each}") for each in CLASSES}
    listed = {kind for lists in (*clear.values(), *stop.values()) for kind in lists or ()}
    rows = []
    for kind in (*KINDS, *sorted(listed - set(KINDS))):
        name = value_word(visit, "kinds", kind)
        cells = [Markup('<th scope="row">{}</th>').format(name)]
        for each in CLASSES:
            now = "block" if kind in (stop[each] or ()) else (
                "allow" if kind in (clear[each] or ()) else "mask"
            )  # fmt: skip
            cells.append(_choice(visit, kind, name, each, now, clear[each] is None))
        rows.append(Markup("<tr>{}</tr>").format(joined(cells)))
    more = Markup('<p class="atl-hint">{}</p>').format(visit.say("rules.table.kinds-more"))
    return _table(visit, "rules.table.kinds", heads, rows) + more


def _choice(visit: Visit, kind: str, name: str, data_class: str, now: str, locked: bool) -> Markup:
    word = visit.say(f"web.data.{data_class}")
    # what the screen masks before anything is stored, no rule can make readable again
    free = SCREEN.action(kind) == "allow"
    offered = ("mask", "block", "allow") if free else ("mask", "block")
    options = joined(
        Markup('<option value="{}"{}>{}</option>').format(
            each, Markup(" selected") if each == now else "", visit.say(f"rules.do-with.{each}")
        )
        for each in offered
    )
    return Markup(
        '<td data-label="{}"><select class="atl-rule-choice" data-kind-row="{}" data-class="{}"'
        ' data-now="{}" aria-label="{} · {}"{}>{}</select></td>'
    ).format(
        word, kind, data_class, now, name, word, Markup(" disabled") if locked else "", options
    )


def _table(visit: Visit, key: str, heads: Markup, rows: Sequence[Markup]) -> Markup:
    return Markup(
        '<table class="atl-datatable atl-rule-table"><caption>{}</caption><thead><tr><td></td>{}'
        "</tr></thead><tbody>{}</tbody></table>"
    ).format(visit.say(key), heads, joined(rows))


# ── one rule ─────────────────────────────────────────────────────────────────────────────


def _rule(visit: Visit, view: RuleView, tables: bool) -> Markup:
    inside = []
    for slot, value in view.slots:
        in_table = tables and (
            (view.id in PLACES.values() and slot.kind == "locations")
            or (view.id in (READABLE, BLOCKED) and slot.of)
        )
        if not in_table:
            inside.append(_slot(visit, slot, value))
    controls = (
        Markup(
            '<details class="atl-rule-text" id="set-{}"{}><summary>{}</summary>'
            '<div class="atl-rule-slots">{}</div></details>'
        ).format(
            view.id,
            Markup(" open") if view.source == "changed" else "",
            _now(visit, view),
            joined(inside),
        )
        if inside
        else ""
    )
    return Markup(
        '<div class="atl-rule-set"{}><label class="atl-rule-switch"><input type="checkbox"'
        ' role="switch" data-switch="{}"{}><span><code>{}</code> {}</span></label>{}</div>'
    ).format(
        "" if view.on else Markup(" data-off"),
        view.id,
        Markup(" checked") if view.on else "",
        view.id,
        view.sentence,
        controls,
    )


def _now(visit: Visit, view: RuleView) -> str:
    """What is set, short: `Departments: HR · Kinds: none`."""
    said = []
    for slot, value in view.slots:
        if isinstance(value, int):
            words = visit.say("rules.megabytes", n=visit.number(round(value / 1048576)))
        else:
            names = [value_word(visit, slot.kind, each) for each in value[:SHOWN]]
            names += ["…"] if len(value) > SHOWN else []
            words = ", ".join(names) or visit.say("rules.none")
        said.append(visit.say("rules.set-to", slot=slot_label(visit, slot), values=words))
    return " · ".join(said[:2]) + (" …" if len(said) > 2 else "")


def _slot(visit: Visit, slot: Slot, value: Values) -> Markup:
    label = slot_label(visit, slot)
    if isinstance(value, int):
        return Markup(
            '<label class="atl-field atl-rule-number">{}<input type="number" min="1" max="1024"'
            ' data-rule="{}" data-slot="{}" data-factor="1048576" value="{}"></label>'
        ).format(label, slot.rule, slot.name, round(value / 1048576))
    offered = list(dict.fromkeys([*_offered(visit, slot), *value]))
    ticks = joined(
        Markup(
            '<label class="atl-rule-pick"><input type="checkbox" data-rule="{}" data-slot="{}"'
            ' value="{}"{}><span>{}</span></label>'
        ).format(
            slot.rule,
            slot.name,
            each,
            Markup(" checked") if each in value else "",
            value_word(visit, slot.kind, each),
        )
        for each in offered
    )
    add = (
        Markup(
            '<input class="atl-input atl-rule-add" data-add="{}" data-slot-name="{}"'
            ' placeholder="{}" aria-label="{} · {}" maxlength="200">'
        ).format(slot.rule, slot.name, visit.say("rules.add"), label, visit.say("rules.add"))
        if slot.kind not in ("classes", "locations", "roles")
        else ""
    )
    return Markup('<fieldset class="atl-rule-list"><legend>{}</legend>{}{}</fieldset>').format(
        label, ticks, add
    )


def _offered(visit: Visit, slot: Slot) -> Iterable[str]:
    match slot.kind:
        case "classes":
            return CLASSES
        case "locations":
            return LOCATIONS
        case "roles":
            return ROLES[:3]
        case "kinds":
            return KINDS
        case "tools":
            return (*((EVERY,) if slot.of else ()), *TOOLS)
        case "models":
            return (EVERY, *(one.name for one in visit.app.connections.all()))
        case "providers":
            return sorted({one.provider for one in visit.app.connections.all()})
        case "departments":
            people = visit.app.people.all()
            return sorted({one.department for one in people if one.department})
        case _:
            return FILE_TYPES


def _value(view: RuleView, name: str) -> tuple[str, ...] | None:
    found = next((value for slot, value in view.slots if slot.name == name), None)
    return found if isinstance(found, tuple) else None
