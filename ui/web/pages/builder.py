"""Build: one simple form, saved as it is typed, with a passport and what the model will see."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import gradio as gr
from pydantic import ValidationError

from agents.catalog import AgentRecord, templates
from agents.spec import AgentSpec, Category, DataClass, Lines, Text
from agents.tools.registry import TOOLS
from guardrails.errors import GuardrailError
from guardrails.findings import Screened
from ui.identity import Person
from ui.messages import say_error
from ui.web.components.passport import passport, preview, reads, saved
from ui.web.frame import query
from ui.web.markup import Markup, joined
from ui.web.nav import address
from ui.web.pages.common import Context, html, refusal
from ui.web.pages.playground import tool_name

PAUSE = 0.4  # seconds between two saves while somebody types; the last state always wins
ICONS: dict[str, str] = {
    "everyday": "sparkles", "hr": "users", "finance": "receipt", "legal": "scale",
    "support": "headphones", "operations": "list-checks", "it": "code", "learning": "book-open",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """What the fields hold."""

    title: str
    purpose: str
    instructions: str
    starters: str
    category: str
    tools: tuple[str, ...]
    data_class: str


def build(context: Context, page: gr.Blocks) -> None:
    """Put the page into `page`."""
    say = context.say
    with gr.Row(elem_classes="atl-two"):
        with gr.Column(scale=8, min_width=320, elem_id="atl-form"):
            head = html(elem_id="atl-build-head")
            with gr.Column(elem_classes="atl-formcard"):
                html(_title(1, say("web.build.purpose")))
                title = gr.Textbox(
                    label=say("web.build.name"),
                    placeholder=say("web.build.name.hint"),
                    max_length=80,
                )
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
            with gr.Column(elem_classes="atl-formcard"):
                html(_title(2, say("web.build.tools")))
                tools = gr.CheckboxGroup(
                    [(tool_name(context.language, name), name) for name in TOOLS],
                    label=say("web.build.may-use"), info=say("web.build.tools.info"),
                )  # fmt: skip
            with gr.Column(elem_classes="atl-formcard"):
                html(_title(3, say("web.build.guardrails")))
                data_class = gr.Radio(
                    [(say(f"web.data.{name}"), name) for name in get_args(DataClass)],
                    value="internal", label=say("web.build.data"), info=say("web.build.data.info"),
                )  # fmt: skip
                trial = gr.Textbox(
                    label=say("web.build.try"),
                    value=say("web.build.try.sample"),
                    lines=2,
                    max_length=4000,
                )
                seen = html(elem_id="atl-seen")
        with gr.Column(scale=5, min_width=320, elem_id="atl-beside"):
            card = html(elem_id="atl-passport")
    draft = gr.State("")
    base = gr.State("")
    fields = [title, purpose, instructions, starters, category, tools, data_class]
    quiet: dict[str, Any] = {
        "queue": False, "api_visibility": "private", "show_progress": "hidden",
    }  # fmt: skip

    def arrive(request: gr.Request) -> list[object]:
        person = context.person(request, "agents.build")
        asked = dict(request.query_params)
        try:
            record = _asked(context, person, asked)
        except GuardrailError as error:
            raise refusal(context.language, error) from error
        form = form_of(record.spec, context.language) if record else EMPTY
        own = record is not None and record.status == "draft"
        return [
            str(_head(context, record)),
            form.title, form.purpose, form.instructions, form.starters, form.category,
            list(form.tools), form.data_class,
            record.id if record and own else "",
            record.id if record and not own else (record.base if record else ""),
            _card(context, form, record if own else None, base=record.id if record else ""),
            _seen(context, say("web.build.try.sample")),
        ]  # fmt: skip

    async def keep(
        title: str, purpose: str, instructions: str, starters: str, category: str,
        tools: list[str], data_class: str, draft: str, base: str, request: gr.Request,
    ) -> list[object]:  # fmt: skip
        person = context.person(request, "agents.build")
        form = Form(title, purpose, instructions, starters, category, tuple(tools), data_class)
        await asyncio.sleep(PAUSE)
        if not draft and form == (
            form_of(templates()[base], context.language) if base in templates() else EMPTY
        ):
            return [draft, _card(context, form, None, base)]
        try:
            record = await asyncio.to_thread(save, context, person, form, draft, base)
        except (GuardrailError, ValidationError) as error:
            return [draft, _card(context, form, None, base, problem(context, error))]
        return [record.id, _card(context, form, record)]

    page.load(arrive, None, [head, *fields, draft, base, card, seen], **quiet)
    texts = (title, purpose, instructions, starters)
    gr.on(
        # leaving a field as well: not every way of filling one in is reported as typing
        [*(part.input for part in fields), *(part.blur for part in texts)],
        keep, [*fields, draft, base], [draft, card],
        trigger_mode="always_last", concurrency_limit=None, **quiet,
    )  # fmt: skip

    def look(text: str, request: gr.Request) -> str:
        context.person(request, "screen.try")
        return _seen(context, text)

    trial.change(look, trial, seen, trigger_mode="always_last", **quiet)


EMPTY = Form("", "", "", "", "everyday", (), "internal")


def form_of(spec: AgentSpec, language: str) -> Form:
    """A specification as the form shows it."""
    return Form(
        spec.title.to(language),
        spec.purpose.to(language),
        spec.instructions.to(language).rstrip("\n"),
        "\n".join(spec.starters.to(language)),
        spec.category,
        tuple(name for name in TOOLS if name in spec.tools),
        spec.data_class,
    )


def save(context: Context, person: Person, form: Form, draft: str, base: str) -> AgentRecord:
    """Keep the form as the person's own draft; the first save makes one.

    Texts are kept in the page's language; the other language keeps what it had. Raises
    ValidationError for what an AgentSpec does not allow.
    """
    catalog = context.app.catalog
    if draft:
        before = catalog.get(draft, person.id).spec
    elif base:
        before = catalog.get(base, person.id).spec.model_copy(update={"cases": ()})
    else:
        before = AgentSpec(id="new", title=Text(), languages=(context.language,))
    spec = AgentSpec.model_validate(
        {**before.model_dump(), **_changes(before, form, context.language)}
        | {
            "id": draft or f"agent-x{secrets.token_hex(4)}",
            "owner": "" if not draft else before.owner,
        }
    )
    return catalog.save(spec, person.id, base)


def _changes(before: AgentSpec, form: Form, language: str) -> dict[str, object]:
    def text(field: Text, words: str) -> dict[str, str]:
        return {**field.model_dump(), language: words}

    lines = [line.strip() for line in form.starters.splitlines() if line.strip()]
    starters: Mapping[str, object] = {
        **Lines.model_dump(before.starters),
        language: lines[:8],
    }
    return {
        "title": text(before.title, form.title.strip()),
        "purpose": text(before.purpose, form.purpose.strip()),
        "instructions": text(before.instructions, form.instructions),
        "starters": starters,
        "category": form.category,
        "icon": before.icon
        if before.category == form.category and before.id != "new"
        else ICONS[form.category],
        "tools": list(form.tools),
        "data_class": form.data_class,
    }


def problem(context: Context, error: GuardrailError | ValidationError) -> str:
    """What stops the draft from being kept, in words."""
    if isinstance(error, GuardrailError):
        return say_error(context.language, error.code, **error.data)
    field = str(error.errors(include_input=False, include_url=False)[0]["loc"][0])
    return context.say("web.build.too-long", field=context.say(f"web.build.field.{field}"))


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
        Markup('<p class="atl-small atl-begin">{} {}</p>').format(
            say("web.build.begin"),
            joined(
                [
                    Markup('<a href="{}">{}</a>').format(
                        address(context.language, "build", query(template=id)),
                        spec.title.to(context.language),
                    )
                    for id, spec in templates().items()
                ],
                " · ",
            ),
        )
        if record is None
        else ""
    )
    return Markup(
        '<div class="atl-page" data-atl-page="build"><header><h1 class="atl-h1">{}</h1>'
        '<p class="atl-lead">{}</p>{}</header></div>'
    ).format(say(key, name=name), say("web.build.lead"), begin)


def _title(number: int, text: str) -> Markup:
    return Markup(
        '<div class="atl-section-title"><span class="atl-number" aria-hidden="true">{}</span>'
        '<h2 class="atl-h2">{}</h2></div>'
    ).format(number, text)


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
                tools=[tool_name(context.language, name) for name in form.tools],
                data_class=form.data_class,
                documents=reads(spec.knowledge if spec else (), context.language),
            ),
            saved(context, record, wrong),
        )
    )


def _seen(context: Context, text: str) -> str:
    """The real screening, with a vault that is thrown away: nothing is kept."""
    from guardrails.vault import Vault

    if not text.strip():
        return str(preview(context, None))
    if not context.app.screen_ready:
        return str(preview(context, None, context.say("web.build.screen-warming")))
    try:
        vault = Vault("preview", secrets.token_bytes(32))
        screened: Screened = context.app.screen.text(text, vault)
    except GuardrailError as error:
        return str(preview(context, None, say_error(context.language, error.code, **error.data)))
    return str(preview(context, screened))
