"""Whole pages without Gradio: sign-in, refusal, not found. They work without JavaScript."""

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
