"""Sign-in: a plain form that works without JavaScript; `ui.routes.session` checks and records."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ui.branding import Brand, Branding
from ui.identity import Identity
from ui.messages import Language, catalogue, say
from ui.routes.session import inside
from ui.web import frame, headers
from ui.web.documents import document
from ui.web.markup import Markup, icon
from ui.web.nav import address


def routes(identity: Identity, brand: Brand) -> APIRouter:
    """`GET /sign-in`, and `GET /` that leads to the home page in the person's language."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def root(request: Request) -> Response:
        return RedirectResponse(address(identity.language(request), "home"), 303)

    @router.get("/sign-in")
    def sign_in(
        request: Request,
        failed: str = "",
        # a deep link may be long; one that no browser sends must not keep anybody out either
        next: str = "/",
    ) -> Response:
        language = identity.language(request)
        back = inside(next)
        if identity.person(request) is not None:
            return RedirectResponse(address(language, "home") if back == "/" else back, 303)
        page = HTMLResponse(
            form(
                language,
                back,
                failed,
                provider=identity.provider,
                house=brand.current(),
            )
        )
        page.headers["cache-control"] = "no-store"
        page.headers["content-security-policy"] = headers.policy()
        return page

    @router.get("/password")
    def password(request: Request) -> Response:
        page = HTMLResponse(choose(identity.language(request), brand.current()))
        page.headers["cache-control"] = "no-store"
        page.headers["content-security-policy"] = headers.policy()
        # the link's secret part must not travel on with a click
        page.headers["referrer-policy"] = "no-referrer"
        return page

    return router


def choose(language: Language, house: Branding) -> str:
    """The page of a link to choose a password; js/password.js reads the part after the #."""
    body = Markup(
        '<main class="atl-signin"><form class="atl-card" data-api="POST /api/v1/password"'
        ' data-then="go:/sign-in?failed=chosen">{}'
        '<h1 class="atl-h2">{}</h1><p class="atl-small">{}</p>'
        '<noscript><p class="atl-formerror">{}</p></noscript>'
        '<input type="hidden" name="token"><label>{}<input name="password" type="password"'
        ' autocomplete="new-password" minlength="12" required autofocus></label>'
        '<button class="atl-button" data-kind="primary">{}</button></form></main>'
    ).format(
        mark(house),
        say(language, "web.password.title"),
        say(language, "web.password.lead"),
        say(language, "web.password.noscript"),
        say(language, "web.password.new"),
        say(language, "web.password.go"),
    )
    title = say(language, "web.password.title")
    return document(language, title, body, ("pages", "plain"), ("plain", "password"), house)


def mark(house: Branding) -> Markup:
    """The house's sign and name above a form."""
    return Markup('<span class="atl-brand">{}</span>').format(frame.sign(house))


def form(
    language: Language,
    next: str,
    failed: str,
    *,
    house: Branding,
    provider: bool = False,
) -> str:
    """The page. `failed` is empty, or the code of what went wrong; `provider` offers its button."""
    wrong = _told(language, failed) if failed else ""
    body = Markup(
        '<main class="atl-signin"><form class="atl-card" method="post" action="/api/v1/session">'
        "{}"
        '<h1 class="atl-h2">{}</h1><p class="atl-small">{}</p>{}'
        '<input type="hidden" name="next" value="{}">'
        '<label>{}<input name="login" autocomplete="username" required autofocus></label>'
        '<label>{}<input name="password" type="password" autocomplete="current-password" required>'
        '</label><button class="atl-button" data-kind="primary">{}</button>{}</form></main>'
    ).format(
        mark(house),
        say(language, "web.signin.title"),
        say(language, "web.signin.lead"),
        wrong,
        next,
        say(language, "web.signin.login"),
        say(language, "web.signin.password"),
        say(language, "web.signin.go"),
        _provider(language, next) if provider else "",
    )
    return document(language, say(language, "web.signin.title"), body, ("pages",), house=house)


def _told(language: Language, failed: str) -> Markup:
    if failed == "chosen":
        return Markup(
            '<div class="atl-ribbon" data-kind="ok" role="status">{}<b>{}</b></div>'
        ).format(icon("circle-check"), say(language, "web.signin.chosen"))
    return Markup(
        '<div class="atl-ribbon" data-kind="error" role="alert">{}<b>{}</b></div>'
    ).format(icon("triangle-alert"), _why(language, failed))


def _why(language: Language, failed: str) -> str:
    # only codes of the provider's sign-in are told apart; a wrong password is never explained
    if failed == "too-many-attempts":
        return say(language, "signin.wait")
    known = failed.startswith("oidc-") or failed == "once-ended"
    code = failed if known and f"error.{failed}" in catalogue(language) else ""
    return say(language, f"error.{code}") if code else say(language, "web.signin.failed")


def _provider(language: Language, next: str) -> Markup:
    where = f"/api/v1/session/oidc?{urlencode({'next': next})}"
    return Markup('<a class="atl-button" href="{}">{}</a>').format(
        where, say(language, "signin.provider")
    )
