"""Build: four steps, saved as they are typed, with a passport, what the model will see, a test."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import gradio as gr
from pydantic import ValidationError

from agents.catalog import AgentRecord, templates
from agents.drafting import Draft
from agents.spec import Category, DataClass
from guardrails.errors import GuardrailError
from ui.identity import Person
from ui.messages import catalogue
from ui.rates import Rate
from ui.routes.common import limited
from ui.routes.models import choices
from ui.web.components.passport import passport, reads, saved
from ui.web.components.seen import seen_by_model
from ui.web.components.steps import GUARDS, step_foot, step_title, stepper
from ui.web.frame import query
from ui.web.markup import Markup, icon, joined
from ui.web.nav import BY_ID, address
from ui.web.pages import describe
from ui.web.pages.common import Context, html, refusal
from ui.web.pages.form import EMPTY, ICONS, Form, form_of, problem, save
from ui.web.pages.playground import tool_name, tryout, usable

PSEUDONYMS = ("placeholders", "surrogates")
PAUSE = 0.4  # seconds between two saves while somebody types; the last state always wins
QUIET: dict[str, Any] = {
    "queue": False, "api_visibility": "private", "show_progress": "hidden",
}  # fmt: skip


def build(context: Context, page: gr.Blocks) -> None:
    """Put the page into `page`."""
    say = context.say
    drafts, looks = Rate(12, 600), Rate(120, 60)  # for each person: a model's work, a screening
    head = html(elem_id="atl-build-head")
    with gr.Row(elem_classes="atl-two"):
        with gr.Column(scale=8, min_width=320, elem_id="atl-form"):
            with gr.Column(elem_classes="atl-formcard atl-step-page", elem_id="atl-step-purpose"):
                html(step_title(context, "purpose"))
                with gr.Column(elem_classes="atl-describe"):
                    wish = gr.Textbox(
                        label=say("build.describe"), info=say("build.describe.info"),
                        placeholder=say("build.describe.hint"), lines=2, max_length=4000,
                    )  # fmt: skip
                    ask = gr.Button(say("build.describe.ask"), elem_id="atl-describe-ask")
                    proposal = html(elem_id="atl-proposal")
                    with gr.Row(visible=False) as choice:
                        apply = gr.Button(
                            say("build.describe.apply"), variant="primary", elem_id="atl-apply"
                        )
                        discard = gr.Button(say("build.describe.discard"), elem_id="atl-discard")
                title = gr.Textbox(
                    label=say("web.build.name"), placeholder=say("web.build.name.hint"),
                    max_length=80,
                )  # fmt: skip
                purpose = gr.Textbox(
                    label=say("web.build.does"), placeholder=say("web.build.does.hint"),
                    lines=2, max_length=400,
                )  # fmt: skip
                category = gr.Dropdown(
                    [(say(f"web.category.{name}"), name) for name in get_args(Category)],
                    value="everyday", label=say("web.build.category"), filterable=False,
                )  # fmt: skip
                instructions = gr.Textbox(
                    label=say("web.build.instructions"), info=say("web.build.instructions.info"),
                    placeholder=say("web.build.instructions.hint"), lines=7, max_length=8000,
                )  # fmt: skip
                starters = gr.Textbox(
                    label=say("web.build.starters"), info=say("web.build.starters.info"),
                    lines=3, max_length=2000,
                )  # fmt: skip
                html(step_foot(context, "purpose"))
            with gr.Column(elem_classes="atl-formcard atl-step-page", elem_id="atl-step-tools"):
                html(step_title(context, "tools"))
                knowledge = html(elem_id="atl-knowledge")
                tools = gr.CheckboxGroup(
                    _tools(context, ()),
                    label=say("web.build.may-use"), info=say("web.build.tools.info"),
                )  # fmt: skip
                model = gr.Dropdown(
                    [(say("build.model.default"), "")], value="", label=say("build.model"),
                    info=say("build.model.info"), allow_custom_value=True,
                )  # fmt: skip
                html(step_foot(context, "tools"))
            with gr.Column(elem_classes="atl-formcard atl-step-page", elem_id="atl-step-guards"):
                html(step_title(context, "guards"))
                guard = gr.Radio(
                    [(say(f"build.guard.{name}"), name) for name in GUARDS],
                    value="recommended", label=say("build.guard"), info=say("build.guard.info"),
                )  # fmt: skip
                data_class = gr.Radio(
                    [(say(f"web.data.{name}"), name) for name in get_args(DataClass)],
                    value="internal", label=say("web.build.data"), info=say("web.build.data.info"),
                )  # fmt: skip
                pseudonyms = gr.Radio(
                    [(say(f"build.pseudonyms.{name}"), name) for name in PSEUDONYMS],
                    value="placeholders", label=say("build.pseudonyms"),
                    info=say("build.pseudonyms.info"),
                )  # fmt: skip
                trial = gr.Textbox(
                    label=say("web.build.try"), value=say("web.build.try.sample"),
                    lines=2, max_length=4000,
                )  # fmt: skip
                seen = html(elem_id="atl-seen")
                html(step_foot(context, "guards"))
            with gr.Column(elem_classes="atl-formcard atl-step-page", elem_id="atl-step-test"):
                html(step_title(context, "test"))
                test = html(elem_id="atl-test")
                html(step_foot(context, "test"))
        with gr.Column(scale=5, min_width=320, elem_id="atl-beside"):
            card = html(elem_id="atl-passport")
            undo = gr.Button(say("build.undo"), size="sm", visible=False, elem_id="atl-undo")
            chat = html(elem_id="atl-tryout")
    draft, base, drafted = gr.State(""), gr.State(""), gr.State(None)
    fields = [
        title, purpose, instructions, starters, category, tools, data_class, guard, pseudonyms,
        model,
    ]  # fmt: skip
    kept = [draft, card, undo, chat, test, knowledge]

    def shown(form: Form, record: AgentRecord | None, base: str, wrong: str = "") -> list[object]:
        """What beside the fields follows from them; `record` is the draft as kept."""
        return [
            record.id if record else "",
            _card(context, form, record, base, wrong),
            gr.update(visible=record is not None and record.number > 1),
            str(tryout(context, record)),
            str(_test(context, record)),
            str(_knowledge(context, record)),
        ]

    def judge(data_class: str, model: str, request: gr.Request) -> object:
        person = context.person(request, "agents.build")
        return gr.update(choices=_models(context, person, data_class, model), value=model)

    def arrive(request: gr.Request) -> list[object]:
        person = context.person(request, "agents.build")
        try:
            record = _asked(context, person, dict(request.query_params))
        except GuardrailError as error:
            raise refusal(context.language, error) from error
        form = form_of(record.spec, context.language) if record else EMPTY
        own = record if record is not None and record.status == "draft" else None
        start = (record.base if own else record.id) if record else ""
        values = _values(form)
        values[fields.index(tools)] = gr.update(
            choices=_tools(context, form.tools), value=list(form.tools)
        )
        return [
            str(_head(context, record)),
            *values[:-1],
            gr.update(
                choices=_models(context, person, form.data_class, form.model), value=form.model
            ),
            start,
            *shown(form, own, record.id if record else ""),
            seen_by_model(context, say("web.build.try.sample"), form.guard),
        ]

    async def keep(*given: Any, request: gr.Request) -> list[object]:
        *values, draft, base = given
        person = context.person(request, "agents.build")
        form = _form(values)
        await asyncio.sleep(PAUSE)
        untouched = form_of(templates()[base], context.language) if base in templates() else EMPTY
        if not draft and form == untouched:
            return shown(form, None, base)
        return await _keep(context, person, form, draft, base, shown)

    async def propose(*given: Any, request: gr.Request) -> list[object]:
        wish, *values = given
        person = context.person(request, "agents.build")
        form = _form(values)
        try:
            limited(drafts, person)
            found = await describe.propose(context, person, wish)
        except GuardrailError as error:
            return [str(describe.refused(context, error)), None, gr.update(visible=False)]
        return [str(describe.difference(context, form, found)), found, gr.update(visible=True)]

    async def accept(*given: Any, request: gr.Request) -> list[object]:
        found, draft, base, *values = given
        person = context.person(request, "agents.build")
        if not isinstance(found, Draft):
            raise gr.Error(say("build.describe.gone"), print_exception=False)
        form = describe.applied(_form(values), found)
        rest = await _keep(context, person, form, draft, base, shown)
        return [*_values(form), *rest, "", None, gr.update(visible=False)]

    def take_back(draft: str, base: str, request: gr.Request) -> list[object]:
        person = context.person(request, "agents.build")
        try:
            record = context.app.catalog.undo(draft, person.id)
        except GuardrailError as error:
            raise refusal(context.language, error) from error
        form = form_of(record.spec, context.language)
        return [*_values(form), *shown(form, record, base)]

    def drop(request: gr.Request) -> list[object]:
        context.person(request, "agents.build")
        return ["", None, gr.update(visible=False)]

    page.load(arrive, None, [head, *fields, base, *kept, seen], **QUIET)
    texts = (title, purpose, instructions, starters)
    gr.on(
        # leaving a field as well: not every way of filling one in is reported as typing
        [*(part.input for part in fields), *(part.blur for part in texts)],
        _with_request(keep), [*fields, draft, base], kept,
        trigger_mode="always_last", concurrency_limit=None, **QUIET,
    )  # fmt: skip
    ask.click(
        _with_request(propose), [wish, *fields], [proposal, drafted, choice],
        concurrency_limit=None, **{**QUIET, "show_progress": "minimal"},
    )  # fmt: skip
    apply.click(
        _with_request(accept), [drafted, draft, base, *fields],
        [*fields, *kept, proposal, drafted, choice], **QUIET,
    )  # fmt: skip
    discard.click(drop, None, [proposal, drafted, choice], **QUIET)

    data_class.change(judge, [data_class, model], model, **QUIET)
    undo.click(take_back, [draft, base], [*fields, *kept], **QUIET)

    def look(text: str, guard: str, request: gr.Request) -> str:
        person = context.person(request, "screen.try")
        try:
            limited(looks, person)
        except GuardrailError as error:
            raise refusal(context.language, error) from error
        return seen_by_model(context, text, guard)

    gr.on([trial.change, guard.change], look, [trial, guard], seen,
          trigger_mode="always_last", **QUIET)  # fmt: skip


def _with_request(handler: Any) -> Any:
    # Gradio finds a request by the annotation of a positional parameter, which cannot follow *given
    async def handle(request: gr.Request, *given: Any) -> list[object]:
        answer: list[object] = await handler(*given, request=request)
        return answer

    return handle


async def _keep(
    context: Context, person: Person, form: Form, draft: str, base: str, shown: Any
) -> list[object]:
    try:
        record = await asyncio.to_thread(save, context, person, form, draft, base)
    except (GuardrailError, ValidationError) as error:
        rest = shown(form, None, base, problem(context, error))
        # what is kept stays kept: only the card says what is wrong
        return [draft, rest[1], *[gr.skip()] * (len(rest) - 2)]
    return list(shown(form, record, base))


def _form(values: Sequence[Any]) -> Form:
    (
        title, purpose, instructions, starters, category, tools, data_class, guard, pseudonyms,
        model,
    ) = values  # fmt: skip
    return Form(
        title, purpose, instructions, starters, category, tuple(tools), data_class, guard, model,
        pseudonyms,
    )  # fmt: skip


def _values(form: Form) -> list[object]:
    return [
        form.title, form.purpose, form.instructions, form.starters, form.category,
        list(form.tools), form.data_class, form.guard, form.pseudonyms, form.model,
    ]  # fmt: skip


def _tools(context: Context, chosen: Sequence[str]) -> list[tuple[str, str]]:
    """The tools an agent may name: built in or added, and switched on. A chosen one that is off
    or gone stays visible, so that it can be taken out."""
    tools, off = context.app.tools.catalogue(), context.app.tools.off()
    ours_first = sorted(tools, key=lambda name: bool(tools[name].source))
    found = [(tool_name(context, name), name) for name in ours_first if name not in off]
    known = {name for _, name in found}
    return found + [
        (context.say("build.tool.gone", name=tool_name(context, name)), name)
        for name in chosen
        if name not in known
    ]


def _models(
    context: Context, person: Person, data_class: str, chosen: str
) -> list[tuple[str, str]]:
    """The models an agent may name, those that the rules refuse with the rule's number.

    A chosen one that is no longer connected stays visible.
    """
    found = [(context.say("build.model.default"), "")]
    for one in choices(context.app, person, data_class):
        label = one.label or one.name
        if not one.allowed:
            label = context.say("build.model.refused", name=label, rule=one.rule)
        found.append((label, one.name))
    if chosen and chosen not in {name for _, name in found}:
        found.append((context.say("build.model.gone", name=chosen), chosen))
    return found


def _asked(context: Context, person: Person, asked: Mapping[str, str]) -> AgentRecord | None:
    wanted = asked.get("agent") or asked.get("template") or ""
    return context.app.catalog.get(wanted, person.id) if wanted else None


def _head(context: Context, record: AgentRecord | None) -> Markup:
    say = context.say
    if record is None:
        key, name = "web.build.title", ""
    elif record.status == "draft":
        key, name = (
            "web.build.title-edit",
            record.spec.title.to(context.language) or say("web.untitled"),
        )
    else:
        key, name = "web.build.title-from", record.spec.title.to(context.language)
    begin = (
        Markup(
            '<details class="atl-fold"><summary>{}</summary><ul class="atl-begin">{}</ul></details>'
        ).format(
            say("web.build.begin"),
            joined(
                Markup('<li><a href="{}">{}</a></li>').format(
                    address(context.language, "build", query(template=id)),
                    spec.title.to(context.language),
                )
                for id, spec in templates().items()
            ),
        )
        if record is None
        else ""
    )
    return Markup(
        '<div class="atl-page" data-atl-page="build"><header><h1 class="atl-h1">{}</h1>'
        '<p class="atl-lead">{}</p></header>{}{}</div>'
    ).format(say(key, name=name), say("web.build.lead"), stepper(context), begin)


def _card(
    context: Context, form: Form, record: AgentRecord | None, base: str = "", wrong: str = ""
) -> str:
    spec = record.spec if record else templates().get(base)
    return str(
        Markup('<div class="atl-page">{}{}</div>').format(
            passport(
                context,
                title=form.title,
                purpose=form.purpose,
                icon_name=spec.icon if spec else ICONS.get(form.category, "bot"),
                tools=[tool_name(context, name) for name in form.tools],
                data_class=form.data_class,
                documents=reads(spec.knowledge if spec else (), context.language),
            ),
            saved(context, record, wrong) + _delete(context, record),
        )
    )


def _delete(context: Context, record: AgentRecord | None) -> Markup:
    """The way to be rid of a draft; one that colleagues use is withdrawn first."""
    if record is None:
        return Markup("")
    say, language = context.say, context.language
    return Markup(
        '<button type="button" class="atl-button" data-kind="danger" data-size="small"'
        ' data-api="DELETE /api/v1/agents/{}" data-sure="{}" data-then="go:{}">{}{}</button>'
    ).format(
        record.id,
        say("build.delete.sure", name=record.spec.title.to(language) or say("web.untitled")),
        address(language, "home"),
        icon("trash-2"),
        say("build.delete"),
    )


def _test(context: Context, record: AgentRecord | None) -> Markup:
    """What the agent still lacks, and the ways to try it, measure it and share it."""
    say, language = context.say, context.language
    if record is None:
        return Markup('<p class="atl-lead">{}</p>').format(say("build.test.first"))
    lacking = record.spec.missing()
    checks = joined(
        Markup("<li data-done={}>{}<span>{}</span></li>").format(
            "no" if missing else "yes",
            icon("circle" if missing else "circle-check"),
            say(f"build.check.{name}"),
        )
        for name, missing in (
            ("title", f"title.{language}" in lacking),
            ("instructions", f"instructions.{language}" in lacking),
            ("purpose", not record.spec.purpose.to(language).strip()),
            ("starters", not record.spec.starters.to(language)),
            ("cases", not record.spec.cases),
        )
    )
    ways = [("playground", "play", "agent"), ("evaluation", "list-checks", "agent")]
    ways.append(("publish", "send-horizontal", "agent"))
    links = joined(
        Markup('<a class="atl-button"{} href="{}">{}{}</a>').format(
            Markup(' data-kind="primary"') if page == "playground" else "",
            address(language, page, query(**{key: record.id})),
            icon(picture),
            say(f"build.test.{page}"),
        )
        for page, picture, key in ways
        if page in BY_ID and (page != "playground" or usable(record, language))
    )
    return Markup(
        '<p class="atl-lead">{}</p><ul class="atl-checks">{}</ul><div class="atl-actions">{}</div>'
    ).format(say("build.test.lead"), checks, links)


def _knowledge(context: Context, record: AgentRecord | None) -> Markup:
    """The documents the agent always reads; knowledge.js fills and changes the list by the API."""
    say = context.say
    if record is None:
        return Markup('<p class="atl-hint">{}</p>').format(say("build.knowledge.first"))
    return Markup(
        '<section class="atl-knowledge" data-atl-knowledge="{}" data-words="{}"></section>'
    ).format(record.id, json.dumps(_knowledge_words(context), ensure_ascii=False))


def _knowledge_words(context: Context) -> dict[str, object]:
    words = catalogue(context.language)
    return {key: words[key] for key in words if key.startswith("build.knowledge.")}
