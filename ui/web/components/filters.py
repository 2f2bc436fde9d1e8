"""How reviewers choose what they see: the filter form, what is chosen, saved views."""

from collections.abc import Mapping
from urllib.parse import quote

from guardrails.audit.facets import Facet
from guardrails.audit.trace_rows import VERDICTS
from ui.looking import TraceQuery
from ui.messages import catalogue
from ui.web.components import fields
from ui.web.components.chips import VERDICT_ICONS, kind_name
from ui.web.components.names import agent_name, rule_choice
from ui.web.frame import query
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit

PERIODS = ("1", "7", "30", "")
PURPOSES = ("chat", "evaluation", "try-out", "")
# facet → field of TraceQuery; in the order of the form
MORE: Mapping[Facet, str] = {
    "department": "department",
    "person": "pseudonym",
    "version": "version",
    "model": "model",
    "location": "location",
    "tool": "tool",
    "rule": "rule",
    "kind": "kind",
    "data_class": "data_class",
}
TYPED = ("since", "until", "cost_over", "slower_ms", "conversation", "trace")

Facets = Mapping[str, Mapping[str, int]]


def form(
    visit: Visit,
    asked: TraceQuery,
    facets: Facets,
    titles: Mapping[str, str],
    counts: Mapping[str, int],
) -> Markup:
    """The filters with their counts. A GET form: it works without JavaScript, and can be shared."""
    say = visit.say
    words = {name: agent_name(visit, titles, name) for name in facets.get("agent", {})}
    rows = joined(
        _select(visit, name, field, getattr(asked, field), facets.get(name, {}), {})
        for name, field in MORE.items()
    )
    used = [*MORE.values(), "since", "until", "cost_over", "slower_ms"]
    count = sum(bool(getattr(asked, field)) for field in used)
    hidden = joined(
        Markup('<input type="hidden" name="{}" value="{}">').format(name, getattr(asked, name))
        for name in ("conversation", "trace")
        if getattr(asked, name)
    )
    return Markup(
        '<form class="atl-card atl-filterform" id="atl-filters" method="get" role="search">{}'
        '<div class="atl-form-row"><label class="atl-field atl-wide"><span>{}</span>'
        '<input type="search" id="atl-audit-text" name="text" value="{}" placeholder="{}"'
        ' maxlength="200"></label>'
        "{}{}{}</div>{}"
        '<details class="atl-morefilters" id="atl-more"{}><summary>{}<span>{}</span>{}</summary>'
        '<div class="atl-form-row">{}{}{}{}{}</div></details>'
        '<button class="atl-button" data-size="small" data-apply>{}</button></form>'
    ).format(
        hidden,
        say("web.audit.search"),
        asked.text,
        say("web.audit.search.hint"),
        _select(visit, "agent", "agent", asked.agent, facets.get("agent", {}), words),
        _periods(visit, asked.days),
        _purposes(visit, asked.purpose),
        _verdicts(visit, asked.verdict, counts),
        Markup(" open") if count else "",
        icon("list-checks"),
        say("record.filters.more"),
        Markup('<span class="atl-count">{}</span>').format(count) if count else "",
        rows,
        fields.day_field(visit, say("record.field.since"), "since", asked.since[:10]),
        fields.day_field(visit, say("record.field.until"), "until", asked.until[:10]),
        _input(visit, "cost_over", asked.cost_over),
        _input(visit, "slower_ms", asked.slower_ms),
        say("record.filters.apply"),
    )


def chosen(visit: Visit, asked: TraceQuery, titles: Mapping[str, str]) -> Markup:
    """What is filtered by, each with a way to drop it."""
    # period and purpose always stand in the form
    kept = {name: value for name, value in asked.asked().items() if name in ("days", "purpose")}
    given = {name: value for name, value in asked.asked().items() if name not in kept}
    if not given:
        return Markup("")
    chips = joined(
        Markup('<li><a class="atl-filterchip" href="{}" data-record-go>{}: <b>{}</b>{}'
               '<span class="atl-visually-hidden">{}</span></a></li>').format(
            page_address(visit, without(asked, name)),
            visit.say(f"record.field.{name}"),
            _shown(visit, name, value, titles),
            icon("x"),
            visit.say("record.filters.drop"),
        )
        for name, value in given.items()
    )  # fmt: skip
    clear = Markup('<li><a class="atl-more" href="{}" data-record-go>{}</a></li>').format(
        page_address(visit, kept),
        visit.say("record.filters.clear"),
    )
    return Markup('<ul class="atl-filterchips" aria-label="{}">{}{}</ul>').format(
        visit.say("record.filters.chosen"), chips, clear
    )


def views(visit: Visit, saved: Mapping[str, Mapping[str, str]], asked: TraceQuery) -> Markup:
    """Saved views as links, and a form that keeps the present one."""
    say = visit.say
    now = asked.asked()
    links = joined(
        Markup(
            '<li><a class="atl-view"{} href="{}" data-record-go>{}</a>'
            '<button type="button" class="atl-iconbutton" data-api="DELETE /api/v1/audit/views/{}"'
            ' data-sure="{}" data-ok="{}" aria-label="{}">{}</button></li>'
        ).format(
            Markup(' aria-current="true"') if dict(question) == now else "",
            page_address(visit, question),
            name,
            quote(name, safe=""),
            say("record.views.sure", name=name),
            say("record.views.gone"),
            say("record.views.delete", name=name),
            icon("x"),
        )
        for name, question in saved.items()
    )
    fields = joined(
        Markup('<input type="hidden" name="{}" value="{}">').format(name, value)
        for name, value in now.items()
    )
    save = Markup(
        '<details class="atl-saveview" id="atl-saveview"><summary>{}{}</summary>'
        '<form data-api="POST /api/v1/audit/views" data-ok="{}" data-close>{}'
        '<label class="atl-field"><span>{}</span><input name="name" required maxlength="60">'
        "</label>"
        '<button class="atl-button" data-kind="primary" data-size="small">{}</button>'
        '<p role="alert" class="atl-formerror"></p></form></details>'
    ).format(
        icon("plus"),
        say("record.views.save"),
        say("record.views.saved"),
        fields,
        say("record.views.name"),
        say("record.views.keep"),
    )
    return Markup(
        '<div class="atl-views"><span class="atl-small">{}</span><ul>{}</ul>{}</div>'
    ).format(say("record.views"), links, save)


def page_address(visit: Visit, question: Mapping[str, str], **more: str) -> str:
    """The audit page with a question; without a period it is about the whole record, without a
    purpose about every turn."""
    period = "" if question.get("since") else "all"
    asked = {"days": period, "purpose": "all", **question, **more}
    return address(visit.language, "audit", query(**asked))


def without(asked: TraceQuery, name: str) -> dict[str, str]:
    """A question without one of its fields."""
    return {field: value for field, value in asked.asked().items() if field != name}


def _shown(visit: Visit, name: str, value: str, titles: Mapping[str, str]) -> str:
    if name == "agent":
        return agent_name(visit, titles, value)
    if name == "kind":
        return kind_name(visit.language, value)
    if name == "rule":
        return rule_choice(visit, value)
    if name in ("since", "until"):
        return fields.day_words(visit, value[:10]) or value
    if name == "tool":
        return visit.say(f"tool.{value}") if f"tool.{value}" in catalogue(visit.language) else value
    keys = {
        "verdict": f"web.verdict.{value}",
        "data_class": f"web.data.{value}",
        "location": f"record.location.{value}",
        "purpose": f"record.purpose.{value}",
    }
    key = keys.get(name, "")
    return visit.say(key) if key in catalogue(visit.language) else value


def _select(
    visit: Visit,
    name: str,
    field: str,
    value: str,
    counts: Mapping[str, int],
    words: Mapping[str, str],
) -> Markup:
    choices = dict(counts)
    if value:
        choices.setdefault(value, 0)
    options = joined(
        Markup('<option value="{}"{}>{} ({})</option>').format(
            one,
            Markup(" selected") if one == value else "",
            words.get(one) or _shown(visit, field, one, words),
            visit.number(n),
        )
        for one, n in choices.items()
    )
    return Markup(
        '<label class="atl-field"><span>{}</span><select name="{}"><option value="">{}</option>'
        "{}</select></label>"
    ).format(visit.say(f"record.field.{field}"), field, visit.say("record.filters.any"), options)


def _periods(visit: Visit, days: str) -> Markup:
    options = joined(
        Markup('<option value="{}"{}>{}</option>').format(
            one or "all",
            Markup(" selected") if one == days else "",
            visit.say(f"web.audit.period.{one or 'all'}"),
        )
        for one in PERIODS
    )
    return Markup(
        '<label class="atl-field"><span>{}</span><select name="days">{}</select></label>'
    ).format(visit.say("web.audit.period"), options)


def _purposes(visit: Visit, purpose: str) -> Markup:
    options = joined(
        Markup('<option value="{}"{}>{}</option>').format(
            one or "all",
            Markup(" selected") if one == purpose else "",
            visit.say(f"record.purpose.{one or 'all'}"),
        )
        for one in PURPOSES
    )
    return Markup(
        '<label class="atl-field"><span>{}</span><select name="purpose">{}</select></label>'
    ).format(visit.say("record.field.purpose"), options)


def _verdicts(visit: Visit, verdict: str, counts: Mapping[str, int]) -> Markup:
    radios = joined(
        Markup(
            '<label class="atl-verdictchoice"><input type="radio" name="verdict" value="{}"{}>'
            "<span>{}{} <small>{}</small></span></label>"
        ).format(
            one,
            Markup(" checked") if one == verdict else "",
            icon(VERDICT_ICONS[one]) if one else "",
            visit.say(f"web.verdict.{one}") if one else visit.say("web.audit.every"),
            visit.number(counts.get(one, 0) if one else sum(counts.values())),
        )
        for one in ("", *VERDICTS)
    )
    return Markup('<fieldset class="atl-verdictbar" id="atl-verdicts"><legend>{}</legend>{}'
                  "</fieldset>").format(visit.say("web.audit.verdict"), radios)  # fmt: skip


def _input(visit: Visit, name: str, value: str) -> Markup:
    return Markup(
        '<label class="atl-field"><span>{}</span><input type="text" name="{}" value="{}"'
        ' inputmode="decimal"></label>'
    ).format(visit.say(f"record.field.{name}"), name, value)
