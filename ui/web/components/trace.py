"""One trace in detail: who, what was typed and sent, the steps, decisions, acts, its reveal."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from guardrails.audit.reveal import Reveal
from guardrails.audit.trace_rows import LedgerRow, Trace, TraceRow
from guardrails.audit.verify import Problem
from ui.looking import TraceQuery
from ui.messages import catalogue
from ui.web.components.chips import kind_name, masked, verdict_chip
from ui.web.components.filters import page_address
from ui.web.components.names import agent_name, rule_mark
from ui.web.components.reveals import reveals_of
from ui.web.components.trace_steps import BAR_KINDS, acts_of, bar, decisions
from ui.web.components.traces import trace_address
from ui.web.components.waterfall import duration, waterfall
from ui.web.markup import Markup, icon, joined
from ui.web.plain import Visit, empty

_TOKEN = re.compile(r"<([A-Z][A-Z_]*?)(?:_(\d+))?>")
TURNS = 30  # of a conversation are shown


def choose(visit: Visit) -> Markup:
    """What stands there before a trace is opened."""
    return empty("scan-search", visit.say("web.audit.choose"), visit.say("web.audit.choose-more"))


def detail(
    visit: Visit,
    asked: TraceQuery,
    trace: Trace,
    *,
    titles: Mapping[str, str],
    turns: Sequence[TraceRow],
    problem: Problem | None,
    reveals: Sequence[Reveal],
    me: str,
) -> Markup:
    """Everything about one trace. `problem` is what its ledger rows show when checked now."""
    bars = [bar(visit, span) for span in trace.spans if span.kind in BAR_KINDS]
    steps = waterfall(visit.language, bars, verdicts=True) if bars else Markup("")
    return joined(
        [
            _head(visit, asked, trace, titles, problem),
            _sent(visit, trace.row),
            steps,
            decisions(visit, trace.spans),
            _timeline(visit, asked, trace.row, turns),
            acts_of(visit, trace.ledger),
            reveals_of(visit, trace.row, reveals, me),
        ]
    )


def _head(
    visit: Visit,
    asked: TraceQuery,
    trace: Trace,
    titles: Mapping[str, str],
    problem: Problem | None,
) -> Markup:
    row, say = trace.row, visit.say
    agent = _filter(visit, "agent", row.agent, agent_name(visit, titles, row.agent))
    who = _filter(visit, "pseudonym", row.person, row.person, code=True)
    department = _filter(visit, "department", row.department, row.department)
    total = [duration(visit.language, row.duration_ms), say("web.how.tokens", n=row.tokens)]
    if row.cost:
        total.append(say("record.fact.cost-of", cost=visit.number(round(row.cost, 4))))
    facts: list[tuple[str, str | Markup]] = [
        ("who", _dots(department, who) if row.department else who),
        ("agent", _dots(agent, row.version) if row.version else agent),
        ("model", _dots(row.model, _location(visit, row.location)) if row.model else "–"),
        ("data", say(f"web.data.{row.data_class}") if row.data_class else "–"),
        ("found", ", ".join(kind_name(visit.language, kind) for kind in row.kinds) or "–"),
        ("when", visit.at(row.when, "d MMM y HH:mm:ss")),
        ("total", " · ".join(total)),
    ]
    listed = joined(
        Markup("<dt>{}</dt><dd>{}</dd>").format(say(f"web.audit.{name}"), value)
        for name, value in facts
    )
    why = (
        Markup('<p class="atl-detail-why">{}</p>').format(
            _filter(visit, "rule", row.rule, rule_mark(visit, row.rule, row.verdict))
        )
        if row.rule
        else ""
    )
    return Markup(
        '<section class="atl-card"><div class="atl-detail-head"><h2 class="atl-h3">{}</h2>'
        '<button type="button" class="atl-button" data-size="small" data-atl-copy="{}"'
        ' data-atl-done="{}">{}{}</button></div><p class="atl-detail-marks">{}{}</p>{}'
        '<dl class="atl-facts">{}</dl></section>'
    ).format(
        row.short,
        page_address(visit, {}, open=row.trace_id),
        say("web.audit.copied"),
        icon("link"),
        say("web.audit.link"),
        verdict_chip(visit.language, row.verdict),
        _sealed(visit, trace.ledger, problem),
        why,
        listed,
    )


def _sealed(visit: Visit, acts: Sequence[LedgerRow], problem: Problem | None) -> Markup:
    if problem is not None:
        return Markup('<span class="atl-chip" data-verdict="blocked">{}{}</span>').format(
            icon("triangle-alert"), visit.say(f"verify.{problem.what}", seq=problem.seq)
        )
    if not acts:
        return Markup("")
    return Markup('<span class="atl-chip" title="{}">{}{}</span>').format(
        visit.say("record.sealed-more", first=acts[0].seq, last=acts[-1].seq),
        icon("lock"),
        visit.say("record.sealed"),
    )


def _filter(
    visit: Visit, field: str, value: str, shown: str | Markup, *, code: bool = False
) -> Markup:
    inside = Markup("<code>{}</code>").format(shown) if code else shown
    return Markup('<a href="{}" data-record-go title="{}">{}</a>').format(
        page_address(visit, {field: value}), visit.say("record.filter-by"), inside
    )


def _dots(first: str | Markup, second: str | Markup) -> Markup:
    return Markup("{} · {}").format(first, second)


def _location(visit: Visit, location: str) -> str:
    key = f"record.location.{location}"
    return visit.say(key) if key in catalogue(visit.language) else location or "–"


def _sent(visit: Visit, row: TraceRow) -> Markup:
    """What was typed beside what was sent. The typed values are shown to nobody here."""
    found = Counter((kind, number or "") for kind, number in _TOKEN.findall(row.request))
    say = visit.say
    hidden = joined(
        Markup("<li>{}<span>{}</span>{}</li>").format(
            Markup('<span class="atl-hiddenvalue">{}</span>').format("•" * 8),
            icon("arrow-right"),
            Markup('<span class="atl-token">{}</span>{}').format(
                f"{kind_name(visit.language, kind)} {number}".strip(),
                Markup(' <span class="atl-small">×{}</span>').format(n) if n > 1 else "",
            ),
        )
        for (kind, number), n in found.items()
    )
    sent = Markup('<div><h4>{}</h4><p class="atl-said">{}</p></div>').format(
        say("web.audit.sent"), masked(visit.language, row.request or "…")
    )
    if found:
        diff = Markup(
            '<p class="atl-small">{}</p><ul class="atl-masks" aria-label="{}">{}</ul>'
        ).format(say("record.masks", n=len(found)), say("record.masks.list"), hidden)
        typed = Markup('<div><h4>{}</h4><p class="atl-said">{}</p></div>').format(
            say("record.typed"), _hidden(visit, row.request)
        )
    else:  # the same text twice would only have to be compared
        diff = Markup('<p class="atl-small">{}</p>').format(say("record.masks.none"))
        typed = Markup("")
    return Markup(
        '<section class="atl-card"><h3 class="atl-h3">{}</h3><div class="atl-typed">{}{}</div>{}'
        "</section>"
    ).format(say("record.typed-and-sent"), typed, sent, diff)


def _hidden(visit: Visit, text: str) -> Markup:
    """The text as it was typed, as far as anybody may see it: values are dots."""
    parts: list[str] = []
    at = 0
    for found in _TOKEN.finditer(text):
        parts += [
            text[at : found.start()],
            Markup('<span class="atl-hiddenvalue" title="{}">{}</span>').format(
                visit.say("record.hidden"), "•" * 8
            ),
        ]
        at = found.end()
    parts.append(text[at:] or ("" if parts else "…"))
    return joined(parts)


def _timeline(visit: Visit, asked: TraceQuery, row: TraceRow, turns: Sequence[TraceRow]) -> Markup:
    if len(turns) < 2:
        return Markup("")
    items = joined(
        Markup('<li{}><time datetime="{}">{}</time>{}<a href="{}" data-record-trace="{}">{}</a>'
               "</li>").format(
            Markup(' aria-current="true"') if turn.trace_id == row.trace_id else "",
            turn.when.isoformat(),
            visit.at(turn.when, "HH:mm:ss"),
            verdict_chip(visit.language, turn.verdict),
            trace_address(visit, asked, turn.trace_id),
            turn.trace_id,
            masked(visit.language, turn.request[:90] or "…"),
        )
        for turn in turns[-TURNS:]
    )  # fmt: skip
    return Markup(
        '<section class="atl-card"><h3 class="atl-h3">{}</h3><p class="atl-small">{}</p>'
        '<ol class="atl-timeline">{}</ol></section>'
    ).format(visit.say("record.timeline"), visit.say("record.timeline-more", n=len(turns)), items)
