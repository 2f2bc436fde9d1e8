"""One trace in detail: who, what was typed and sent, the steps, decisions, acts, its reveal."""

import json
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from guardrails.audit import conventions
from guardrails.audit.reveal import Reveal
from guardrails.audit.search import LedgerRow, SpanRow, Trace, TraceRow
from guardrails.audit.verify import Problem
from ui.access import may
from ui.looking import TraceQuery
from ui.messages import catalogue
from ui.rulebook import officers
from ui.web.components.chips import kind_name, masked, verdict_chip
from ui.web.components.filters import page_address
from ui.web.components.names import act_name, agent_name, officer, rule_choice, rule_mark
from ui.web.components.traces import trace_address
from ui.web.components.waterfall import Bar, duration, step_name, waterfall
from ui.web.frame import query
from ui.web.markup import Markup, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit, empty

BAR_KINDS = {"GUARDRAIL": "guardrail", "LLM": "model", "RETRIEVER": "retrieval", "TOOL": "tool"}
DETAIL = "app.detail."
LEDGER_VERDICTS = {"allow": "allowed", "ask": "flagged", "deny": "blocked"}
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
    bars = [_bar(visit, span) for span in trace.spans if span.kind in BAR_KINDS]
    steps = waterfall(visit.language, bars, verdicts=True) if bars else Markup("")
    return joined(
        [
            _head(visit, asked, trace, titles, problem),
            _sent(visit, trace.row),
            steps,
            _decisions(visit, trace.spans),
            _timeline(visit, asked, trace.row, turns),
            _acts(visit, trace.ledger),
            _reveal(visit, trace.row, reveals, me),
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


def _bar(visit: Visit, span: SpanRow) -> Bar:
    texts = {
        f"web.detail.{name.removeprefix(DETAIL)}": str(value)
        for name, value in span.attributes.items()
        if name.startswith(DETAIL) and value
    }
    name = span.name.partition(" ")[2] or span.name
    if span.kind == "GUARDRAIL":
        checks = {"input": "input-check", "output": "output-check", "file": "file-check"}
        if name.startswith("approval "):
            asked = step_name(visit.language, f"tool.{name.removeprefix('approval ')}")
            name = visit.say("web.step.guard.approval", tool=asked.removeprefix("tool."))
        name = checks.get(name, name)
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


def _decisions(visit: Visit, spans: Sequence[SpanRow]) -> Markup:
    """Each rule that decided something: its plain sentence, and what it saw."""
    items = []
    for span in spans:
        if not span.rule or span.kind not in BAR_KINDS:
            continue
        inputs = _inputs(span.attributes.get("app.decision.inputs"))
        matched = span.attributes.get("app.decision.rules") or ()
        policy = str(conventions.read(span.attributes, "policy_set"))
        facts = [(name, value) for name, value in inputs.items() if value]
        if matched:
            facts.append(("rules", ", ".join(map(str, matched))))
        if policy:
            facts.append(("policy_set", policy[:12]))
        seen = joined(
            Markup("<dt>{}</dt><dd>{}</dd>").format(
                visit.say(f"record.input.{name}")
                if f"record.input.{name}" in catalogue(visit.language)
                else name,
                value,
            )
            for name, value in facts
        )
        items.append(
            Markup('<li><div class="atl-decision"><p>{}</p>{}</div>{}</li>').format(
                rule_mark(visit, span.rule, span.verdict),
                verdict_chip(visit.language, span.verdict or "allowed"),
                Markup(
                    '<details><summary>{}</summary><dl class="atl-facts">{}</dl></details>'
                ).format(visit.say("record.inputs"), seen)
                if facts
                else "",
            )
        )
    if not items:
        return Markup("")
    return Markup(
        '<section class="atl-card"><h3 class="atl-h3">{}</h3><ul class="atl-decisions">{}</ul>'
        "</section>"
    ).format(visit.say("record.decisions"), joined(items))


def _inputs(text: object) -> dict[str, str]:
    try:
        found = json.loads(str(text or "{}"))
    except ValueError:
        return {}
    return {
        str(name): ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in (found.items() if isinstance(found, dict) else ())
    }


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


def _acts(visit: Visit, acts: Sequence[LedgerRow]) -> Markup:
    if not acts:
        return Markup("")
    words = catalogue(visit.language)
    items = joined(
        Markup("<li><code>{}</code><span>{} · {}{}</span>{}</li>").format(
            f"#{act.seq}",
            act_name(visit, act.kind),
            visit.say(f"web.act-step.{act.step}")
            if f"web.act-step.{act.step}" in words
            else act.step,
            Markup(' · <span title="{}">{}</span>').format(act.rule, rule_choice(visit, act.rule))
            if act.rule
            else "",
            verdict_chip(visit.language, LEDGER_VERDICTS.get(act.verdict, act.verdict)),
        )
        for act in acts
    )
    return Markup(
        '<details class="atl-fold" id="atl-acts"><summary>{} <span class="atl-count">{}</span>'
        '</summary><p class="atl-small">{}</p><ul class="atl-acts">{}</ul></details>'
    ).format(visit.say("web.audit.acts"), len(acts), visit.say("web.audit.acts-more"), items)


def _reveal(visit: Visit, row: TraceRow, reveals: Sequence[Reveal], me: str) -> Markup:
    say = visit.say
    parts = [reveal_row(visit, one, me) for one in reveals]
    waiting = any(one.requester == me and one.state == "asked" for one in reveals)
    if not waiting:
        parts.append(
            Markup(
                '<details id="atl-askreveal"><summary>{}</summary>'
                '<form class="atl-form" data-api="POST /api/v1/audit/traces/{}/reveal"'
                ' data-ok="{}"><label class="atl-field"><span>{}</span>'
                '<textarea name="reason" required minlength="10" maxlength="500"></textarea>'
                "<small>{}</small></label>"
                '<button class="atl-button" data-kind="primary">{}</button>'
                '<p role="alert" class="atl-formerror"></p></form></details>'
            ).format(
                say("record.reveal.ask"),
                row.trace_id,
                say("record.reveal.asked"),
                say("record.reveal.reason"),
                say("record.reveal.reason-more"),
                say("record.reveal.send"),
            )
        )
    return Markup(
        '<section class="atl-card atl-reveals"><h3 class="atl-h3">{}{}</h3>'
        '<p class="atl-small">{}</p>{}</section>{}'
    ).format(
        icon("eye"),
        say("record.reveal"),
        say("record.reveal.more"),
        joined(parts),
        _keep(visit, row),
    )


def _keep(visit: Visit, row: TraceRow) -> Markup:
    """The way to a legal hold on the conversation."""
    if not row.conversation or not may(visit.person, "retention.manage"):
        return Markup("")
    asked = query(hold="conversation", value=row.conversation)
    return Markup('<a class="atl-more" href="{}#atl-placehold">{}{}</a>').format(
        address(visit.language, "retention", asked), icon("lock"), visit.say("record.keep")
    )


def reveal_row(visit: Visit, one: Reveal, me: str) -> Markup:
    """One request and what this person can do about it."""
    say = visit.say
    over = one.state == "granted" and (one.expires or 0) <= time.time()
    state_key = "expired" if over else one.state
    can: Markup | str = ""
    if one.state == "asked" and me not in (one.requester, one.author):
        can = joined(
            Markup(
                '<button type="button" class="atl-button" data-size="small"{}'
                ' data-api="POST /api/v1/audit/reveals/{}/{}" data-ok="{}">{}</button>'
            ).format(
                Markup(' data-kind="primary"') if verb == "approve" else "",
                one.id,
                verb,
                say(f"record.reveal.{verb}d"),
                say(f"record.reveal.{verb}"),
            )
            for verb in ("approve", "refuse")
        )
    elif state_key == "granted" and me == one.requester:
        can = Markup(
            '<button type="button" class="atl-button" data-size="small" data-kind="primary"'
            ' data-api="GET /api/v1/audit/reveals/{}" data-then="none" data-record-reveal>{}'
            "</button>"
            '<div class="atl-revealed" hidden><h4>{}</h4><p class="atl-said" data-request></p>'
            '<h4>{}</h4><p class="atl-said" data-reply></p></div>'
        ).format(
            one.id,
            say("record.reveal.show"),
            say("record.reveal.typed"),
            say("record.reveal.answered"),
        )
    return Markup(
        '<div class="atl-revealrow"><p><span class="atl-chip">{}</span> {} · {}</p>'
        '<p class="atl-small">{}</p><div class="atl-actions">{}</div></div>'
    ).format(
        say(f"record.reveal.state.{state_key}"),
        officer(officers(visit.app, visit.language), one.requester)
        if one.requester != me
        else say("record.reveal.you"),
        visit.ago(datetime.fromtimestamp(one.asked, UTC)),
        say("record.quote", text=one.reason),
        can,
    )
