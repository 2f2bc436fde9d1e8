"""Playground: the frame of the chat. The chat itself is static/js/chat.js over the HTTP API."""

import json

from agents.catalog import AgentRecord
from agents.tools.registry import TOOLS
from guardrails.errors import GuardrailError
from ui.messages import Language, catalogue, say, say_error
from ui.web.components.chips import tile
from ui.web.frame import query
from ui.web.markup import Markup, icon, joined, static
from ui.web.nav import address
from ui.web.plain import Visit

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


def body(visit: Visit) -> Markup:
    """The page for one agent and conversation of the query (no conversation: a new one)."""
    visit.sheet("chat")
    agent = visit.query.get("agent", DEFAULT_AGENT)
    try:
        record = visit.app.catalog.get(agent, visit.person.id)
    except GuardrailError as error:
        return _missing(visit, say_error(visit.language, error.code, **error.data))
    spec, language = record.spec, visit.language
    return Markup(
        '<div class="atl-page atl-play" data-agent="{}"'
        ' data-conversation="{}" data-language="{}" data-icons="{}" data-words="{}">{}'
        '<div class="atl-play-grid"><section class="atl-chat" aria-label="{}">'
        '<div class="atl-log" id="atl-log">{}</div>{}</section>{}</div></div>'
    ).format(
        record.id,
        visit.query.get("conversation", ""),
        language,
        static("icons/lucide.svg"),
        json.dumps(_words(visit), ensure_ascii=False),
        _header(visit, record),
        visit.say("web.chat.region", name=spec.title.to(language)),
        _welcome(visit, record),
        _composer(visit, record),
        _how(visit),
    )


def _words(visit: Visit) -> dict[str, object]:
    return {
        key: value
        for key, value in catalogue(visit.language).items()
        if key.startswith(_SCRIPT_KEYS)
    }


def _missing(visit: Visit, text: str) -> Markup:
    return Markup(
        '<div class="atl-empty">{}<h1 class="atl-h2">{}</h1>'
        '<a class="atl-button" data-kind="primary" href="{}">{}</a></div>'
    ).format(icon("search"), text, address(visit.language, "home"), visit.say("web.back-home"))


def _header(visit: Visit, record: AgentRecord) -> Markup:
    spec, language = record.spec, visit.language
    facts = [
        visit.say("web.passport.version", version=spec.version),
        visit.say(f"web.data.{spec.data_class}"),
        *[tool_name(language, name) for name in spec.tools],
    ]
    model = visit.app.models.info()
    edit = (
        Markup('<a class="atl-button" data-size="small" href="{}">{}{}</a>').format(
            address(language, "build", query(agent=record.id)),
            icon("pencil"),
            visit.say("web.home.edit"),
        )
        if record.status == "draft"
        else Markup('<a class="atl-button" data-size="small" href="{}">{}{}</a>').format(
            address(language, "build", query(template=record.id)),
            icon("copy"),
            visit.say("web.play.adapt"),
        )
    )
    return Markup(
        '<header class="atl-play-head"><div class="atl-mine-head">{}<div><h1 class="atl-h2">{}</h1>'
        '<p class="atl-small">{}</p></div></div><div class="atl-play-do">'
        '<span class="atl-chip" data-tone="{}" title="{}">{}{}</span>{}'
        '<a class="atl-button" data-size="small" href="{}" data-atl-new>{}{}</a></div></header>'
    ).format(
        tile(spec.icon),
        spec.title.to(language) or visit.say("web.untitled"),
        " · ".join(facts),
        "good" if model.kind == "provider" else "",
        visit.say(f"web.model.{model.kind}.more"),
        icon("brain"),
        model.label,
        edit,
        address(language, "playground", query(agent=record.id)),
        icon("plus"),
        visit.say("web.play.new"),
    )


def tool_name(language: Language, name: str) -> str:
    """A tool in words; a tool without wording keeps its name."""
    tool = TOOLS.get(name)
    return say(language, tool.label_key) if tool and tool.label_key in catalogue(language) else name


def _welcome(visit: Visit, record: AgentRecord) -> Markup:
    spec, language = record.spec, visit.language
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
            visit.say("web.play.sample"),
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
        visit.say("web.play.welcome"),
        spec.purpose.to(language),
        sample,
        starters,
        Markup('<p class="atl-small">{} {}</p>').format(visit.say("web.play.not-for"), not_for)
        if not_for
        else "",
    )


def _composer(visit: Visit, record: AgentRecord) -> Markup:
    label = visit.say("web.chat.message")
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
        visit.say("web.chat.files"),
        visit.say("web.chat.attach"),
        icon("paperclip"),
        visit.say("web.chat.attach"),
        label,
        label,
        visit.say("web.chat.send"),
        icon("send-horizontal"),
        icon("lock"),
        visit.say("web.play.hint"),
    )


def _how(visit: Visit) -> Markup:
    return Markup(
        '<aside class="atl-card atl-how" aria-labelledby="atl-how-title" data-atl-how>'
        '<h2 class="atl-h3" id="atl-how-title">{}</h2><div data-atl-how-body>'
        '<p class="atl-small">{}</p></div><p class="atl-small atl-how-foot">{}{}</p></aside>'
    ).format(
        visit.say("web.how.title"),
        visit.say("web.how.empty"),
        icon("lock"),
        visit.say("web.how.foot"),
    )
