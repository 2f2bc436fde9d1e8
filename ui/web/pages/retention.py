"""Retention and holds: how long each class is kept, what must not be deleted, what goes next."""

from collections.abc import Mapping
from datetime import UTC, datetime

from guardrails.audit.retention import Due, Hold
from guardrails.audit.schedule import DEFAULT_DAYS, FEWEST_DAYS, MOST_DAYS, REST, Kept
from ui import seen
from ui.routes.retention import EVERYTHING_ELSE
from ui.rulebook import officers
from ui.web.components.names import agent_name, agent_titles, officer
from ui.web.markup import Markup, icon, joined
from ui.web.plain import Visit, empty, head

FIELDS = ("person", "agent", "conversation", "department", "all")


def body(visit: Visit) -> Markup:
    """The page for one security officer."""
    visit.sheet("record")
    due = {one.data_class: one for one in visit.app.record.retention.preview()}
    return joined(
        [
            head(visit, "retention", visit.say("record.retention.lead", days=DEFAULT_DAYS)),
            _next(visit, due),
            _classes(visit, due),
            _holds(visit),
        ]
    )


def _next(visit: Visit, due: dict[str, Due]) -> Markup:
    traces = sum(one.traces for one in due.values())
    held = sum(one.held for one in due.values())
    payloads = due[REST].payloads
    if not traces and not payloads:
        text = visit.say("record.retention.nothing")
    else:
        text = visit.say("record.retention.next", n=traces, payloads=visit.number(payloads))
    if held:
        text += " " + visit.say("record.retention.held", n=held)
    return Markup('<div class="atl-ribbon" role="status">{}<div>{}</div></div>').format(
        icon("calendar"), text
    )


def _classes(visit: Visit, due: dict[str, Due]) -> Markup:
    say = visit.say
    heads = joined(
        Markup('<th scope="col">{}</th>').format(say(f"record.retention.{name}"))
        for name in ("class", "days", "why", "due")
    )
    kept = visit.app.record.retention.schedules.all()
    names = officers(visit.app, visit.language)
    rows = joined(_class(visit, one, due.get(one.data_class), names) for one in kept)
    return Markup(
        '<table class="atl-datatable"><caption>{}</caption><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table>"
    ).format(say("record.retention.classes"), heads, rows)


def _class(visit: Visit, one: Kept, due: Due | None, names: Mapping[str, str]) -> Markup:
    say = visit.say
    named = class_name(visit, one.data_class)
    key = one.data_class or EVERYTHING_ELSE
    form = Markup(
        '<form data-api="PUT /api/v1/retention/classes/{}" data-match="{}" data-ok="{}" data-keep>'
        '<div class="atl-days"><label class="atl-field"><span class="atl-visually-hidden">{}</span>'
        '<input type="number" name="days" data-type="number" value="{}" min="{}" max="{}" required>'
        '</label><label class="atl-field"><span class="atl-visually-hidden">{}</span>'
        '<input name="reason" value="{}" maxlength="500" placeholder="{}"></label>'
        '<button class="atl-button" data-size="small" aria-label="{}">{}</button></div>'
        '<p role="alert" class="atl-formerror"></p></form>'
    ).format(
        key,
        seen.tag(seen.keeping(one)),
        say("record.retention.saved"),
        say("record.retention.days-of", name=named),
        one.days,
        FEWEST_DAYS,
        MOST_DAYS,
        say("record.retention.reason-of", name=named),
        one.reason,
        say("record.retention.reason", days=DEFAULT_DAYS),
        say("record.rules.save-this", rule=named),
        say("record.rules.save"),
    )
    changed = (
        say(
            "record.retention.changed",
            person=officer(names, one.changed_by).striptags(),
            when=visit.at(datetime.fromtimestamp(one.changed, UTC), "d MMM y"),
        )
        if one.changed
        else say("record.retention.default")
    )
    warned = (
        Markup('<br><span class="atl-chip" data-verdict="masked">{}{}</span>').format(
            icon("triangle-alert"), say("record.retention.short", days=DEFAULT_DAYS)
        )
        if one.days < DEFAULT_DAYS
        else ""
    )
    gone = (
        joined(
            [
                say("record.retention.turns", n=due.traces),
                Markup("<br>{}").format(say("record.retention.kept", n=due.held))
                if due.held
                else "",
            ]
        )
        if due
        else say("record.retention.with-rest")
    )
    cells = [("class", Markup("<b>{}</b>").format(named)), ("days", form),
             ("why", Markup('<span class="atl-small">{}</span>{}').format(changed, warned)),
             ("due", gone)]  # fmt: skip
    return Markup("<tr>{}</tr>").format(
        joined(
            Markup('<td data-label="{}">{}</td>').format(say(f"record.retention.{name}"), value)
            for name, value in cells
        )
    )


def class_name(visit: Visit, data_class: str) -> str:
    """A data class in words."""
    return visit.say(f"web.data.{data_class}" if data_class else "record.retention.rest")


def _holds(visit: Visit) -> Markup:
    say = visit.say
    holds = list(reversed(visit.app.record.retention.holds()))
    names, titles = officers(visit.app, visit.language), agent_titles(visit)
    if holds:
        heads = joined(
            Markup('<th scope="col">{}</th>').format(say(f"record.hold.{name}"))
            for name in ("what", "why", "placed", "state")
        )
        listed = Markup(
            '<table class="atl-datatable"><caption class="atl-visually-hidden">{}</caption><thead>'
            "<tr>{}</tr></thead><tbody>{}</tbody></table>"
        ).format(
            say("record.holds"),
            heads,
            joined(_hold(visit, hold, names, titles) for hold in holds),
        )
    else:
        listed = empty("gavel", say("record.holds.none"), say("record.holds.none-more"))
    wanted = visit.query.get("hold", "")  # a link from elsewhere fills the form
    options = joined(
        Markup('<option value="{}"{}>{}</option>').format(
            field,
            Markup(" selected") if field == wanted else "",
            say(f"record.hold.field.{field}"),
        )
        for field in FIELDS
    )
    form = Markup(
        '<details class="atl-fold" id="atl-placehold"{}><summary>{}</summary>'
        '<form class="atl-form" data-api="POST /api/v1/retention/holds" data-ok="{}" data-close>'
        '<div class="atl-form-row"><label class="atl-field"><span>{}</span><select name="field">{}'
        '</select></label><label class="atl-field"><span>{}</span><input name="value" value="{}"'
        ' list="atl-holdable" maxlength="200"><small>{}</small></label>{}</div>'
        '<label class="atl-field"><span>{}</span>'
        '<textarea name="reason" required minlength="10" maxlength="500"></textarea></label>'
        '<div class="atl-actions"><button class="atl-button" data-kind="primary">{}</button></div>'
        '<p role="alert" class="atl-formerror"></p></form></details>'
    ).format(
        Markup(" open") if wanted in FIELDS else "",
        say("record.hold.place"),
        say("record.hold.placed-now"),
        say("record.hold.what"),
        options,
        say("record.hold.value"),
        visit.query.get("value", "")[:200],
        say("record.hold.value-more"),
        _choices(visit, titles),
        say("record.hold.why"),
        say("record.hold.place"),
    )
    return Markup(
        '<section class="atl-stack"><h2 class="atl-h2">{}</h2><p class="atl-small">{}</p>{}{}'
        "</section>"
    ).format(say("record.holds"), say("record.holds.more"), form, listed)


def _choices(visit: Visit, titles: Mapping[str, str]) -> Markup:
    """What the record knows, offered while a value is typed: ids with their names beside them."""
    known = visit.app.record.facets.facets(None, ("agent", "department", "person"))
    named = [("agent", one, agent_name(visit, titles, one)) for one in known["agent"]]
    named += [("department", one, one) for one in known["department"]]
    named += [("person", one, one) for one in known["person"]]
    return Markup('<datalist id="atl-holdable">{}</datalist>').format(
        joined(
            Markup('<option value="{}">{}: {}</option>').format(
                one, visit.say(f"record.hold.field.{field}"), words
            )
            for field, one, words in named
        )
    )


def _hold(visit: Visit, hold: Hold, names: Mapping[str, str], titles: Mapping[str, str]) -> Markup:
    say = visit.say
    placed = datetime.fromtimestamp(hold.placed, UTC)
    state = (
        say(
            "record.hold.released",
            person=officer(names, hold.released_by).striptags(),
            when=visit.at(datetime.fromtimestamp(hold.released, UTC), "d MMM y"),
        )
        if hold.released
        else Markup(
            '<details id="atl-release-{}"><summary>{}</summary>'
            '<form data-api="POST /api/v1/retention/holds/{}/release" data-ok="{}"'
            ' class="atl-form"><label class="atl-field"><span>{}</span><input name="reason"'
            ' maxlength="500" required></label><button class="atl-button" data-kind="danger"'
            ' data-size="small">{}</button><p role="alert" class="atl-formerror"></p></form>'
            "</details>"
        ).format(
            hold.id,
            say("record.hold.in-force"),
            hold.id,
            say("record.hold.lifted"),
            say("record.hold.why-lift"),
            say("record.hold.lift"),
        )
    )
    cells = [
        ("what", Markup("<b>{}</b> {}").format(
            say(f"record.hold.field.{hold.field}"),
            _held(visit, hold, titles))),
        ("why", hold.reason),
        ("placed", Markup("{}<br>{}").format(
            visit.at(placed, "d MMM y HH:mm"), officer(names, hold.placed_by))),
        ("state", state),
    ]  # fmt: skip
    return Markup("<tr>{}</tr>").format(
        joined(
            Markup('<td data-label="{}">{}</td>').format(say(f"record.hold.{name}"), value)
            for name, value in cells
        )
    )


def _held(visit: Visit, hold: Hold, titles: Mapping[str, str]) -> Markup | str:
    if hold.field == "agent":
        return agent_name(visit, titles, hold.value)
    plain = hold.field in ("department", "all")
    return hold.value if plain else Markup("<code>{}</code>").format(hold.value)
