"""Home: what would you like to make easier? My agents, recent conversations, the gallery."""

from collections.abc import Mapping, Sequence

from agents.agent_records import AgentRecord
from agents.catalog import templates
from agents.conversation_tables import Conversation
from agents.publishing_records import OPEN
from agents.spec import AgentSpec
from ui.access import may
from ui.identity import Person
from ui.routes.shapes import ConversationRow
from ui.web.components.chips import masked, tile
from ui.web.frame import query
from ui.web.markup import Markup, attributes, icon, joined
from ui.web.nav import address
from ui.web.plain import Visit

SHOWN_AGENTS = 6
SHOWN_CONVERSATIONS = 4
FEATURED = 6  # templates shown first: those that most colleagues use, then in the catalogue's order

TONES = {"live": "good"}


def body(visit: Visit) -> Markup:
    """The whole page for one person."""
    person, app = visit.person, visit.app
    mine = app.catalog.mine(person.id)
    shared = app.catalog.shared(person.id)
    recent = app.conversations.mine(person.id, limit=200)
    users = app.impacts.users()
    who = app.record.pseudonym(person.id)
    figures = [
        (len(mine), "web.home.agents"),
        (len(recent), "web.home.conversations"),
        (round(app.impacts.hours_of(who), 1), "web.home.saved"),
    ]
    return Markup("{}{}{}{}{}{}").format(
        _hero(visit, person, figures),
        _first(visit) if "tour" not in app.learning.done(person.id) else "",
        _mine(visit, mine) if mine else "",
        _shared(visit, shared, users) if shared else "",
        _recent(visit, recent[:SHOWN_CONVERSATIONS], [*mine, *shared]) if recent else "",
        _gallery(visit, tuple(templates().values()), users),
    )


def _first(visit: Visit) -> Markup:
    return Markup(
        '<section class="atl-card atl-first"><div><h2 class="atl-h3">{}</h2><p>{}</p></div>'
        '<div class="atl-actions"><a class="atl-button" data-kind="primary" href="{}">{}{}</a>'
        '<button class="atl-button" data-kind="quiet" data-api="PUT /api/v1/me/lessons/tour"'
        ' data-fields="{}">{}</button></div></section>'
    ).format(
        visit.say("web.home.tour.new"),
        visit.say("web.home.tour.more"),
        address(visit.language, "playground", query(agent="email-drafter", tour="1")),
        icon("play"),
        visit.say("web.home.tour"),
        '{"done": true}',
        visit.say("web.home.tour.later"),
    )


def _shared(visit: Visit, shared: Sequence[AgentRecord], users: Mapping[str, int]) -> Markup:
    cards = joined(_template_card(visit, record.spec, users, record.id) for record in shared)
    return Markup(
        '<section><div class="atl-headrow"><h2 class="atl-h2">{}</h2></div>'
        '<ul class="atl-grid">{}</ul></section>'
    ).format(visit.say("web.home.shared"), cards)


def _hero(visit: Visit, person: Person, figures: Sequence[tuple[float, str]]) -> Markup:
    language = visit.language
    greeting = (
        visit.say("web.home.hello")
        if person.workshop
        else visit.say("web.home.hello-name", name=person.name.split()[0])
    )
    tiles = joined(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(visit.say(key, n=n), visit.number(n))
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
    states = _states(visit)
    cards = joined(
        _agent_card(visit, record, states.get(record.id, "draft")) for record in mine[:SHOWN_AGENTS]
    )
    return Markup(
        '<section><div class="atl-headrow"><h2 class="atl-h2">{}</h2></div>'
        '<ul class="atl-grid">{}</ul></section>'
    ).format(visit.say("web.home.mine"), cards)


def _states(visit: Visit) -> dict[str, str]:
    """draft, review, live or withdrawn, by agent; a new request outweighs what is live."""
    desk = visit.app.desk.publishing
    found = {one.agent: str(one.state) for one in desk.published(visit.person.id)}
    open_ = (one for one in desk.of(visit.person.id) if one.state in OPEN)
    return found | {one.agent: "review" for one in open_}


def _agent_card(visit: Visit, record: AgentRecord, state: str) -> Markup:
    spec, language = record.spec, visit.language
    base = templates().get(record.base)
    origin = visit.say("web.home.from", name=base.title.to(language)) if base else ""
    return Markup(
        '<li><article class="atl-card atl-mine"><div class="atl-mine-head">{}<div>'
        '<h3 class="atl-h3"><a href="{}">{}</a></h3><p class="atl-small">{}</p></div></div>'
        '<div class="atl-headrow"><span class="atl-chip"{}>{}</span>'
        '<span class="atl-small">{}</span>'
        '<a class="atl-more" href="{}" aria-label="{}">{}</a></div></article></li>'
    ).format(
        tile(spec.icon),
        address(language, "playground", query(agent=record.id)),
        spec.title.to(language) or visit.say("web.untitled"),
        origin,
        attributes(data_tone=TONES.get(state)),
        visit.say(f"web.home.state.{state}"),
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
    visit: Visit,
    each: Conversation | ConversationRow,
    mine: Sequence[AgentRecord],
    extra: Markup | str = "",
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


def _gallery(visit: Visit, specs: Sequence[AgentSpec], users: Mapping[str, int]) -> Markup:
    categories = sorted(
        {spec.category for spec in specs}, key=lambda name: visit.say(f"web.category.{name}")
    )
    buttons = joined(
        Markup(
            '<button type="button" class="atl-filter" data-atl-category="{}"{}>{}</button>'
        ).format(
            name,
            attributes(aria_pressed="true" if name == "featured" else "false"),
            visit.say("web.home.all", n=len(specs))
            if not name
            else visit.say(f"web.category.{name}"),
        )
        for name in ("featured", "", *categories)
    )
    liked = sorted(specs, key=lambda spec: -users.get(spec.id, 0))  # stable: ties keep their order
    featured = {spec.id for spec in liked[:FEATURED]}
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
        joined(_template_card(visit, spec, users, featured=spec.id in featured) for spec in liked),
        icon("search"),
        visit.say("web.home.none"),
        visit.say("web.home.none-more"),
    )


def _template_card(
    visit: Visit,
    spec: AgentSpec,
    users: Mapping[str, int],
    id: str = "",
    *,
    featured: bool | None = None,
) -> Markup:
    """One agent to try. `featured` None: it stands outside the gallery, where nothing is hidden."""
    language = visit.language
    category = visit.say(f"web.category.{spec.category}")
    minutes = spec.saves.minutes
    colleagues = users.get(id or spec.id, 0)
    foot = (
        Markup("{}{}").format(icon("users"), visit.say("web.home.users", n=colleagues))
        if colleagues > 1
        else Markup("{}{}").format(icon("file-text"), visit.say("web.home.has-sample"))
        if spec.sample
        else Markup("{}{}").format(icon("message-circle"), visit.say("web.home.chat-only"))
    )
    words = " ".join((spec.title.to(language), spec.purpose.to(language), category)).lower()
    return Markup(
        '<li{}><a class="atl-card atl-template" href="{}">'
        '<span class="atl-headrow">{}<span class="atl-chip">{}</span></span>'
        '<h3 class="atl-h3">{}</h3><p>{}</p><span class="atl-headrow"><span class="atl-small"{}>{}'
        '</span><span class="atl-use">{}{}</span></span></a></li>'
    ).format(
        attributes(
            data_atl_card=spec.category,
            data_atl_words=words,
            data_atl_featured=featured,
            hidden=not featured,
        )
        if featured is not None
        else "",
        address(language, "playground", query(agent=id or spec.id)),
        tile(spec.icon),
        category,
        spec.title.to(language),
        spec.purpose.to(language),
        attributes(title=spec.saves.measured.to(language) if minutes else None),
        foot,
        visit.say("web.home.use"),
        icon("arrow-right"),
    )
