"""Evaluation: test cases of an agent, runs with progress, results beside those of the last run."""

from agents.agent_records import AgentRecord
from agents.evaluation_runs import RunRecord
from ui.routes.evaluation import seen
from ui.web.components.results import results
from ui.web.components.reviewing import chip, progress
from ui.web.frame import query
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.nav import address
from ui.web.pages.evaluation_cases import cases, copy, more
from ui.web.plain import Visit, empty, head

RUN_TONES = {
    "running": "wait", "done": "good", "cancelled": "", "interrupted": "wait", "failed": "bad",
}  # fmt: skip


def body(visit: Visit) -> Markup:
    """One agent's cases and runs, or the choice of an agent."""
    visit.sheet("publish")
    if run := visit.query.get("run"):
        return _whole_run(visit, run)
    mine = visit.app.catalog.mine(visit.person.id)
    wanted = visit.query.get("agent", "")
    record = visit.app.catalog.get(wanted, visit.person.id) if wanted else None
    choice = _choice(visit, mine, record)
    lead = visit.say("evaluation.lead")
    if record is None:
        link = Markup('<a class="atl-button" data-kind="primary" href="{}">{}</a>').format(
            address(visit.language, "build"), visit.say("publish.build")
        )
        nothing = empty(
            "list-checks",
            visit.say("evaluation.choose" if mine else "evaluation.no-agents"),
            visit.say("evaluation.choose-more"),
            "" if mine else link,
        )
        return head(visit, "evaluation", lead, choice) + nothing
    own = record.status == "draft"
    return (
        head(visit, "evaluation", lead, choice)
        + _runs(visit, record)
        + Markup(
            '<div class="atl-split"><div class="atl-stack">{}</div><aside>{}</aside></div>'
        ).format(cases(visit, record, own), more(visit, record) if own else copy(visit, record))
    )


def _choice(visit: Visit, mine: list[AgentRecord], record: AgentRecord | None) -> Markup:
    known = {each.id: each for each in mine}
    if record is not None:
        known.setdefault(record.id, record)
    if not known:
        return Markup("")
    options = joined(
        Markup('<option value="{}"{}>{}</option>').format(
            each.id,
            attributes(selected=record is not None and each.id == record.id),
            each.spec.title.to(visit.language) or visit.say("web.untitled"),
        )
        for each in known.values()
    )
    none = (
        Markup('<option value="" selected>{}</option>').format(visit.say("evaluation.pick"))
        if record is None
        else ""
    )
    return Markup(
        '<form data-live><label><span class="atl-visually-hidden">{}</span>'
        '<select name="agent" class="atl-input" id="evaluation-agent">{}{}</select></label></form>'
    ).format(visit.say("evaluation.agent"), none, options)


# ── runs ─────────────────────────────────────────────────────────────────────────────────


def _runs(visit: Visit, record: AgentRecord) -> Markup:
    say = visit.say
    evaluations = visit.app.desk.evaluations
    runs = [run for run in evaluations.of(record.id, 12) if run.by == visit.person.id]
    running = next((run for run in runs if run.state == "running"), None)
    latest = running or (runs[0] if runs else None)
    shown = Markup("")
    if latest is not None:
        shown = _run(visit, latest, record)
    history = joined(
        Markup('<li><a href="{}">{}</a><div>{}</div>{}</li>').format(
            address(visit.language, "evaluation", query(run=run.id)),
            visit.ago(run.started),
            _what(visit, run),
            chip(say(f"evaluation.state.{run.state}"), RUN_TONES[run.state]),
        )
        for run in runs
        if latest is None or run.id != latest.id
    )
    older = (
        Markup(
            '<details class="atl-fold" id="older"><summary>{}</summary>'
            '<ul class="atl-versions">{}</ul></details>'
        ).format(say("evaluation.older", n=len(runs) - 1), history)
        if history
        else ""
    )
    return Markup('<section class="atl-stack" id="runs"{}>{}{}{}</section>').format(
        attributes(data_poll="2" if running else None),
        "" if running else _start(visit, record),
        shown,
        older,
    )


def _start(visit: Visit, record: AgentRecord) -> Markup:
    say = visit.say
    n = len(record.spec.cases)

    def options(name: str, chosen: str, values: tuple[str, ...]) -> Markup:
        return joined(
            Markup('<option value="{}"{}>{}</option>').format(
                value, attributes(selected=value == chosen), say(f"evaluation.{name}.{value}")
            )
            for value in values
        )

    roles = ("", *(role for role in ("staff", "champion", "security") if role in _roles(visit)))
    role_options = joined(
        Markup('<option value="{}">{}</option>').format(
            role, say(f"web.role.{role}") if role else say("evaluation.as-me")
        )
        for role in roles
    )
    return Markup(
        '<form class="atl-panel atl-form" data-api="POST /api/v1/agents/{}/evaluations" data-keep>'
        '<div class="atl-form-row"><label class="atl-field">{}<select name="which">{}</select>'
        '</label><label class="atl-field">{}<select name="repeats" data-type="number">{}</select>'
        '</label><label class="atl-field">{}<select name="role">{}</select></label>'
        '<div class="atl-actions"><button class="atl-button" data-kind="primary">{}{}</button>'
        '</div></div><p class="atl-hint">{}</p><p role="alert" class="atl-formerror" hidden></p>'
        "</form>"
    ).format(
        record.id,
        say("evaluation.which"),
        options("which", "all" if n else "safety", ("all", "own", "safety")),
        say("evaluation.repeats"),
        options("repeats", "1", ("1", "3", "5")),
        say("evaluation.role"),
        role_options,
        icon("play"),
        say("evaluation.run"),
        say("evaluation.run-more", n=n),
    )


def _roles(visit: Visit) -> frozenset[str]:
    return frozenset({"staff", *visit.person.granted})


def _run(visit: Visit, run: RunRecord, record: AgentRecord | None) -> Markup:
    say = visit.say
    if run.state == "running":
        return Markup(
            '<section class="atl-panel"><h2>{}</h2>{}<div class="atl-actions">'
            '<button class="atl-button" data-api="POST /api/v1/evaluations/{}/cancel" data-ok="{}">'
            "{}{}</button></div></section>"
        ).format(
            say("evaluation.running"),
            progress(visit, run),
            run.id,
            say("evaluation.stopped"),
            icon("square"),
            say("evaluation.stop"),
        )
    stale = record is not None and record.spec.content_hash() != run.content
    return results(visit, run, stale=stale)


def _what(visit: Visit, run: RunRecord) -> str:
    words = [
        visit.say(f"evaluation.which.{run.which}"),
        visit.say("evaluation.times", n=run.repeats),
        run.model,
    ]
    if run.role:
        words.append(visit.say("evaluation.as", role=visit.say(f"web.role.{run.role}")))
    return " · ".join(word for word in words if word)


def _whole_run(visit: Visit, wanted: str) -> Markup:
    run = seen(visit.app, wanted, visit.person)
    polled = attributes(data_poll="2" if run.state == "running" else None)
    mine = {each.id: each for each in visit.app.catalog.mine(visit.person.id)}
    own = mine.get(run.agent)
    title = own.spec.title.to(visit.language) if own else ""
    return Markup(
        '<a class="atl-crumb" href="{}">{}{}</a>{}<p class="atl-small">{}</p>'
        '<section class="atl-stack" id="runs"{}>{}</section>'
    ).format(
        address(visit.language, "evaluation", query(agent=run.agent))
        if run.by == visit.person.id
        else address(visit.language, "publish"),
        icon("arrow-left"),
        title or visit.say("publish.back"),
        head(visit, "evaluation"),
        f"{visit.at(run.started)} · {_what(visit, run)}",
        polled,
        _run(visit, run, None),
    )
