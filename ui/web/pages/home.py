"""Home: what would you like to make easier? My agents, recent conversations, the gallery."""

from collections.abc import Sequence

import gradio as gr

from agents.catalog import AgentRecord, templates
from agents.conversations import Conversation
from agents.spec import AgentSpec
from ui.access import may
from ui.identity import Person
from ui.web.components.chips import masked, tile
from ui.web.frame import query
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.nav import address
from ui.web.pages.common import Context, filled, html

SHOWN_AGENTS = 6
SHOWN_CONVERSATIONS = 4


def build(context: Context, page: gr.Blocks) -> None:
    """Put the page into `page`."""
    part = html(elem_id="atl-home")
    filled(page, part, lambda request: content(context, context.person(request, "agents.use")))


def content(context: Context, person: Person) -> Markup:
    """The whole page for one person."""
    mine = context.app.catalog.mine(person.id)
    recent = context.app.conversations.mine(person.id, limit=200)
    return Markup('<div class="atl-page" data-atl-page="home">{}{}{}{}</div>').format(
        _hero(context, person, len(mine), len(recent)),
        _mine(context, mine) if mine else "",
        _recent(context, recent[:SHOWN_CONVERSATIONS], mine) if recent else "",
        _gallery(context, tuple(templates().values())),
    )


def _hero(context: Context, person: Person, agents: int, conversations: int) -> Markup:
    language = context.language
    greeting = (
        context.say("web.home.hello")
        if person.workshop
        else context.say("web.home.hello-name", name=person.name.split()[0])
    )
    figures = [(agents, "web.home.agents"), (conversations, "web.home.conversations")]
    tiles = joined(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(context.say(key, n=n), n)
        for n, key in figures
        if n
    )
    build_button = (
        Markup('<a class="atl-button" href="{}">{}{}</a>').format(
            address(language, "build"), icon("plus"), context.say("web.home.new")
        )
        if may(person, "agents.build")
        else ""
    )
    return Markup(
        '<section class="atl-hero"><div><h1>{}</h1><p>{}</p><div class="atl-hero-do">{}'
        '<a class="atl-button" data-kind="ghost" href="#atl-gallery">{}{}</a></div></div>'
        "{}</section>"
    ).format(
        greeting,
        context.say("web.home.lead"),
        build_button,
        icon("layout-grid"),
        context.say("web.home.browse"),
        Markup("<dl>{}</dl>").format(tiles) if tiles else "",
    )


def _mine(context: Context, mine: Sequence[AgentRecord]) -> Markup:
    cards = joined(_agent_card(context, record) for record in mine[:SHOWN_AGENTS])
    return Markup(
        '<section><div class="atl-headrow"><h2 class="atl-h2">{}</h2></div>'
        '<ul class="atl-grid">{}</ul></section>'
    ).format(context.say("web.home.mine"), cards)


def _agent_card(context: Context, record: AgentRecord) -> Markup:
    spec, language = record.spec, context.language
    base = templates().get(record.base)
    origin = context.say("web.home.from", name=base.title.to(language)) if base else ""
    return Markup(
        '<li><article class="atl-card atl-mine"><div class="atl-mine-head">{}<div>'
        '<h3 class="atl-h3"><a href="{}">{}</a></h3><p class="atl-small">{}</p></div></div>'
        '<div class="atl-headrow"><span class="atl-chip">{}</span><span class="atl-small">{}</span>'
        '<a class="atl-more" href="{}" aria-label="{}">{}</a></div></article></li>'
    ).format(
        tile(spec.icon),
        address(language, "playground", query(agent=record.id)),
        spec.title.to(language) or context.say("web.untitled"),
        origin,
        context.say("web.home.draft"),
        context.ago(record.updated) if record.updated else "",
        address(language, "build", query(agent=record.id)),
        context.say("web.home.edit-name", name=spec.title.to(language)),
        context.say("web.home.edit"),
    )


def _recent(
    context: Context, recent: Sequence[Conversation], mine: Sequence[AgentRecord]
) -> Markup:
    rows = joined(conversation_row(context, each, mine) for each in recent)
    return Markup(
        '<section><div class="atl-headrow"><h2 class="atl-h2">{}</h2>'
        '<a class="atl-more" href="{}">{}</a></div><ul class="atl-rows">{}</ul></section>'
    ).format(
        context.say("web.home.recent"),
        address(context.language, "conversations"),
        context.say("web.see-all"),
        rows,
    )


def conversation_row(
    context: Context, each: Conversation, mine: Sequence[AgentRecord], extra: Markup | str = ""
) -> Markup:
    """One conversation as a link: agent, first words (masked), when."""
    found = spec_of(each.agent, mine)
    return Markup(
        '<li class="atl-row-item"><a href="{}">{}<span class="atl-row-text"><b>{}</b>'
        '<span>{}</span></span><time class="atl-small" datetime="{}">{}</time></a>{}</li>'
    ).format(
        address(context.language, "playground", query(agent=each.agent, conversation=each.id)),
        tile(found.icon if found else "bot"),
        found.title.to(context.language) if found else context.say("web.gone-agent"),
        masked(context.language, each.title or context.say("web.no-message")),
        each.touched.isoformat(),
        context.ago(each.touched),
        extra,
    )


def spec_of(agent: str, mine: Sequence[AgentRecord]) -> AgentSpec | None:
    """The specification of a template or of one of the person's own agents."""
    return templates().get(agent) or next((r.spec for r in mine if r.id == agent), None)


def _gallery(context: Context, specs: Sequence[AgentSpec]) -> Markup:
    categories = sorted(
        {spec.category for spec in specs}, key=lambda name: context.say(f"web.category.{name}")
    )
    buttons = joined(
        Markup(
            '<button type="button" class="atl-filter" data-atl-category="{}"{}>{}</button>'
        ).format(
            name,
            attributes(aria_pressed="false" if name else "true"),
            context.say(f"web.category.{name or 'all'}"),
        )
        for name in ("", *categories)
    )
    return Markup(
        '<section id="atl-gallery" data-atl-gallery><h2 class="atl-h2">{}</h2>'
        '<div class="atl-gallery-bar">'
        '<div class="atl-filters" role="group" aria-label="{}">{}</div>'
        '<label class="atl-search">{}<span class="atl-visually-hidden">{}</span>'
        '<input type="search" placeholder="{}" autocomplete="off"></label></div>'
        '<ul class="atl-grid">{}</ul><p class="atl-empty" data-atl-none hidden>{}<b>{}</b>{}</p>'
        "</section>"
    ).format(
        context.say("web.home.templates"),
        context.say("web.home.categories"),
        buttons,
        icon("search"),
        context.say("web.home.search"),
        context.say("web.home.search"),
        joined(_template_card(context, spec) for spec in specs),
        icon("search"),
        context.say("web.home.none"),
        context.say("web.home.none-more"),
    )


def _template_card(context: Context, spec: AgentSpec) -> Markup:
    language = context.language
    category = context.say(f"web.category.{spec.category}")
    minutes = spec.saves.minutes
    foot = (
        Markup("{}{}").format(icon("file-text"), context.say("web.home.has-sample"))
        if spec.sample
        else Markup("{}{}").format(icon("message-circle"), context.say("web.home.chat-only"))
    )
    words = " ".join((spec.title.to(language), spec.purpose.to(language), category)).lower()
    return Markup(
        '<li data-atl-card="{}" data-atl-words="{}"><a class="atl-card atl-template" href="{}">'
        '<span class="atl-headrow">{}<span class="atl-chip">{}</span></span>'
        '<h3 class="atl-h3">{}</h3><p>{}</p><span class="atl-headrow"><span class="atl-small"{}>{}'
        '</span><span class="atl-use">{}{}</span></span></a></li>'
    ).format(
        spec.category,
        words,
        address(language, "playground", query(agent=spec.id)),
        tile(spec.icon),
        category,
        spec.title.to(language),
        spec.purpose.to(language),
        attributes(title=spec.saves.measured.to(language) if minutes else None),
        foot,
        context.say("web.home.use"),
        icon("arrow-right"),
    )
