"""Home: what would you like to make easier? My agents, recent conversations, the gallery."""

from collections.abc import Sequence

from agents.catalog import AgentRecord, templates
from agents.conversations import Conversation
from agents.spec import AgentSpec
from ui.access import may
from ui.identity import Person
from ui.web.components.chips import masked, tile
from ui.web.frame import query
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit

SHOWN_AGENTS = 6
SHOWN_CONVERSATIONS = 4


def body(visit: Visit) -> Markup:
    """The whole page for one person."""
    person = visit.person
    mine = visit.app.catalog.mine(person.id)
    recent = visit.app.conversations.mine(person.id, limit=200)
    return Markup("{}{}{}{}").format(
        _hero(visit, person, len(mine), len(recent)),
        _mine(visit, mine) if mine else "",
        _recent(visit, recent[:SHOWN_CONVERSATIONS], mine) if recent else "",
        _gallery(visit, tuple(templates().values())),
    )


def _hero(visit: Visit, person: Person, agents: int, conversations: int) -> Markup:
    language = visit.language
    greeting = (
        visit.say("web.home.hello")
        if person.workshop
        else visit.say("web.home.hello-name", name=person.name.split()[0])
    )
    figures = [(agents, "web.home.agents"), (conversations, "web.home.conversations")]
    tiles = joined(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(visit.say(key, n=n), n)
        for n, key in figures
        if n
    )
    build_button = (
        Markup('<a class="atl-button" href="{}">{}{}</a>').format(
            address(language, "build"), icon("plus"), visit.say("web.home.new")
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
        visit.say("web.home.lead"),
        build_button,
        icon("layout-grid"),
        visit.say("web.home.browse"),
        Markup("<dl>{}</dl>").format(tiles) if tiles else "",
    )


def _mine(visit: Visit, mine: Sequence[AgentRecord]) -> Markup:
    cards = joined(_agent_card(visit, record) for record in mine[:SHOWN_AGENTS])
    return Markup(
        '<section><div class="atl-headrow"><h2 class="atl-h2">{}</h2></div>'
        '<ul class="atl-grid">{}</ul></section>'
    ).format(visit.say("web.home.mine"), cards)


def _agent_card(visit: Visit, record: AgentRecord) -> Markup:
    spec, language = record.spec, visit.language
    base = templates().get(record.base)
    origin = visit.say("web.home.from", name=base.title.to(language)) if base else ""
    return Markup(
        '<li><article class="atl-card atl-mine"><div class="atl-mine-head">{}<div>'
        '<h3 class="atl-h3"><a href="{}">{}</a></h3><p class="atl-small">{}</p></div></div>'
        '<div class="atl-headrow"><span class="atl-chip">{}</span><span class="atl-small">{}</span>'
        '<a class="atl-more" href="{}" aria-label="{}">{}</a></div></article></li>'
    ).format(
        tile(spec.icon),
        address(language, "playground", query(agent=record.id)),
        spec.title.to(language) or visit.say("web.untitled"),
        origin,
        visit.say("web.home.draft"),
        visit.ago(record.updated) if record.updated else "",
        address(language, "build", query(agent=record.id)),
        visit.say("web.home.edit-name", name=spec.title.to(language)),
        visit.say("web.home.edit"),
    )


def _recent(visit: Visit, recent: Sequence[Conversation], mine: Sequence[AgentRecord]) -> Markup:
    rows = joined(conversation_row(visit, each, mine) for each in recent)
    return Markup(
        '<section><div class="atl-headrow"><h2 class="atl-h2">{}</h2>'
        '<a class="atl-more" href="{}">{}</a></div><ul class="atl-rows">{}</ul></section>'
    ).format(
        visit.say("web.home.recent"),
        address(visit.language, "conversations"),
        visit.say("web.see-all"),
        rows,
    )


def conversation_row(
    visit: Visit, each: Conversation, mine: Sequence[AgentRecord], extra: Markup | str = ""
) -> Markup:
    """One conversation as a link: agent, first words (masked), when."""
    found = spec_of(each.agent, mine)
    return Markup(
        '<li class="atl-row-item"><a href="{}">{}<span class="atl-row-text"><b>{}</b>'
        '<span>{}</span></span><time class="atl-small" datetime="{}">{}</time></a>{}</li>'
    ).format(
        address(visit.language, "playground", query(agent=each.agent, conversation=each.id)),
        tile(found.icon if found else "bot"),
        found.title.to(visit.language) if found else visit.say("web.gone-agent"),
        masked(visit.language, each.title or visit.say("web.no-message")),
        each.touched.isoformat(),
        visit.ago(each.touched),
        extra,
    )


def spec_of(agent: str, mine: Sequence[AgentRecord]) -> AgentSpec | None:
    """The specification of a template or of one of the person's own agents."""
    return templates().get(agent) or next((r.spec for r in mine if r.id == agent), None)


def _gallery(visit: Visit, specs: Sequence[AgentSpec]) -> Markup:
    categories = sorted(
        {spec.category for spec in specs}, key=lambda name: visit.say(f"web.category.{name}")
    )
    buttons = joined(
        Markup(
            '<button type="button" class="atl-filter" data-atl-category="{}"{}>{}</button>'
        ).format(
            name,
            attributes(aria_pressed="false" if name else "true"),
            visit.say(f"web.category.{name or 'all'}"),
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
        visit.say("web.home.templates"),
        visit.say("web.home.categories"),
        buttons,
        icon("search"),
        visit.say("web.home.search"),
        visit.say("web.home.search"),
        joined(_template_card(visit, spec) for spec in specs),
        icon("search"),
        visit.say("web.home.none"),
        visit.say("web.home.none-more"),
    )


def _template_card(visit: Visit, spec: AgentSpec) -> Markup:
    language = visit.language
    category = visit.say(f"web.category.{spec.category}")
    minutes = spec.saves.minutes
    foot = (
        Markup("{}{}").format(icon("file-text"), visit.say("web.home.has-sample"))
        if spec.sample
        else Markup("{}{}").format(icon("message-circle"), visit.say("web.home.chat-only"))
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
        visit.say("web.home.use"),
        icon("arrow-right"),
    )
