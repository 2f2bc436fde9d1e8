"""Exports: choose what and as what, watch it being made, download it within a day."""

from collections.abc import Mapping
from datetime import UTC, datetime

from guardrails.audit.exports import Export
from guardrails.audit.saved import filled
from guardrails.audit.trace_rows import VERDICTS
from ui.messages import catalogue
from ui.rulebook import officers
from ui.web.components import fields
from ui.web.components.names import agent_name, agent_titles, officer
from ui.web.components.units import size
from ui.web.markup import Markup, icon, joined
from ui.web.plain import Visit, empty, head

FORMATS = ("ocsf", "csv", "otlp")


def body(visit: Visit) -> Markup:
    """The page for one security officer."""
    visit.sheet("record")
    return joined(
        [head(visit, "exports", visit.say("record.exports.lead")), _form(visit), _list(visit)]
    )


def _form(visit: Visit) -> Markup:
    say = visit.say
    formats = joined(
        Markup(
            '<label class="atl-check"><input type="radio" name="format" value="{}"{}>'
            "<span>{}<small>{}</small></span></label>"
        ).format(
            one,
            Markup(" checked") if one == "csv" else "",
            say(f"record.format.{one}"),
            say(f"record.format.{one}-more"),
        )
        for one in FORMATS
    )
    facets = visit.app.record.facets.facets(None, ("agent", "department"))
    names = agent_titles(visit)
    return Markup(
        '<section class="atl-card"><form class="atl-form" data-api="POST /api/v1/exports"'
        ' data-ok="{}"><fieldset class="atl-field atl-plainset"><legend>{}</legend>{}</fieldset>'
        '<div class="atl-form-row atl-thirds">{}{}{}{}{}{}</div><div class="atl-actions">'
        '<button class="atl-button" data-kind="primary">{}{}</button>'
        '<span class="atl-small">{}</span></div><p role="alert" class="atl-formerror"></p>'
        "</form></section>"
    ).format(
        say("record.exports.begun"),
        say("record.exports.format"),
        formats,
        _select(
            visit, "days", {"7": _period(visit, "7"), "30": _period(visit, "30"),
                            "1": _period(visit, "1")}, _period(visit, "all"),
        ),
        _select(visit, "verdict", {one: say(f"web.verdict.{one}") for one in VERDICTS}),
        _select(visit, "agent", {one: agent_name(visit, names, one) for one in facets["agent"]}),
        _select(visit, "department", {one: one for one in facets["department"]}),
        *(
            fields.day_field(
                visit, say(f"record.field.{name}"), name, visit.query.get(name, "")[:10]
            )
            for name in ("since", "until")
        ),
        icon("download"),
        say("record.exports.start"),
        say("record.exports.recorded"),
    )  # fmt: skip


def _period(visit: Visit, days: str) -> str:
    return visit.say(f"web.audit.period.{days}")


def _select(visit: Visit, name: str, words: dict[str, str], any_: str = "") -> Markup:
    options = joined(
        Markup('<option value="{}"{}>{}</option>').format(
            value, Markup(" selected") if value == visit.query.get(name) else "", shown
        )
        for value, shown in words.items()
    )
    return Markup(
        '<label class="atl-field"><span>{}</span><select name="{}"><option value="">{}</option>'
        "{}</select></label>"
    ).format(
        visit.say(f"record.field.{name}"), name, any_ or visit.say("record.filters.any"), options
    )


def _list(visit: Visit) -> Markup:
    found = visit.app.record.exports.all()
    if not found:
        return empty(
            "download", visit.say("record.exports.none"), visit.say("record.exports.none-more")
        )
    say = visit.say
    names = ("when", "who", "what", "state", "rows", "file")
    heads = joined(
        Markup('<th scope="col">{}</th>').format(say(f"record.exports.{name}")) for name in names
    )
    officials = officers(visit.app, visit.language)
    titles = agent_titles(visit)
    rows = joined(_row(visit, one, officials, titles) for one in found)
    # while one is being made the list fetches itself again
    poll = Markup(' data-poll="2"') if any(one.state == "running" for one in found) else ""
    return Markup(
        '<div id="atl-exports"{}><table class="atl-datatable atl-short"><caption>{}</caption>'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(poll, say("record.exports.list"), heads, rows)


def _row(
    visit: Visit, one: Export, officials: Mapping[str, str], titles: Mapping[str, str]
) -> Markup:
    say = visit.say
    cells = [
        ("when", visit.at(datetime.fromtimestamp(one.at, UTC), "d MMM HH:mm")),
        ("who", officer(officials, one.asked_by)),
        ("what", Markup("<b>{}</b><br><span class=\"atl-small\">{}</span>").format(
            say(f"record.format.{one.kind}"), _filter(visit, one, titles))),
        ("state", _state(visit, one)),
        ("rows", visit.number(one.rows)),
        ("file", _file(visit, one)),
    ]  # fmt: skip
    return Markup("<tr>{}</tr>").format(
        joined(
            Markup('<td data-label="{}">{}</td>').format(say(f"record.exports.{name}"), value)
            for name, value in cells
        )
    )


def _filter(visit: Visit, one: Export, titles: Mapping[str, str]) -> str:
    words = catalogue(visit.language)
    parts = []
    for name, value in filled(one.filter).items():
        field = {"person": "pseudonym", "trace_id": "trace", "slower_than_ms": "slower_ms"}
        key = f"record.field.{field.get(name, name)}"
        shown = _shown(visit, name, value, titles)
        parts.append(f"{visit.say(key) if key in words else name}: {shown}")
    return " · ".join(parts) or visit.say("web.audit.period.all")


def _shown(visit: Visit, name: str, value: object, titles: Mapping[str, str]) -> str:
    match name:
        case "since" | "until":
            day = datetime.fromisoformat(str(value))
            return visit.at(day, "d MMM y")
        case "agent":
            return agent_name(visit, titles, str(value))
        case "verdict":
            return visit.say(f"web.verdict.{value}")
    return str(value)


def _state(visit: Visit, one: Export) -> Markup:
    said = visit.say(f"record.exports.state.{one.state}")
    if one.state == "running":
        return Markup('<span role="status">{}</span><progress aria-label="{}"></progress>').format(
            said, said
        )
    tone = {"ready": "allowed", "failed": "blocked"}.get(one.state, "")
    return Markup('<span class="atl-chip" data-verdict="{}">{}</span>').format(tone, said)


def _file(visit: Visit, one: Export) -> Markup | str:
    if one.state != "ready":
        return "–"
    return Markup(
        '<button type="button" class="atl-button" data-size="small"'
        ' data-download="GET /api/v1/exports/{}/file" aria-label="{}">{}{}</button>'
        '<br><span class="atl-small" title="SHA-256 {}">{}</span>'
    ).format(
        one.id,
        visit.say("record.exports.download", name=one.name),
        icon("download"),
        size(visit, one.bytes),
        one.digest,
        one.name,
    )
