"""What the record looks like as a list: counts with their trend, the table, its pages."""

from collections.abc import Mapping, Sequence

from guardrails.audit.facets import Trend
from guardrails.audit.trace_rows import VERDICTS, TraceRow
from ui.access import may
from ui.looking import TraceQuery
from ui.messages import catalogue
from ui.web.components.chips import masked, verdict_chip
from ui.web.components.filters import page_address
from ui.web.components.names import agent_name, rule_choice
from ui.web.components.spark import spark
from ui.web.frame import query
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit, empty

EXPORTED = frozenset({"days", "verdict", "agent", "department", "since", "until"})


def kpis(
    visit: Visit,
    asked: TraceQuery,
    counts: Mapping[str, int],
    before: Mapping[str, int] | None,
    trend: Trend,
) -> Markup:
    """One card per verdict, which is also the filter by it. `before`: the same time earlier."""
    cards = joined(
        Markup(
            '<a class="atl-card atl-kpi" href="{}" data-record-go{}>{}<b>{}</b>{}'
            '<span class="atl-small">{}{}</span></a>'
        ).format(
            page_address(
                visit,
                {**asked.asked(), "verdict": "" if asked.verdict == verdict else verdict},
            ),
            Markup(' aria-current="true"') if asked.verdict == verdict else "",
            verdict_chip(visit.language, verdict),
            visit.number(counts.get(verdict, 0)),
            spark(
                trend.counts[verdict],
                visit.say("record.trend", n=max(trend.counts[verdict], default=0)),
            ),
            _period(visit, asked),
            _change(visit, counts.get(verdict, 0), before.get(verdict, 0)) if before else "",
        )
        for verdict in VERDICTS
    )
    return Markup('<div class="atl-kpis" id="atl-kpis">{}</div>').format(cards)


def _period(visit: Visit, asked: TraceQuery) -> str:
    if asked.since or asked.until:
        return visit.say("record.period.own")
    key = f"web.audit.period.{asked.days or 'all'}"
    known = key in catalogue(visit.language)
    return visit.say(key) if known else visit.say("record.period.days", n=int(float(asked.days)))


def _change(visit: Visit, now: int, before: int) -> Markup:
    return Markup(' <span class="atl-change">{}</span>').format(
        visit.say("record.change", by=f"{now - before:+d}".replace("-", "−"))
    )


def table(
    visit: Visit,
    asked: TraceQuery,
    rows: Sequence[TraceRow],
    total: int,
    titles: Mapping[str, str],
    opened: str,
) -> Markup:
    """Rows, newest first; each id is a real link that opens beside the table."""
    say = visit.say
    if not rows:
        return empty(
            "search",
            say("web.audit.none"),
            say("web.audit.none-more"),
            Markup('<a class="atl-button" href="{}" data-record-go>{}</a>').format(
                page_address(visit, {}), say("record.filters.everything")
            ),
        )
    body = joined(_row(visit, asked, row, titles, opened) for row in rows)
    heads = joined(
        Markup('<th scope="col">{}</th>').format(say(f"web.audit.{name}"))
        for name in ("trace", "verdict", "request", "when")
    )
    return Markup(
        '<table class="atl-table atl-records"><caption class="atl-visually-hidden">{}</caption>'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table>"
        '<p class="atl-small atl-shown" id="atl-shown">{} {}</p>'
    ).format(
        say("web.audit.table"),
        heads,
        body,
        say("web.audit.shown", n=len(rows), total=visit.number(total)),
        _take(visit, asked),
    )


def _take(visit: Visit, asked: TraceQuery) -> Markup:
    """The way to an export of what is shown, as far as an export can be narrowed."""
    if not may(visit.person, "audit.export"):
        return Markup("")
    kept = {name: value for name, value in asked.asked().items() if name in EXPORTED}
    return Markup('<a class="atl-more" href="{}">{}{}</a>').format(
        address(visit.language, "exports", query(**kept)),
        icon("download"),
        visit.say("record.export-these"),
    )


def _row(
    visit: Visit, asked: TraceQuery, row: TraceRow, titles: Mapping[str, str], opened: str
) -> Markup:
    more = [agent_name(visit, titles, row.agent), row.person]
    why = (
        Markup('<small class="atl-why">{}</small>').format(
            rule_choice(visit, row.rule, row.verdict)
        )
        if row.rule and row.verdict in ("blocked", "flagged")
        else ""
    )
    here = opened and row.trace_id.startswith(opened.removeprefix("tr_"))
    return Markup(
        '<tr{}><td><a href="{}" data-record-trace="{}">{}</a></td><td>{}</td>'
        '<td><span class="atl-request">{}</span>{}<small>{}</small></td>'
        '<td><time datetime="{}">{}</time></td></tr>'
    ).format(
        Markup(" data-open") if here else "",
        trace_address(visit, asked, row.trace_id),
        row.trace_id,
        row.short,
        verdict_chip(visit.language, row.verdict),
        masked(visit.language, row.request[:200] or "…"),
        why,
        " · ".join(filter(None, more)),
        row.when.isoformat(),
        visit.at(row.when, "d MMM HH:mm"),
    )


def trace_address(visit: Visit, asked: TraceQuery, trace_id: str) -> str:
    """The page with a trace open, and the question as it is."""
    return page_address(visit, asked.asked(), open=trace_id)


def pager(visit: Visit, asked: TraceQuery, after: str, following: str | None) -> Markup:
    """Back to the newest, and older ones; links, so that a page can be shared."""
    links = []
    if after:
        links.append(_page(visit, page_address(visit, asked.asked()), "newest"))
    if following:
        links.append(_page(visit, page_address(visit, asked.asked(), after=following), "older"))
    if not links:
        return Markup("")
    return Markup('<nav class="atl-pager" aria-label="{}">{}</nav>').format(
        visit.say("record.pages"), joined(links)
    )


def _page(visit: Visit, where: str, name: str) -> Markup:
    return Markup('<a class="atl-button" data-size="small" href="{}" data-record-go>{}</a>').format(
        where, visit.say(f"web.audit.{name}")
    )
