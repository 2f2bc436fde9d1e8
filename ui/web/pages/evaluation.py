"""Evaluation: test cases of an agent, runs with progress, results beside those of the last run."""

from agents.cases import COLUMNS, cells
from agents.catalog import AgentRecord
from agents.evaluation import RunRecord
from agents.spec import Case
from guardrails.errors import BadInput
from ui.messages import LANGUAGES
from ui.routes.evaluation import seen
from ui.web.components.results import results
from ui.web.components.reviewing import chip, progress
from ui.web.frame import query
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit, empty, head

RUN_TONES = {
    "running": "wait", "done": "good", "cancelled": "", "interrupted": "wait", "failed": "bad",
}  # fmt: skip
FIELDS = tuple(
    name
    for name in COLUMNS
    if name not in ("id", "language", "input", "refuses", "rubric", "within", "files")
)


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
        ).format(_cases(visit, record, own), _more(visit, record) if own else _copy(visit, record))
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


# ── cases ────────────────────────────────────────────────────────────────────────────────


def _cases(visit: Visit, record: AgentRecord, own: bool) -> Markup:
    say = visit.say
    listed = joined(_case(visit, record.id, case, own) for case in record.spec.cases)
    inside = (
        Markup('<div class="atl-cases">{}</div>').format(listed)
        if listed
        else empty("list-checks", say("evaluation.no-cases"), say("evaluation.no-cases-more"))
    )
    return Markup('<section class="atl-panel"><h2>{}</h2>{}</section>').format(
        say("evaluation.cases", n=len(record.spec.cases)), inside
    )


def _case(visit: Visit, agent: str, case: Case, own: bool) -> Markup:
    say = visit.say
    form = _form(visit, agent, case) if own else _facts(visit, case)
    delete = (
        Markup(
            '<div class="atl-actions"><button class="atl-button" data-size="small"'
            ' data-kind="danger" data-api="DELETE /api/v1/agents/{}/cases/{}" data-sure="{}"'
            ' data-ok="{}">{}{}</button></div>'
        ).format(
            agent,
            case.id,
            say("evaluation.delete-sure"),
            say("evaluation.deleted"),
            icon("trash-2"),
            say("evaluation.delete"),
        )
        if own
        else ""
    )
    return Markup(
        '<details class="atl-fold atl-case" id="case-{}"><summary>{}<span><b>{}</b>'
        "<small>{}</small>"
        '</span><span class="atl-meta">{}{}</span></summary>{}{}</details>'
    ).format(
        case.id,
        icon("message-circle"),
        case.id,
        case.input,
        chip(case.language.upper()),
        chip(say("evaluation.expectations", n=_expectations(case))),
        form,
        delete,
    )


def _expectations(case: Case) -> int:
    expect = case.expect.model_dump(exclude_defaults=True)
    return sum(len(value) if isinstance(value, list | tuple) else 1 for value in expect.values())


def _facts(visit: Visit, case: Case) -> Markup:
    rows = joined(
        Markup("<dt>{}</dt><dd>{}</dd>").format(visit.say(f"evaluation.field.{name}"), value)
        for name, value in cells(case).items()
        if value and name not in ("id", "language", "input")
    )
    return Markup('<p class="atl-said">{}</p><dl class="atl-facts">{}</dl>').format(
        case.input, rows
    )


def _form(visit: Visit, agent: str, case: Case | None) -> Markup:
    say = visit.say
    values = cells(case) if case else {}
    key = case.id if case else "new"
    languages = joined(
        Markup('<option value="{}"{}>{}</option>').format(
            language,
            attributes(selected=language == values.get("language", visit.language)),
            say(f"evaluation.language.{language}"),
        )
        for language in LANGUAGES
    )
    fields = joined(
        Markup(
            '<label class="atl-field">{}<input name="{}" value="{}" id="{}-{}" maxlength="4000">'
            "</label>"
        ).format(say(f"evaluation.field.{name}"), name, values.get(name, ""), name, key)
        for name in ("contains", "any_of", "omits")
    )
    rare = joined(
        Markup(
            '<label class="atl-field">{}<input name="{}" value="{}" id="{}-{}" maxlength="4000">'
            "</label>"
        ).format(say(f"evaluation.field.{name}"), name, values.get(name, ""), name, key)
        for name in (*(each for each in FIELDS if each not in ("contains", "any_of", "omits")),
                     "within", "files")
    )  # fmt: skip
    schema = case.expect.json_schema if case else None
    return Markup(
        '<form class="atl-form" data-api="POST /api/v1/agents/{agent}/cases" data-ok="{saved}"'
        '{keep}><div class="atl-form-row"><label class="atl-field">{name}<input name="id"'
        ' id="id-{key}" value="{id}" maxlength="64"{fixed} placeholder="{name_hint}"'
        ' pattern="[a-z][a-z0-9]*(-[a-z0-9]+)*"></label><label class="atl-field">{language}'
        '<select name="language" id="language-{key}">{languages}</select></label></div>'
        '<label class="atl-field">{input}<textarea name="input" id="input-{key}" rows="3" required'
        ' maxlength="8000">{text}</textarea></label>'
        '<div class="atl-form-row">{fields}</div>'
        '<label class="atl-field">{rubric}<textarea name="rubric" id="rubric-{key}" rows="2"'
        ' maxlength="2000" placeholder="{rubric_hint}">{rubric_text}</textarea></label>'
        '<label class="atl-check"><input type="checkbox" name="refuses" value="yes"'
        ' id="refuses-{key}"{refuses}><span>{refuses_label}</span></label>'
        '<details class="atl-fold" id="rare-{key}"{open}><summary>{more}</summary>'
        '<div class="atl-form"><div class="atl-form-row">{rare}</div><label class="atl-field">'
        '{schema_label}<textarea name="json_schema" data-type="json" data-code rows="2"'
        ' id="schema-{key}" spellcheck="false">{schema}</textarea></label></div></details>'
        '<p class="atl-hint">{hint}</p><p role="alert" class="atl-formerror" hidden></p>'
        '<div class="atl-actions"><button class="atl-button" data-kind="primary">{check}{save}'
        "</button></div></form>"
    ).format(
        agent=agent,
        key=key,
        saved=say("evaluation.saved"),
        keep=attributes(data_keep=case is not None),
        name=say("evaluation.field.id"),
        name_hint=say("evaluation.field.id-hint"),
        id=values.get("id", ""),
        fixed=attributes(readonly=case is not None),
        language=say("evaluation.field.language"),
        languages=languages,
        input=say("evaluation.field.input"),
        text=values.get("input", ""),
        fields=fields,
        rubric=say("evaluation.field.rubric"),
        rubric_hint=say("evaluation.field.rubric-hint"),
        rubric_text=values.get("rubric", ""),
        refuses=attributes(checked=values.get("refuses") == "yes"),
        refuses_label=say("evaluation.field.refuses"),
        more=say("evaluation.more"),
        open=attributes(open=False),
        rare=rare,
        schema_label=say("evaluation.field.json_schema"),
        schema=_json(schema),
        hint=say("evaluation.lists"),
        check=icon("check"),
        save=say("evaluation.save"),
    )


def _json(value: object) -> str:
    import json

    return "" if value is None else json.dumps(value, ensure_ascii=False)


# ── beside ───────────────────────────────────────────────────────────────────────────────


def _more(visit: Visit, record: AgentRecord) -> Markup:
    say = visit.say
    return Markup(
        '<details class="atl-fold" id="new-case"{}><summary>{}</summary>{}</details>'
        '<section class="atl-panel"><h2>{}</h2>{}</section>'
        '<section class="atl-panel"><h2>{}</h2><p class="atl-hint">{}</p>'
        '<form class="atl-form" data-api="POST /api/v1/agents/{}/cases/import" data-ok="{}">'
        '<label class="atl-field">{}<input type="file" name="file" accept=".csv,text/csv" required>'
        '</label><p role="alert" class="atl-formerror" hidden></p>'
        '<button class="atl-button">{}{}</button></form></section>'
        '<section class="atl-panel"><h2>{}</h2><p class="atl-hint">{}</p>'
        '<form class="atl-form" data-api="POST /api/v1/agents/{}/cases/draft" data-ok="{}">'
        '<input type="hidden" name="n" value="5" data-type="number">'
        '<p role="alert" class="atl-formerror" hidden></p>'
        '<button class="atl-button">{}{}</button></form></section>'
    ).format(
        attributes(open=not record.spec.cases),
        say("evaluation.new"),
        _form(visit, record.id, None),
        say("evaluation.from-chat"),
        _from_chat(visit, record),
        say("evaluation.csv"),
        say("evaluation.csv-more", columns=", ".join(COLUMNS)),
        record.id,
        say("evaluation.imported"),
        say("evaluation.csv-file"),
        icon("upload"),
        say("evaluation.import"),
        say("evaluation.draft-title"),
        say("evaluation.draft-more"),
        record.id,
        say("evaluation.drafted"),
        icon("sparkles"),
        say("evaluation.draft"),
    )


def _from_chat(visit: Visit, record: AgentRecord) -> Markup:
    rows = []
    for conversation in visit.app.conversations.mine(visit.person.id, record.id, 5):
        kept = visit.app.conversations.messages(conversation.id, visit.person.id, 6)
        answer = next((m for m in reversed(kept) if m.role == "assistant" and m.text), None)
        if answer is None:
            continue
        buttons = joined(
            Markup(
                '<button class="atl-button" data-size="small" data-api="POST'
                ' /api/v1/agents/{}/cases/from-conversation" data-fields="{}" data-ok="{}">{}{}'
                "</button>"
            ).format(
                record.id,
                _json({"conversation": conversation.id, "message": answer.number, "good": good}),
                visit.say("evaluation.saved"),
                icon("thumbs-up" if good else "thumbs-down"),
                visit.say("evaluation.good" if good else "evaluation.bad"),
            )
            for good in (True, False)
        )
        rows.append(
            Markup(
                '<li class="atl-stack"><span>{}</span><div class="atl-actions">{}</div></li>'
            ).format(conversation.title or visit.say("web.no-message"), buttons)
        )
    if not rows:
        return Markup('<p class="atl-hint">{}</p>').format(visit.say("evaluation.from-chat-none"))
    return Markup('<p class="atl-hint">{}</p><ul class="atl-remarks">{}</ul>').format(
        visit.say("evaluation.from-chat-more"), joined(rows)
    )


def _copy(visit: Visit, record: AgentRecord) -> Markup:
    if record.status == "review":
        raise BadInput("agent-not-found", id=record.id)
    return Markup(
        '<section class="atl-panel"><h2>{}</h2><p>{}</p><button class="atl-button"'
        ' data-kind="primary" data-api="POST /api/v1/agents/{}/copy"'
        ' data-then="go:/{}/evaluation?agent={{id}}">{}{}</button></section>'
    ).format(
        visit.say("evaluation.not-yours"),
        visit.say("evaluation.not-yours-more"),
        record.id,
        visit.language,
        icon("copy"),
        visit.say("evaluation.copy"),
    )
