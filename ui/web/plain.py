"""Pages that the server draws alone, without Gradio. Knows the frame, not what is on a page.

A page is a module with `body(visit) -> Markup`. What people do on it are API routes, bound in the
markup by `data-api` (static/js/plain.js), so that people and programs meet one surface.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal
from starlette.requests import Request
from starlette.responses import HTMLResponse

from guardrails.errors import GuardrailError
from ui.faults import status_of, translated, worded
from ui.identity import Person
from ui.messages import Language, say
from ui.web import frame
from ui.web.documents import document
from ui.web.markup import Markup, icon
from ui.web.nav import Page, address

if TYPE_CHECKING:
    from ui.wiring import App

LOCALES = {"en": "en_GB", "fr": "fr_FR"}
Renderer = Callable[[Request, Person, Page, frame.Surroundings], HTMLResponse]

# page id of ui/web/nav.py → module with `body`
BODIES: dict[str, str] = {
    "home": "ui.web.pages.home",
    "evaluation": "ui.web.pages.evaluation",
    "publish": "ui.web.pages.publish",
    "published": "ui.web.pages.published",
    "audit": "ui.web.pages.audit",
    "alerts": "ui.web.pages.alerts",
    "exports": "ui.web.pages.exports",
    "retention": "ui.web.pages.retention",
    "policies": "ui.web.pages.policies",
    "models": "ui.web.pages.models",
    "playground": "ui.web.pages.playground",
    "conversations": "ui.web.pages.conversations",
    "privacy": "ui.web.pages.privacy",
    "learn": "ui.web.pages.learn",
    "tools": "ui.web.pages.tools",
    "reports": "ui.web.pages.reports",
    "compare": "ui.web.pages.compare",
    "impact": "ui.web.pages.impact",
    "kinds": "ui.web.pages.kinds",
    "account": "ui.web.pages.account",
    "people": "ui.web.pages.people",
    "access": "ui.web.pages.access",
    "backup": "ui.web.pages.backup",
    "branding": "ui.web.pages.branding",
    "sandbox": "ui.web.pages.sandbox",
}


@dataclass(frozen=True)
class Visit:
    """One person looking at one page. The shell has checked that they may."""

    app: "App"
    language: Language
    person: Person
    query: Mapping[str, str]
    request: Request
    sheets: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)

    def say(self, key: str, **data: object) -> str:
        """The wording in the page's language. Raises KeyError for an unknown key."""
        return say(self.language, key, **data)

    def ago(self, when: dt.datetime) -> str:
        """`2 hours ago`, `il y a 2 heures`."""
        past = when - dt.datetime.now(dt.UTC)
        return format_timedelta(past, add_direction=True, locale=LOCALES[self.language])

    def at(self, when: dt.datetime, pattern: str = "d MMM y HH:mm") -> str:
        """A moment in the server's own time zone, e.g. `22 Nov 2026 17:42`."""
        return format_datetime(when.astimezone(), pattern, locale=LOCALES[self.language])

    def number(self, value: float) -> str:
        """`1,234.5`, `1 234,5`."""
        return format_decimal(value, locale=LOCALES[self.language])

    def dollars(self, value: float) -> str:
        """`$1.25`, `1,25 $`; small amounts keep the digits that say something."""
        digits = 2 if value == 0 or value >= 0.1 else 4
        shown = format_decimal(
            value, f"#,##0.{'0' * digits}", locale=LOCALES[self.language], decimal_quantization=True
        )
        return f"{shown}\u00a0$" if self.language == "fr" else f"${shown}"

    def sheet(self, name: str) -> None:
        """Also load static/css/<name>.css."""
        self.sheets.append(name)

    def script(self, name: str) -> None:
        """Also load static/js/<name>.js, a module."""
        self.scripts.append(name)


def renderer(app: "App") -> Renderer:
    """Draws whole plain pages over one composition root; blocking, for a thread."""

    def render(
        request: Request, person: Person, page: Page, around: frame.Surroundings
    ) -> HTMLResponse:
        visit = Visit(app, around.language, person, dict(request.query_params), request)
        status = 200
        try:
            inside = import_module(BODIES[page.id]).body(visit)
        except Exception as error:
            # a page that cannot be drawn says why in its own frame; `translated` logs our bugs
            ours = translated(error)
            status, inside = status_of(ours), failed(visit, ours, page)
        main = Markup(
            '<main class="atl-page" id="atl-content" data-atl-page="{}" data-atl-offline="{}"'
            ' data-atl-ended="{}" data-atl-signin="{}" data-atl-look="{}" data-atl-mine="{}"'
            ">{}</main>"
        ).format(
            page.id,
            visit.say("web.plain.offline"),
            visit.say("web.plain.again"),
            visit.say("web.signin.title"),
            visit.say("web.changed.look"),
            visit.say("web.changed.mine"),
            inside,
        )
        return HTMLResponse(
            document(
                around.language,
                visit.say(f"web.nav.{page.id}"),
                frame.before(person, around) + main + frame.after(person, around),
                ("pages", "plain", *visit.sheets),
                ("plain", *visit.scripts),
                around.house,
            ),
            status,
        )

    return render


def head(visit: Visit, page: str, lead: str = "", beside: Markup | str = "") -> Markup:
    """The page's title, what it is for, and what stands at its right (already Markup)."""
    more = Markup('<p class="atl-lead">{}</p>').format(lead) if lead else ""
    return Markup(
        '<header><div class="atl-headrow"><h1 class="atl-h1">{}</h1>{}</div>{}</header>'
    ).format(visit.say(f"web.nav.{page}"), beside, more)


def empty(name: str, title: str, more: str, action: Markup | str = "") -> Markup:
    """An empty state that teaches: icon, what is missing, what to do next."""
    return Markup('<div class="atl-empty">{}<b>{}</b><p>{}</p>{}</div>').format(
        icon(name), title, more, action
    )


def failed(visit: Visit, error: GuardrailError, page: Page) -> Markup:
    """What stands on the page instead of its content: why, and the way back to the plain page."""
    return head(visit, page.id) + Markup(
        '<div class="atl-ribbon" data-kind="error" role="alert">{}<p>{}</p></div>'
        '<p class="atl-actions"><a class="atl-button" href="{}">{}{}</a></p>'
    ).format(
        icon("triangle-alert"),
        worded(error, visit.language),
        address(visit.language, page.id),
        icon("arrow-left"),
        visit.say("web.trouble.back", page=visit.say(f"web.nav.{page.id}")),
    )
