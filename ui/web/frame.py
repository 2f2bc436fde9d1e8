"""What stands around every page: skip link, navigation, banners, skeleton. Decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from sandbox.broker.models import ModelInfo
from ui.access import ROLES
from ui.branding import OURS, Branding
from ui.identity import Person
from ui.messages import LANGUAGES, Language, say
from ui.web.markup import Markup, icon, joined
from ui.web.nav import BY_ID, GROUPS, Page, address, visible

# pages with something that waits
COUNTED = ("publish", "conversations", "privacy", "audit", "alerts", "policies")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the frame shows besides the person: the page, its query, the house's state."""

    language: Language
    page: Page | None
    query: str
    sealed: bool
    model: ModelInfo | None
    house: Branding = OURS
    counts: Mapping[str, int] = field(default_factory=dict)  # what waits for them, by page id
    restored: str = ""  # when a backup was last put in, ISO 8601
    fix: str = ""  # where no isolation holds: the catalogue key of what to do about it


def before(person: Person, around: Surroundings) -> Markup:
    """Everything in front of the page's own content; `after` closes it."""
    language = around.language
    return Markup(
        '<a class="atl-skip" href="#atl-main">{}</a>{}{}<div class="atl-body">{}'
        '<div class="atl-main" id="atl-main" tabindex="-1">{}'
    ).format(
        say(language, "web.skip"),
        _side(person, around),
        _top(person, around),
        _banners(person, around),
        "" if around.page and around.page.kind == "plain" else skeleton(language, around.page),
    )


def after(person: Person, around: Surroundings) -> Markup:
    """Closes what `before` opened, and the phone's bar."""
    links = joined(
        Markup('<li><a href="{}"{}>{}<span>{}</span>{}</a></li>').format(
            address(around.language, page.id),
            _current(page, around),
            icon(page.icon),
            say(around.language, f"web.tab.{page.id}"),
            _count(page, around, "tab"),
        )
        for page in visible(person)
        if page.tab
    )
    return Markup(
        '</div></div><nav class="atl-tabs" aria-label="{}"><ul>{}</ul></nav>'
        '<div id="atl-live" class="atl-visually-hidden" role="status" aria-live="polite"></div>'
        '<div id="atl-restored" role="status" data-at="{}" data-restored="{}" data-restoring="{}"'
        ' data-reload="{}"></div>'
    ).format(
        say(around.language, "web.nav.pages"),
        links,
        around.restored,
        *(
            say(around.language, f"restore.notice.{name}")
            for name in ("restored", "restoring", "reload")
        ),
    )


def skeleton(language: Language, page: Page | None) -> Markup:
    """The page's outline for the first paint."""
    blocks = {
        "home": (232, 24, 3, 3),
        "build": (60, 48, 2, 0),
        "playground": (56, 440, 0, 0),
        "audit": (60, 110, 0, 3),
    }.get(page.id if page else "", (60, 120, 3, 0))
    first, second, *rows = blocks
    boxes = [
        Markup(
            '<svg width="100%" height="{}"><rect width="100%" height="100%" rx="14"/></svg>'
        ).format(height)
        for height in (first, second)
    ]
    for count in rows:
        box = Markup(
            '<svg width="100%" height="140"><rect width="100%" height="100%" rx="14"/></svg>'
        )
        if count:
            boxes.append(Markup('<div class="atl-row">{}</div>').format(joined([box] * count)))
    return Markup(
        '<div class="atl-skeleton" aria-hidden="true">{}</div>'
        '<p class="atl-visually-hidden" id="atl-loading" role="status">{}</p>'
    ).format(joined(boxes), say(language, "web.loading"))


def brand(language: Language, house: Branding = OURS) -> Markup:
    """The mark and the name, the house's own or ours, linked to the home page."""
    return Markup('<a class="atl-brand" href="{}">{}</a>').format(
        address(language, "home"), sign(house)
    )


def sign(house: Branding) -> Markup:
    """The logo, or our mark, and the name."""
    if house.logo is None:
        mark = Markup('<span class="atl-mark">{}</span>').format(icon("shield-check"))
    else:
        source = f"/api/v1/branding/logo.png?v={house.version}"
        mark = Markup('<img class="atl-mark-own" alt="" src="{}">').format(source)
    return mark + (house.name or "Atelier")


def look_link(house: Branding) -> Markup:
    """The house's colour, after our own stylesheets."""
    if not house.accent:
        return Markup("")
    return Markup('<link rel="stylesheet" href="/api/v1/branding/look.css?v={}">').format(
        house.version
    )


def languages(around: Surroundings) -> Markup:
    """EN | FR: the same page, with its query, in the other language."""
    links = joined(
        Markup('<a href="{}" lang="{}" hreflang="{}"{} title="{}">{}</a>').format(
            _elsewhere(around, language),
            language,
            language,
            Markup(' aria-current="true"') if language == around.language else "",
            say(language, "web.language.name"),
            language.upper(),
        )
        for language in LANGUAGES
    )
    return Markup('<div class="atl-lang" role="group" aria-label="{}">{}</div>').format(
        say(around.language, "web.language"), links
    )


def theme_button(language: Language) -> Markup:
    """Light or dark; shell.js makes it work."""
    return Markup(
        '<button type="button" class="atl-iconbutton" data-atl-theme aria-label="{}" title="{}">'
        "{}</button>"
    ).format(say(language, "web.theme"), say(language, "web.theme"), icon("sun-moon"))


def _side(person: Person, around: Surroundings) -> Markup:
    language = around.language
    groups = []
    for group in GROUPS:
        links = [_link(page, around) for page in visible(person) if page.group == group]
        if links:
            groups.append(
                Markup("<h2>{}</h2><ul>{}</ul>").format(
                    say(language, f"web.group.{group}"), joined(links)
                )
            )
    state = "refused" if around.fix else "sealed" if around.sealed else "unsafe"
    initials = "".join(word[0] for word in person.name.split()[:2]).upper() or "?"
    return Markup(
        '<nav class="atl-side" id="atl-side" aria-label="{}">{}<div class="atl-side-list">{}</div>'
        '<div class="atl-side-foot"><div class="atl-seal" data-state="{}"><b>{}{}</b>'
        "<span>{}</span></div>"
        '<div class="atl-who"><span class="atl-avatar" aria-hidden="true">{}</span>'
        '<span class="atl-who-name">{}<small>{}</small></span>{}</div>'
        '<div class="atl-tools">{}{}</div></div></nav>'
    ).format(
        say(language, "web.nav.main"),
        brand(language, around.house),
        joined(groups),
        state,
        icon("lock" if state == "sealed" else "triangle-alert"),
        say(language, f"web.seal.{state}"),
        say(language, f"web.seal.{state}.more"),
        initials,
        person.name,
        roles_shown(person, language),
        _sign_out(person, language),
        languages(around),
        theme_button(language),
    )


def roles_shown(person: Person, language: Language) -> str:
    """The roles in force, in words; all of them together is "All roles"."""
    if len(person.roles) == len(ROLES):
        return say(language, "web.roles.all")
    return ", ".join(say(language, f"web.role.{role}") for role in ROLES if role in person.roles)


def _link(page: Page, around: Surroundings) -> Markup:
    return Markup('<li><a class="atl-link" href="{}"{}>{}{}{}</a></li>').format(
        address(around.language, page.id),
        _current(page, around),
        icon(page.icon),
        say(around.language, f"web.nav.{page.id}"),
        _count(page, around, "side"),
    )


def _count(page: Page, around: Surroundings, place: str) -> Markup:
    """How much waits on a page; an empty place where nothing does, for plain.js to fill."""
    if page.id not in COUNTED:
        return Markup("")
    n = around.counts.get(page.id, 0)
    inside = (
        Markup(
            '<span aria-hidden="true">{}</span><span class="atl-visually-hidden"> ({})</span>'
        ).format(n, say(around.language, f"web.count.{page.id}", n=n))
        if n
        else ""
    )
    return Markup('<span class="atl-count" id="atl-count-{}-{}" data-atl-count>{}</span>').format(
        place, page.id, inside
    )


def _current(page: Page, around: Surroundings) -> Markup:
    here = around.page is not None and around.page.id == page.id
    return Markup(' aria-current="page"') if here else Markup("")


def _top(person: Person, around: Surroundings) -> Markup:
    pages = say(around.language, "web.menu")
    return Markup(
        '<header class="atl-top"><button type="button" class="atl-iconbutton" data-atl-menu'
        ' aria-expanded="false" aria-controls="atl-side" aria-label="{}" title="{}">{}</button>{}'
        '<div class="atl-top-tools">{}{}{}</div></header>'
    ).format(
        pages,
        pages,
        icon("menu"),
        brand(around.language, around.house),
        theme_button(around.language),
        _sign_out(person, around.language),
        languages(around),
    )


def _sign_out(person: Person, language: Language) -> Markup:
    if person.workshop:
        return Markup("")
    return Markup(
        '<button type="button" class="atl-iconbutton" data-atl-signout data-atl-failed="{}"'
        ' aria-label="{}" title="{}">{}</button>'
    ).format(
        say(language, "web.plain.offline"),
        say(language, "web.signout"),
        say(language, "web.signout"),
        icon("log-out"),
    )


def _banners(person: Person, around: Surroundings) -> Markup:
    language = around.language
    parts = []
    if around.fix:
        text = say(language, "seal.banner.refused", fix=say(language, around.fix))
        parts.append(_banner("unsafe", "triangle-alert", text))
    if not around.sealed:
        parts.append(_banner("unsafe", "triangle-alert", say(language, "web.banner.unsafe")))
    if person.workshop or len(person.granted) > 1:
        parts.append(_workshop(person, around))
    model = around.model
    if model is not None and model.state in ("warming", "fetching", "down"):
        percent = "" if model.progress is None else f"{100 * model.progress:.0f} %"
        parts.append(
            Markup(
                '<div class="atl-banner" data-kind="warming" data-atl-warming role="status">'
                "{}<p>{}</p></div>"
            ).format(
                icon("loader-circle", "" if model.state == "down" else "atl-turning"),
                say(language, f"web.banner.{model.state}", model=model.label, percent=percent),
            )
        )
    return joined(parts)


def _banner(kind: str, picture: str, text: str) -> Markup:
    return Markup(
        '<div class="atl-banner" data-kind="{}" role="region" aria-label="{}">{}<p>{}</p></div>'
    ).format(kind, text, icon(picture), text)


def _workshop(person: Person, around: Surroundings) -> Markup:
    language = around.language
    options = [("", say(language, "web.roles.all"))]
    options += [
        (role, say(language, f"web.role.{role}")) for role in ROLES if role in person.granted
    ]
    chosen = joined(
        Markup('<option value="{}"{}>{}</option>').format(
            value, Markup(" selected") if value == (person.view or "") else "", text
        )
        for value, text in options
    )
    text = (
        Markup("<p><b>{}</b> {}</p>").format(
            say(language, "web.banner.workshop"), say(language, "web.banner.workshop.more")
        )
        if person.workshop
        else Markup("<p>{}</p>").format(say(language, "web.banner.roles"))
    )
    return Markup(
        '<div class="atl-banner" data-kind="workshop" role="region" aria-label="{}">{}{}'
        '<label class="atl-role">{}<select data-atl-role data-atl-failed="{}">{}</select>'
        "</label></div>"
    ).format(
        say(language, "web.banner.view-as"),
        icon("wrench"),
        text,
        say(language, "web.banner.view-as"),
        say(language, "web.plain.offline"),
        chosen,
    )


def _elsewhere(around: Surroundings, language: Language) -> str:
    page = around.page.id if around.page and around.page.id in BY_ID else "home"
    return address(language, page, around.query)


def query(**values: str) -> str:
    """A query string without the empty values."""
    return urlencode({name: value for name, value in values.items() if value})
