"""What the record looks like: counts, the table, one trace, the sandbox's own word."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from babel.numbers import format_decimal

from guardrails.audit import conventions
from guardrails.audit.search import VERDICTS, LedgerRow, SpanRow, Trace, TraceRow
from sandbox.checked import Checked
from ui.messages import catalogue
from ui.seal_check import in_words
from ui.web.components.chips import kind_name, masked, verdict_chip
from ui.web.components.waterfall import Bar, duration, waterfall
from ui.web.frame import query
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address

if TYPE_CHECKING:
    from ui.web.pages.common import Context

BAR_KINDS = {"GUARDRAIL": "guardrail", "LLM": "model", "RETRIEVER": "retrieval", "TOOL": "tool"}
DETAIL = "app.detail."
LEDGER_VERDICTS = {"allow": "allowed", "ask": "flagged", "deny": "blocked"}


def kpis(context: "Context", counts: Mapping[str, int], period: str) -> Markup:
    """One card per verdict, for the period and the other filters."""
    cards = joined(
        Markup(
            '<div class="atl-card atl-kpi">{}<b>{}</b><span class="atl-small">{}</span></div>'
        ).format(
            verdict_chip(context.language, verdict),
            number(context, counts.get(verdict, 0)),
            context.say(f"web.audit.period.{period or 'all'}"),
        )
        for verdict in VERDICTS
    )
    return Markup(
        '<div class="atl-page" data-atl-page="audit"><div class="atl-kpis">{}</div></div>'
    ).format(cards)


def number(context: "Context", value: float) -> str:
    """`3,904` or `3 904`."""
    return format_decimal(value, locale=context.language)


def table(
    context: "Context", rows: Sequence[TraceRow], total: int, titles: Mapping[str, str]
) -> Markup:
    """Rows, newest first; each id is a real link that also opens beside the table."""
    say = context.say
    if not rows:
        return Markup(
            '<div class="atl-page"><div class="atl-empty">{}<b>{}</b><p>{}</p></div></div>'
        ).format(icon("search"), say("web.audit.none"), say("web.audit.none-more"))
    body = joined(_row(context, row, titles) for row in rows)
    heads = joined(
        Markup('<th scope="col">{}</th>').format(say(f"web.audit.{name}"))
        for name in ("trace", "verdict", "request", "when")
    )
    return Markup(
        '<div class="atl-page"><table class="atl-table"><caption class="atl-visually-hidden">{}'
        '</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table><p class="atl-small">{}</p>'
        "</div>"
    ).format(
        say("web.audit.table"),
        heads,
        body,
        say("web.audit.shown", n=len(rows), total=number(context, total)),
    )


def _row(context: "Context", row: TraceRow, titles: Mapping[str, str]) -> Markup:
    return Markup(
        '<tr><td><a href="{}" data-atl-trace="{}">{}</a></td><td>{}</td>'
        '<td title="{}">{}</td><td><time datetime="{}">{}</time></td></tr>'
    ).format(
        address(context.language, "audit", query(trace=row.trace_id)),
        row.trace_id,
        row.short,
        verdict_chip(context.language, row.verdict),
        titles.get(row.agent, row.agent),
        masked(context.language, row.request[:200] or "…"),
        row.when.isoformat(),
        context.at(row.when),
    )


def detail(context: "Context", trace: Trace, titles: Mapping[str, str]) -> Markup:
    """One trace: who, what, the waterfall, the acts in the ledger."""
    row, say = trace.row, context.say
    link = address(context.language, "audit", query(trace=row.trace_id))
    facts = [
        ("who", Markup("<code>{}</code>").format(row.person)),
        ("agent", f"{titles.get(row.agent, row.agent)} {row.version}"),
        ("model", row.model or "–"),
        ("data", say(f"web.data.{row.data_class}") if row.data_class else "–"),
        ("rule", Markup("<code>{}</code>").format(row.rule) if row.rule else "–"),
        ("found", ", ".join(kind_name(context.language, kind) for kind in row.kinds) or "–"),
        (
            "total",
            f"{duration(context.language, row.duration_ms)} · "
            + say("web.how.tokens", n=row.tokens),
        ),
    ]
    listed = joined(
        Markup("<dt>{}</dt><dd>{}</dd>").format(say(f"web.audit.{name}"), value)
        for name, value in facts
    )
    bars = [_bar(span) for span in trace.spans if span.kind in BAR_KINDS]
    return Markup(
        '<div class="atl-page"><section class="atl-card" aria-live="polite">'
        '<div class="atl-detail-head"><h2 class="atl-h3">{}</h2>{}'
        '<button type="button" class="atl-button" data-size="small" data-atl-copy="{}"'
        ' data-atl-done="{}">{}{}</button></div><dl class="atl-facts">{}</dl></section>'
        '<section class="atl-card"><h3 class="atl-h3">{}</h3>'
        '<pre class="atl-said">{}</pre></section>'
        "{}{}</div>"
    ).format(
        row.short,
        verdict_chip(context.language, row.verdict),
        link,
        say("web.audit.copied"),
        icon("link"),
        say("web.audit.link"),
        listed,
        say("web.audit.sent"),
        masked(context.language, row.request or "…"),
        waterfall(context.language, bars, verdicts=True) if bars else "",
        _acts(context, trace.ledger),
    )


def _bar(span: SpanRow) -> Bar:
    texts = {
        f"web.detail.{name.removeprefix(DETAIL)}": str(value)
        for name, value in span.attributes.items()
        if name.startswith(DETAIL) and value
    }
    name = span.name.partition(" ")[2] or span.name
    if span.kind == "GUARDRAIL":
        name = {"input": "input-check", "output": "output-check"}.get(name, span.name)
    elif tool := conventions.read(span.attributes, "tool"):
        name = f"tool.{tool}"
    elif span.kind == "LLM":
        name = name.rpartition("/")[2]
    elif span.kind in ("TOOL", "RETRIEVER"):
        name = f"tool.{name}"
    return Bar(
        BAR_KINDS[span.kind],
        name,
        span.start_ms,
        span.duration_ms,
        span.verdict or "allowed",
        span.rule,
        texts,
    )


def _acts(context: "Context", acts: Sequence[LedgerRow]) -> Markup:
    if not acts:
        return Markup("")
    words = catalogue(context.language)
    items = joined(
        Markup("<li><code>{}</code><span>{} · {}{}</span>{}</li>").format(
            f"#{act.seq}",
            context.say(f"web.act.{act.kind}") if f"web.act.{act.kind}" in words else act.kind,
            context.say(f"web.act-step.{act.step}")
            if f"web.act-step.{act.step}" in words
            else act.step,
            Markup(" · <code>{}</code>").format(act.rule) if act.rule else "",
            verdict_chip(context.language, LEDGER_VERDICTS.get(act.verdict, act.verdict)),
        )
        for act in acts
    )
    return Markup(
        '<section class="atl-card"><h3 class="atl-h3">{}</h3><p class="atl-small">{}</p>'
        '<ul class="atl-acts">{}</ul></section>'
    ).format(context.say("web.audit.acts"), context.say("web.audit.acts-more"), items)


def sandbox(context: "Context") -> Markup:
    """What the pool says about itself: which seal, how many processes, what failed."""
    say, pool = context.say, context.app.pool
    status, checked = pool.status(), pool.checked
    backend = str(status.get("backend", ""))
    words = catalogue(context.language)
    named = say(f"web.backend.{backend}") if f"web.backend.{backend}" in words else backend
    facts = [
        ("backend", named),
        ("ready", _per_runtime(context, status.get("ready"))),
        ("live", str(status.get("live", 0))),
        ("failures", _per_runtime(context, status.get("failures"))),
    ]
    if status.get("last_error"):
        facts.append(("last_error", str(status["last_error"])))
    listed = joined(
        Markup("<dt>{}</dt><dd>{}</dd>").format(say(f"web.pool.{name}"), value)
        for name, value in facts
    )
    return Markup(
        '<div class="atl-page"><section class="atl-card"><h2 class="atl-h3">{}</h2>'
        '<p class="atl-small">{}</p><dl class="atl-facts">{}</dl>{}</section></div>'
    ).format(
        say("web.audit.sandbox"),
        say("web.audit.sandbox-more"),
        listed,
        _rungs(context, checked),
    )


def _rungs(context: "Context", checked: Checked) -> Markup:
    """What the self-check tried on each rung, and what held."""
    say, language = context.say, context.language
    if not checked.checks:
        return Markup('<p class="atl-small">{}</p>').format(say("seal.check.never"))
    parts = []
    for rung in dict.fromkeys(check.rung for check in checked.checks):
        mine = [check for check in checked.checks if check.rung == rung]
        rows = joined(
            Markup("<li>{}<span>{}</span></li>").format(
                icon("circle-check" if check.held else "triangle-alert"),
                in_words(language, f"cli.check.{check.name}")
                + ("" if check.held else ": " + in_words(language, check.detail)),
            )
            for check in mine
        )
        parts.append(
            Markup("<details{}><summary>{}</summary><ul>{}</ul></details>").format(
                Markup(" open") if any(not check.held for check in mine) else "",
                say(
                    "seal.check.rung",
                    rung=say(f"web.backend.{rung}"),
                    held=sum(check.held for check in mine),
                    tried=len(mine),
                ),
                rows,
            )
        )
    when = context.at(checked.at) if checked.at else ""
    return Markup('<p class="atl-small">{}</p><div class="atl-rungs">{}</div>').format(
        say("seal.check.when", when=when), joined(parts)
    )


def _per_runtime(context: "Context", value: object) -> str:
    if not isinstance(value, Mapping):
        return str(value or 0)
    return " · ".join(f"{context.say(f'web.pool.{name}')} {n}" for name, n in value.items())
