"""Playground: the frame of the chat. The chat itself is static/js/chat.js over the HTTP API."""

import json

import gradio as gr

from agents.catalog import AgentRecord
from agents.tools.registry import TOOLS
from guardrails.errors import GuardrailError
from ui.identity import Person
from ui.messages import catalogue, say_error
from ui.web.components.chips import tile
from ui.web.frame import query
from ui.web.markup import Markup, icon, joined, static
from ui.web.nav import address
from ui.web.pages.common import Context, filled, html

DEFAULT_AGENT = "email-drafter"
# every wording the script needs; sent with the page so that the script holds none
_SCRIPT_KEYS = (
    "web.chat.",
    "web.how.",
    "web.kind.",
    "web.verdict.",
    "web.step.",
    "step.",
    "tool.",
    "error.",
    "notice.",
)


def build(context: Context, page: gr.Blocks) -> None:
    """Put the page into `page`."""
    part = html(elem_id="atl-playground")

    def fill(request: gr.Request) -> Markup:
        person = context.person(request, "agents.use")
        asked = dict(request.query_params)
        return content(
            context, person, asked.get("agent", DEFAULT_AGENT), asked.get("conversation", "")
        )

    filled(page, part, fill)


def content(context: Context, person: Person, agent: str, conversation: str) -> Markup:
    """The page for one person, agent and conversation (empty: a new one)."""
    try:
        record = context.app.catalog.get(agent, person.id)
    except GuardrailError as error:
        return _missing(context, say_error(context.language, error.code, **error.data))
    spec, language = record.spec, context.language
    return Markup(
        '<div class="atl-page atl-play" data-atl-page="playground" data-agent="{}"'
        ' data-conversation="{}" data-language="{}" data-icons="{}" data-words="{}">{}'
        '<div class="atl-play-grid"><section class="atl-chat" aria-label="{}">'
        '<div class="atl-log" id="atl-log">{}</div>{}</section>{}</div></div>'
    ).format(
        record.id,
        conversation,
        language,
        static("icons/lucide.svg"),
        json.dumps(_words(context), ensure_ascii=False),
        _header(context, record),
        context.say("web.chat.region", name=spec.title.to(language)),
        _welcome(context, record),
        _composer(context, record),
        _how(context),
    )


def _words(context: Context) -> dict[str, object]:
    return {
        key: value
        for key, value in catalogue(context.language).items()
        if key.startswith(_SCRIPT_KEYS)
    }


def _missing(context: Context, text: str) -> Markup:
    return Markup(
        '<div class="atl-page" data-atl-page="playground"><div class="atl-empty">{}'
        '<h1 class="atl-h2">{}</h1><a class="atl-button" data-kind="primary" href="{}">{}</a></div>'
        "</div>"
    ).format(icon("search"), text, address(context.language, "home"), context.say("web.back-home"))


def _header(context: Context, record: AgentRecord) -> Markup:
    spec, language = record.spec, context.language
    facts = [
        context.say("web.passport.version", version=spec.version),
        context.say(f"web.data.{spec.data_class}"),
        *[tool_name(context, name) for name in spec.tools],
    ]
    model = context.app.models.info()
    edit = (
        Markup('<a class="atl-button" data-size="small" href="{}">{}{}</a>').format(
            address(language, "build", query(agent=record.id)),
            icon("pencil"),
            context.say("web.home.edit"),
        )
        if record.status == "draft"
        else Markup('<a class="atl-button" data-size="small" href="{}">{}{}</a>').format(
            address(language, "build", query(template=record.id)),
            icon("copy"),
            context.say("web.play.adapt"),
        )
    )
    return Markup(
        '<header class="atl-play-head"><div class="atl-mine-head">{}<div><h1 class="atl-h2">{}</h1>'
        '<p class="atl-small">{}</p></div></div><div class="atl-play-do">'
        '<span class="atl-chip" data-tone="{}" title="{}">{}{}</span>{}'
        '<a class="atl-button" data-size="small" href="{}" data-atl-new>{}{}</a></div></header>'
    ).format(
        tile(spec.icon),
        spec.title.to(language) or context.say("web.untitled"),
        " · ".join(facts),
        "good" if model.kind == "provider" else "",
        context.say(f"web.model.{model.kind}.more"),
        icon("brain"),
        model.label,
        edit,
        address(language, "playground", query(agent=record.id)),
        icon("plus"),
        context.say("web.play.new"),
    )


def tool_name(context: Context, name: str) -> str:
    """A tool in words; a tool without wording keeps its name."""
    tool = TOOLS.get(name)
    words = catalogue(context.language)
    return context.say(tool.label_key) if tool and tool.label_key in words else name


def _welcome(context: Context, record: AgentRecord) -> Markup:
    spec, language = record.spec, context.language
    starters = joined(
        Markup(
            '<li><button type="button" class="atl-starter" data-atl-starter>{}</button></li>'
        ).format(text)
        for text in spec.starters.to(language)
    )
    sample = (
        Markup(
            '<button type="button" class="atl-button" data-size="small" data-atl-sample="{}"'
            ' data-name="{}">{}{}</button>'
        ).format(
            f"/samples/{spec.sample.to(language)}",
            spec.sample.to(language).rpartition("/")[2],
            icon("file-text"),
            context.say("web.play.sample"),
        )
        if spec.sample
        else ""
    )
    not_for = spec.not_for.to(language)
    return Markup(
        '<div class="atl-welcome" data-atl-welcome>{}<h2 class="atl-h2">{}</h2><p>{}</p>{}'
        '<ul class="atl-starters">{}</ul>{}</div>'
    ).format(
        tile(spec.icon),
        context.say("web.play.welcome"),
        spec.purpose.to(language),
        sample,
        starters,
        Markup('<p class="atl-small">{} {}</p>').format(context.say("web.play.not-for"), not_for)
        if not_for
        else "",
    )


def _composer(context: Context, record: AgentRecord) -> Markup:
    label = context.say("web.chat.message")
    return Markup(
        '<form class="atl-composer" id="atl-composer" autocomplete="off">'
        '<ul class="atl-files" data-atl-files aria-label="{}"></ul>'
        '<div class="atl-composer-row"><label class="atl-attach" title="{}">{}'
        '<span class="atl-visually-hidden">{}</span>'
        '<input type="file" multiple data-atl-file></label>'
        '<textarea rows="1" data-atl-text aria-label="{}" placeholder="{}" maxlength="100000">'
        '</textarea><button type="submit" class="atl-send" data-atl-send disabled'
        ' aria-label="{}">{}</button></div></form>'
        '<p class="atl-small atl-hint">{}{}</p>'
    ).format(
        context.say("web.chat.files"),
        context.say("web.chat.attach"),
        icon("paperclip"),
        context.say("web.chat.attach"),
        label,
        label,
        context.say("web.chat.send"),
        icon("send-horizontal"),
        icon("lock"),
        context.say("web.play.hint"),
    )


def _how(context: Context) -> Markup:
    return Markup(
        '<aside class="atl-card atl-how" aria-labelledby="atl-how-title" data-atl-how>'
        '<h2 class="atl-h3" id="atl-how-title">{}</h2><div data-atl-how-body>'
        '<p class="atl-small">{}</p></div><p class="atl-small atl-how-foot">{}{}</p></aside>'
    ).format(
        context.say("web.how.title"),
        context.say("web.how.empty"),
        icon("lock"),
        context.say("web.how.foot"),
    )
