"""Build: four steps, saved as they are typed, with a passport, what the model will see, a test."""

from typing import Any, get_args

import gradio as gr

from agents.spec import Category, DataClass
from ui.web.components.steps import GUARDS, step_foot, step_title
from ui.web.pages.builder_acts import FIELDS, Acts
from ui.web.pages.builder_choices import tools_offered
from ui.web.pages.common import Context, html

PSEUDONYMS = ("placeholders", "surrogates")
QUIET: dict[str, Any] = {
    "queue": False, "api_visibility": "private", "show_progress": "hidden",
}  # fmt: skip
Part = Any  # a component of Gradio's: its events are put on by a metaclass


def build(context: Context, page: gr.Blocks) -> None:
    """Put the page into `page`."""
    head = html(elem_id="atl-build-head")
    with gr.Row(elem_classes="atl-two"):
        with gr.Column(scale=8, min_width=320, elem_id="atl-form"):
            with _step(context, "purpose"):
                wish, fields = _wish(context), _purpose(context)
                html(step_foot(context, "purpose"))
            with _step(context, "tools"):
                knowledge = html(elem_id="atl-knowledge")
                fields |= _tools(context)
                html(step_foot(context, "tools"))
            with _step(context, "guards"):
                fields |= _guards(context)
                trial = gr.Textbox(
                    label=context.say("web.build.try"), lines=2, max_length=4000,
                    value=context.say("web.build.try.sample"),
                )  # fmt: skip
                seen = html(elem_id="atl-seen")
                html(step_foot(context, "guards"))
            with _step(context, "test"):
                test = html(elem_id="atl-test")
                html(step_foot(context, "test"))
        with gr.Column(scale=5, min_width=320, elem_id="atl-beside"):
            card = html(elem_id="atl-passport")
            undo = gr.Button(
                context.say("build.undo"), size="sm", visible=False, elem_id="atl-undo"
            )
            chat = html(elem_id="atl-tryout")
    draft, base = gr.State(""), gr.State("")
    kept = [draft, card, undo, chat, test, knowledge]
    acts, all_fields = Acts(context), [fields[name] for name in FIELDS]
    page.load(acts.arrive, None, [head, *all_fields, base, *kept, seen], **QUIET)
    _bind_fields(acts, fields, [draft, base], kept)
    _bind_wish(acts, wish, all_fields, [draft, base], kept)
    undo.click(acts.take_back, [draft, base], [*all_fields, *kept], **QUIET)
    looked = [trial, fields["guard"], fields["pseudonyms"]]
    gr.on([part.change for part in looked], acts.look, looked, seen,
          trigger_mode="always_last", **QUIET)  # fmt: skip


def _step(context: Context, step: str) -> gr.Column:
    """The card of one step, its title already in it; more is put in with `with`."""
    column = gr.Column(elem_classes="atl-formcard atl-step-page", elem_id=f"atl-step-{step}")
    with column:
        html(step_title(context, step))
    return column


def _wish(context: Context) -> dict[str, Part]:
    """Describe-to-build: the wish, the button, the proposal and what to do with it."""
    say = context.say
    with gr.Column(elem_classes="atl-describe"):
        wish = gr.Textbox(
            label=say("build.describe"), info=say("build.describe.info"),
            placeholder=say("build.describe.hint"), lines=2, max_length=4000,
        )  # fmt: skip
        ask = gr.Button(say("build.describe.ask"), elem_id="atl-describe-ask")
        proposal = html(elem_id="atl-proposal")
        with gr.Row(visible=False) as choice:
            apply = gr.Button(say("build.describe.apply"), variant="primary", elem_id="atl-apply")
            discard = gr.Button(say("build.describe.discard"), elem_id="atl-discard")
    return {
        "wish": wish, "ask": ask, "proposal": proposal, "choice": choice, "apply": apply,
        "discard": discard,
    }  # fmt: skip


def _purpose(context: Context) -> dict[str, Part]:
    say = context.say
    return {
        "title": gr.Textbox(
            label=say("web.build.name"), placeholder=say("web.build.name.hint"), max_length=80
        ),
        "purpose": gr.Textbox(
            label=say("web.build.does"), placeholder=say("web.build.does.hint"),
            lines=2, max_length=400,
        ),
        "category": gr.Dropdown(
            [(say(f"web.category.{name}"), name) for name in get_args(Category)],
            value="everyday", label=say("web.build.category"), filterable=False,
        ),
        "instructions": gr.Textbox(
            label=say("web.build.instructions"), info=say("web.build.instructions.info"),
            placeholder=say("web.build.instructions.hint"), lines=7, max_length=8000,
        ),
        "starters": gr.Textbox(
            label=say("web.build.starters"), info=say("web.build.starters.info"),
            lines=3, max_length=2000,
        ),
    }  # fmt: skip


def _tools(context: Context) -> dict[str, Part]:
    say = context.say
    return {
        "tools": gr.CheckboxGroup(
            tools_offered(context, ()), label=say("web.build.may-use"),
            info=say("web.build.tools.info"),
        ),
        "model": gr.Dropdown(
            [(say("build.model.default"), "")], value="", label=say("build.model"),
            info=say("build.model.info"), allow_custom_value=True,
        ),
    }  # fmt: skip


def _guards(context: Context) -> dict[str, Part]:
    say = context.say
    return {
        "guard": gr.Radio(
            [(say(f"build.guard.{name}"), name) for name in GUARDS],
            value="recommended", label=say("build.guard"), info=say("build.guard.info"),
        ),
        "data_class": gr.Radio(
            [(say(f"web.data.{name}"), name) for name in get_args(DataClass)],
            value="internal", label=say("web.build.data"), info=say("web.build.data.info"),
        ),
        "pseudonyms": gr.Radio(
            [(say(f"build.pseudonyms.{name}"), name) for name in PSEUDONYMS],
            value="placeholders", label=say("build.pseudonyms"),
            info=say("build.pseudonyms.info"),
        ),
    }  # fmt: skip


def _bind_fields(acts: Acts, fields: dict[str, Part], mine: list[Part], kept: list[Part]) -> None:
    texts = ("title", "purpose", "instructions", "starters")
    gr.on(
        # leaving a field as well: not every way of filling one in is reported as typing
        [*(part.input for part in fields.values()), *(fields[name].blur for name in texts)],
        acts.keep, [*(fields[name] for name in FIELDS), *mine], kept,
        trigger_mode="always_last", concurrency_limit=None, **QUIET,
    )  # fmt: skip
    data_class, model = fields["data_class"], fields["model"]
    data_class.change(acts.judge, [data_class, model], model, **QUIET)


def _bind_wish(
    acts: Acts, wish: dict[str, Part], fields: list[Part], mine: list[Part], kept: list[Part]
) -> None:
    drafted = gr.State(None)
    offered = [wish["proposal"], drafted, wish["choice"]]
    wish["ask"].click(
        acts.propose, [wish["wish"], *fields], offered, concurrency_limit=None,
        **{**QUIET, "show_progress": "minimal"},
    )  # fmt: skip
    wish["apply"].click(acts.accept, [drafted, *mine, *fields], [*fields, *kept, *offered], **QUIET)
    wish["discard"].click(acts.drop, None, offered, **QUIET)
