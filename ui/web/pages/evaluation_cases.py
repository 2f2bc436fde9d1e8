"""Test cases of an agent: read, change, and get more of them. A part of the evaluation page."""

from agents.agent_records import AgentRecord
from agents.cases import COLUMNS, cells
from agents.spec import Case
from guardrails.errors import BadInput
from ui.messages import LANGUAGES
from ui.web.components import fields
from ui.web.components.reviewing import chip
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.plain import Visit, empty

OFTEN = ("contains", "any_of", "omits")
RARE = ("matches", "cites", "masked", "calls", "number", "within", "files")


def cases(visit: Visit, record: AgentRecord, own: bool) -> Markup:
    """All cases of an agent; forms to change them where it is one's own draft."""
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
        for name in OFTEN
    )
    rare = joined(
        Markup(
            '<label class="atl-field">{}<input name="{}" value="{}" id="{}-{}" maxlength="4000">'
            "</label>"
        ).format(say(f"evaluation.field.{name}"), name, values.get(name, ""), name, key)
        for name in RARE
    )
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


def more(visit: Visit, record: AgentRecord) -> Markup:
    """The ways to new cases: a form, a conversation, a table, the model."""
    say = visit.say
    return Markup(
        '<details class="atl-fold" id="new-case"{}><summary>{}</summary>{}</details>'
        '<section class="atl-panel"><h2>{}</h2>{}</section>'
        '<section class="atl-panel"><h2>{}</h2><p class="atl-hint">{}</p>'
        '<form class="atl-form" data-api="POST /api/v1/agents/{}/cases/import" data-ok="{}">'
        '{}<p role="alert" class="atl-formerror" hidden></p>'
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
        fields.file(
            visit, say("evaluation.csv-file"), "file", accept=".csv,text/csv", required=True
        ),
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


def copy(visit: Visit, record: AgentRecord) -> Markup:
    """What stands there for somebody else's agent. Raises BadInput for one in review."""
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
