"""The steps of a trace: bars, what was decided and by what, and the acts on record."""

import json
from collections.abc import Sequence

from guardrails.audit import conventions
from guardrails.audit.trace_rows import LedgerRow, SpanRow
from ui.messages import catalogue
from ui.web.components.chips import verdict_chip
from ui.web.components.names import act_name, rule_choice, rule_mark
from ui.web.components.waterfall import Bar, step_name
from ui.web.markup import Markup, joined
from ui.web.plain import Visit

BAR_KINDS = {"GUARDRAIL": "guardrail", "LLM": "model", "RETRIEVER": "retrieval", "TOOL": "tool"}
DETAIL = "app.detail."
LEDGER_VERDICTS = {"allow": "allowed", "ask": "flagged", "deny": "blocked"}


def bar(visit: Visit, span: SpanRow) -> Bar:
    """A step as a bar of the waterfall."""
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


def decisions(visit: Visit, spans: Sequence[SpanRow]) -> Markup:
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


def acts_of(visit: Visit, acts: Sequence[LedgerRow]) -> Markup:
    """The rows of the ledger that belong to a trace, folded."""
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
