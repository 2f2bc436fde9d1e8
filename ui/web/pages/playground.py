"""Playground: the frame of the chat. The chat itself is static/js/chat.js over the HTTP API."""

import json

from agents.agent_records import AgentRecord
from guardrails.errors import GuardrailError
from ui.messages import Language, catalogue, say_error
from ui.web.components.chips import tile
from ui.web.components.opinion import opinion
from ui.web.frame import query
from ui.web.markup import Markup, icon, joined, static
from ui.web.nav import address
from ui.web.place import Place
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
    conversation = visit.query.get("conversation", "")
    return _chat(
        visit,
        record,
        conversation,
        beside=_how(visit),
        under=opinion(visit, record, conversation),
    )


def tryout(place: Place, record: AgentRecord | None) -> Markup:
    """The chat beside the builder's form, once the draft can answer; else what it still lacks."""
    if record is None or not usable(record, place.language):
        return Markup("")
    return Markup('<section class="atl-tryout"><h2 class="atl-h3">{}</h2>{}</section>').format(
        place.say("build.tryout"), _chat(place, record, "", small=True)
    )


def usable(record: AgentRecord, language: Language) -> bool:
    """Whether the agent has a name and instructions in `language`."""
    return not any(
        key in record.spec.missing() for key in (f"title.{language}", f"instructions.{language}")
    )


def _chat(
    place: Place,
    record: AgentRecord,
    conversation: str,
    *,
    beside: Markup | str = "",
    under: Markup | str = "",
    small: bool = False,
) -> Markup:
    return Markup(
        '<div class="atl-page atl-play" data-agent="{}"'
        ' data-conversation="{}" data-language="{}" data-icons="{}" data-words="{}"{}{}>{}{}'
        '<div class="atl-play-grid"><section class="atl-chat" aria-label="{}">'
        '<div class="atl-log" id="atl-log">{}</div>{}</section>{}</div></div>'
    ).format(
        record.id,
        conversation,
        place.language,
        static("icons/lucide.svg"),
        json.dumps(_words(place), ensure_ascii=False),
        Markup(" data-small") if small else "",
        Markup(" data-draft") if record.status == "draft" else "",
        "" if small else _header(place, record),
        under,
        place.say("web.chat.region", name=record.spec.title.to(place.language)),
        _welcome(place, record),
        _composer(place, record),
        beside,
    )


def _words(place: Place) -> dict[str, object]:
    return {
        key: value
        for key, value in catalogue(place.language).items()
        if key.startswith(_SCRIPT_KEYS)
    }


def _missing(place: Place, text: str) -> Markup:
    return Markup(
        '<div class="atl-empty">{}<h1 class="atl-h2">{}</h1>'
        '<a class="atl-button" data-kind="primary" href="{}">{}</a></div>'
    ).format(icon("search"), text, address(place.language, "home"), place.say("web.back-home"))


def _header(place: Place, record: AgentRecord) -> Markup:
    spec, language = record.spec, place.language
    facts = [
        place.say("web.passport.version", version=spec.version),
        place.say(f"web.data.{spec.data_class}"),
        *[tool_name(place, name) for name in spec.tools],
    ]
    model = place.app.models.info()
    edit = (
        Markup('<a class="atl-button" data-size="small" href="{}">{}{}</a>').format(
            address(language, "build", query(agent=record.id)),
            icon("pencil"),
            place.say("web.home.edit"),
        )
        if record.status == "draft"
        else ""  # a colleague's agent is copied by the API: see components/opinion.py
        if record.status == "published"
        else Markup('<a class="atl-button" data-size="small" href="{}">{}{}</a>').format(
            address(language, "build", query(template=record.id)),
            icon("copy"),
            place.say("web.play.adapt"),
        )
    )
    return Markup(
        '<header class="atl-play-head"><div class="atl-mine-head">{}<div><h1 class="atl-h2">{}</h1>'
        '<p class="atl-small">{}</p></div></div><div class="atl-play-do">'
        '<span class="atl-chip" data-tone="{}" title="{}">{}{}</span>{}'
        '<a class="atl-button" data-size="small" href="{}" data-atl-new>{}{}</a></div></header>'
    ).format(
        tile(spec.icon),
        spec.title.to(language) or place.say("web.untitled"),
        " · ".join(facts),
        "good" if model.kind == "provider" else "",
        place.say(f"web.model.{model.kind}.more"),
        icon("brain"),
        model.label,
        edit,
        address(language, "playground", query(agent=record.id)),
        icon("plus"),
        place.say("web.play.new"),
    )


def tool_name(place: Place, name: str) -> str:
    """A tool in words: ours by the catalogue, an added one by its title, an unknown by its name."""
    tool = place.app.tools.catalogue().get(name)
    if tool is None:
        return name
    return place.say(tool.label_key) if tool.label_key else tool.title or name


def _welcome(place: Place, record: AgentRecord) -> Markup:
    spec, language = record.spec, place.language
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
            place.say("web.play.sample"),
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
        place.say("web.play.welcome"),
        spec.purpose.to(language),
        sample,
        starters,
        Markup('<p class="atl-small">{} {}</p>').format(place.say("web.play.not-for"), not_for)
        if not_for
        else "",
    )


def _composer(place: Place, record: AgentRecord) -> Markup:
    label = place.say("web.chat.message")
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
        place.say("web.chat.files"),
        place.say("web.chat.attach"),
        icon("paperclip"),
        place.say("web.chat.attach"),
        label,
        label,
        place.say("web.chat.send"),
        icon("send-horizontal"),
        icon("lock"),
        place.say("web.play.hint"),
    )


def _how(place: Place) -> Markup:
    return Markup(
        '<aside class="atl-card atl-how" aria-labelledby="atl-how-title" data-atl-how>'
        '<h2 class="atl-h3" id="atl-how-title">{}</h2><div data-atl-how-body>'
        '<p class="atl-small">{}</p></div><p class="atl-small atl-how-foot">{}{}</p></aside>'
    ).format(
        place.say("web.how.title"),
        place.say("web.how.empty"),
        icon("lock"),
        place.say("web.how.foot"),
    )
