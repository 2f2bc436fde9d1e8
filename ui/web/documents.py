"""Whole pages without Gradio: refusal, nothing here, a failure. They work without JavaScript."""

from starlette.responses import HTMLResponse

from ui.access import MAY
from ui.branding import OURS, Branding
from ui.identity import Person
from ui.messages import Language, say
from ui.web import frame
from ui.web.markup import Markup, icon, static
from ui.web.nav import Page, address

_SHEETS = ("tokens", "shell", "parts")


def document(
    language: Language,
    title: str,
    body: Markup,
    sheets: tuple[str, ...] = (),
    scripts: tuple[str, ...] = (),
    house: Branding = OURS,
) -> str:
    """A complete HTML page around `body`; `sheets` and `scripts` come beside the common ones."""
    links = Markup("").join(
        Markup('<link rel="stylesheet" href="{}">').format(static(f"css/{name}.css"))
        for name in (*_SHEETS, *sheets)
    )
    modules = Markup("").join(
        Markup('<script type="module" src="{}"></script>').format(static(f"js/{name}.js"))
        for name in ("shell", *scripts)
    )
    return Markup(
        '<!doctype html><html lang="{}" class="atl" data-atl-ready><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<title>{} · {}</title>{}{}<link rel="icon" type="image/svg+xml" href="{}">'
        '<script src="{}"></script>{}</head>'
        "<body>{}</body></html>"
    ).format(
        language,
        title,
        house.name or "Atelier",
        links,
        frame.look_link(house),
        static("icons/mark.svg"),
        static("js/early.js"),
        modules,
        body,
    )


def refused(person: Person, around: frame.Surroundings, page: Page) -> HTMLResponse:
    """403: which roles may open the page, and where to go instead."""
    language = around.language
    roles = ", ".join(say(language, f"web.role.{role}") for role in sorted(MAY[page.permission]))
    name = say(language, f"web.nav.{page.id}")
    inside = Markup(
        '<main class="atl-page"><div class="atl-empty">{}<h1 class="atl-h2">{}</h1><p>{}</p>'
        '<a class="atl-button" data-kind="primary" href="{}">{}</a></div></main>'
    ).format(
        icon("lock"),
        say(language, "web.refused.title", page=name),
        say(language, "web.refused.more", roles=roles),
        address(language, "home"),
        say(language, "web.back-home"),
    )
    body = frame.before(person, around) + inside + frame.after(person, around)
    return HTMLResponse(document(language, name, body, house=around.house), 403)


def lost(person: Person, around: frame.Surroundings) -> HTMLResponse:
    """404 in the frame: nothing is at this address; where to go instead."""
    language = around.language
    inside = Markup('<main class="atl-page" id="atl-content">{}</main>').format(
        _nothing(language, address(language, "home"), say(language, "web.back-home"))
    )
    body = frame.before(person, around) + inside + frame.after(person, around)
    title = say(language, "web.trouble.lost")
    return HTMLResponse(document(language, title, body, ("pages",), house=around.house), 404)


def trouble(
    language: Language, status: int, code: str, message: str, house: Branding = OURS
) -> HTMLResponse:
    """A refusal or a failure as a page of its own, for a browser that asked for a page."""
    if status == 404:
        card = _nothing(language, "/", say(language, "web.trouble.start"))
    else:
        kind = "internal" if status >= 500 else "refused"
        # an empty address is this page: asking again is what a person would try
        card = Markup(
            '<div class="atl-empty">{}<h1 class="atl-h2">{}</h1><p>{}</p><p class="atl-actions">'
            '<a class="atl-button" data-kind="primary" href="">{}</a>'
            '<a class="atl-button" href="/">{}</a></p></div>'
        ).format(
            icon("triangle-alert"),
            say(language, f"web.trouble.{kind}"),
            message,
            say(language, "web.trouble.again"),
            say(language, "web.trouble.start"),
        )
    body = Markup(
        '<main class="atl-trouble" data-code="{}"><a class="atl-brand" href="/">{}</a>{}</main>'
    ).format(code, frame.sign(house), card)
    title = say(language, "web.trouble.lost" if status == 404 else "web.trouble.refused")
    answer = HTMLResponse(document(language, title, body, ("pages",), house=house), status)
    answer.headers["content-language"] = language
    answer.headers["cache-control"] = "no-store"
    return answer


def _nothing(language: Language, where: str, back: str) -> Markup:
    return Markup(
        '<div class="atl-empty">{}<h1 class="atl-h2">{}</h1><p>{}</p>'
        '<a class="atl-button" data-kind="primary" href="{}">{}</a></div>'
    ).format(
        icon("search"),
        say(language, "web.trouble.lost"),
        say(language, "web.trouble.lost-more"),
        where,
        back,
    )
