"""Audit: counts by verdict, search, a table by pages, one trace in detail, proof of the ledger.

Every look is itself an act in the ledger, written before anything is shown.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import gradio as gr

from agents.catalog import templates
from guardrails.audit.ledger import Act
from guardrails.audit.search import VERDICTS, TraceFilter
from guardrails.audit.verify import Verification, verify
from guardrails.errors import GuardrailError
from ui.identity import Person
from ui.seal_check import check_now
from ui.web.components import traces
from ui.web.markup import Markup, icon
from ui.web.pages.common import Context, html, refusal

PAGE = 12
PERIODS: dict[str, timedelta | None] = {
    "1": timedelta(days=1),
    "7": timedelta(days=7),
    "30": timedelta(days=30),
    "": None,
}
ALL = "all"


def build(context: Context, page: gr.Blocks) -> None:
    """Put the page into `page`."""
    say = context.say
    html(_head(context))
    kpis = html(elem_id="atl-kpis")
    with gr.Row(elem_classes="atl-audit-bar"):
        words = gr.Textbox(
            label=say("web.audit.search"),
            placeholder=say("web.audit.search.hint"),
            scale=3,
            max_length=200,
        )
        agent = gr.Dropdown(
            [(say("web.audit.all-agents"), ALL)], value=ALL, label=say("web.audit.agent"), scale=2
        )
        period = gr.Dropdown(
            [(say(f"web.audit.period.{days or 'all'}"), days) for days in PERIODS],
            value="7", label=say("web.audit.period"), scale=1,
        )  # fmt: skip
    verdict = gr.Radio(
        [(say("web.audit.every"), ""), *[(say(f"web.verdict.{name}"), name) for name in VERDICTS]],
        value="", show_label=False, container=False, elem_id="atl-verdicts",
    )  # fmt: skip
    with gr.Row(elem_classes="atl-two"):
        with gr.Column(scale=6, min_width=320):
            table = html(elem_id="atl-table")
            with gr.Row(elem_classes="atl-pager-row"):
                first = gr.Button(say("web.audit.newest"), size="sm", visible=False)
                more = gr.Button(say("web.audit.older"), size="sm", visible=False)
        with gr.Column(scale=5, min_width=320):
            detail = html(elem_id="atl-detail")
    with gr.Row(elem_classes="atl-two"):
        with gr.Column(scale=1, min_width=320, elem_classes="atl-formcard"):
            seal = html(_seal(context, None), elem_id="atl-ledger")
            check = gr.Button(say("web.audit.verify"), variant="primary", elem_id="atl-verify")
        with gr.Column(scale=1, min_width=320):
            sandbox = html(elem_id="atl-sandbox")
            try_seal = gr.Button(say("seal.check.now"), elem_id="atl-try-seal")
    cursor = gr.State("")
    chosen = gr.Textbox(visible="hidden", elem_id="atl-open-id", show_label=False)
    go = gr.Button(visible="hidden", elem_id="atl-open-go")
    filters = [words, agent, period, verdict]
    shown = [kpis, table, cursor, first, more]
    quiet = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}

    def search(
        words: str, agent: str, period: str, verdict: str, request: gr.Request, after: str = ""
    ) -> list[object]:
        person = context.person(request, "traces.view")
        chosen_filter = _filter(words, agent, period, verdict)
        _record(context, person, chosen_filter, words)
        try:
            found = context.app.traces.page(chosen_filter, after or None, PAGE)
            counts = context.app.traces.counts(chosen_filter)
        except GuardrailError as error:
            raise refusal(context.language, error) from error
        total = counts.get(verdict, 0) if verdict else sum(counts.values())
        return [
            str(traces.kpis(context, counts, period)),
            str(traces.table(context, found.rows, total, titles(context))),
            found.next or "",
            gr.update(visible=bool(after)),
            gr.update(visible=found.next is not None),
        ]

    def older(
        words: str, agent: str, period: str, verdict: str, after: str, request: gr.Request
    ) -> list[object]:
        return search(words, agent, period, verdict, request, after)

    def arrive(request: gr.Request) -> list[object]:
        person = context.person(request, "traces.view")
        asked = dict(request.query_params).get("trace", "")
        found = [
            (say("web.audit.all-agents"), ALL),
            *[(titles(context).get(name, name), name) for name in context.app.traces.agents()],
        ]
        return [
            *search("", ALL, "7", "", request),
            gr.update(choices=found),
            str(_open(context, person, asked)),
            str(traces.sandbox(context)),
        ]

    def look(trace_id: str, request: gr.Request) -> str:
        return str(_open(context, context.person(request, "traces.view"), trace_id))

    def prove(request: gr.Request) -> str:
        person = context.person(request, "audit.verify")
        return str(_seal(context, _verify(context, person)))

    async def try_rungs(request: gr.Request) -> str:
        person = context.person(request, "status.view")
        await context.app.ledger.arecord(Act("sandbox.check", person.id))
        await check_now(context.app)
        return str(traces.sandbox(context))

    page.load(arrive, None, [*shown, agent, detail, sandbox], **quiet)
    for part in (agent, period, verdict):
        part.change(search, filters, shown, **quiet)
    words.change(search, filters, shown, trigger_mode="always_last", **quiet)
    first.click(search, filters, shown, **quiet)
    more.click(older, [*filters, cursor], shown, **quiet)
    go.click(look, chosen, detail, **quiet)
    check.click(prove, None, seal, **{**quiet, "show_progress": "minimal"})
    try_seal.click(try_rungs, None, sandbox, **{**quiet, "show_progress": "minimal"})


def titles(context: Context) -> dict[str, str]:
    """Template titles by id; a private draft shows its id only."""
    return {name: spec.title.to(context.language) for name, spec in templates().items()}


def _filter(words: str, agent: str, period: str, verdict: str) -> TraceFilter:
    span = PERIODS.get(period)
    chosen = TraceFilter(
        verdict=verdict if verdict in VERDICTS else "",
        agent="" if agent == ALL else agent,
        since=datetime.now(UTC) - span if span else None,
    )
    words = words.strip()[:200]
    if words.startswith("tr_"):
        return replace(chosen, trace_id=words)
    if words.startswith("p_"):
        return replace(chosen, person=words)
    return replace(chosen, text=words)


def _record(context: Context, person: Person, chosen: TraceFilter, words: str) -> None:
    # the words searched for may name a person: how many is enough for the record
    payload = {"verdict": chosen.verdict, "agent": chosen.agent, "words": len(words.split())}
    context.app.ledger.record(Act("audit.search", person.id, payload=payload))


def _head(context: Context) -> Markup:
    return Markup(
        '<div class="atl-page"><header><h1 class="atl-h1">{}</h1>'
        '<p class="atl-lead">{}</p></header></div>'
    ).format(context.say("web.audit.title"), context.say("web.audit.lead"))


def _open(context: Context, person: Person, trace_id: str) -> Markup:
    if not trace_id:
        return Markup(
            '<div class="atl-page"><div class="atl-empty">{}<b>{}</b><p>{}</p></div></div>'
        ).format(
            icon("scan-search"),
            context.say("web.audit.choose"),
            context.say("web.audit.choose-more"),
        )
    found = context.app.traces.get(trace_id)
    if found is None:
        return Markup(
            '<div class="atl-page"><div class="atl-empty">{}<b>{}</b></div></div>'
        ).format(icon("search"), context.say("web.audit.gone"))
    context.app.ledger.record(
        Act(
            "trace.view",
            person.id,
            trace_id=found.row.trace_id,
            conversation=found.row.conversation,
            subject=found.row.person,
        )
    )
    return traces.detail(context, found, titles(context))


def _verify(context: Context, person: Person) -> Verification:
    app = context.app
    app.ledger.record(Act("audit.verify", person.id))
    app.ledger.checkpoint()
    return verify(
        app.engine,
        app.keys.signing().public_key(),
        app.checkpoint_file,
        mac_key=app.keys.derive("ledger-chain"),
    )


def _seal(context: Context, result: Verification | None) -> Markup:
    say = context.say
    if result is None:
        kind, picture, text = "info", "lock", say("web.audit.seal.hint")
    elif result.ok:
        now = context.at(datetime.now(UTC), "HH:mm:ss")
        kind, picture = "ok", "badge-check"
        text = say("web.audit.seal.ok", n=result.rows, checkpoints=result.checkpoints, time=now)
    else:
        kind, picture = "error", "triangle-alert"
        bad = result.first_bad
        text = say("web.audit.seal.bad", row=bad.seq if bad else 0, what=bad.what if bad else "")
    return Markup(
        '<div class="atl-page"><h2 class="atl-h3">{}</h2>'
        '<div class="atl-ribbon" data-kind="{}" role="status">{}<div>{}</div></div></div>'
    ).format(say("web.audit.seal"), kind, icon(picture), text)
