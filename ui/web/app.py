"""The web application: pages, API, static files, and the layers around them, in one place.

Outside in: the door (hosts, cross-site requests, sizes), the shell (who may see a page, its frame),
then FastAPI with the API, the static files and one Gradio mount per language and audience.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from guardrails.errors import BadInput, GuardrailError
from ui import api, scim
from ui.access import may, require
from ui.door import Door, refusal_response
from ui.faults import status_of, translated, worded
from ui.identity import Person
from ui.messages import LANGUAGES, Language
from ui.routes import held, metrics
from ui.web import frame, nav, plain
from ui.web.badges import Badges
from ui.web.documents import trouble
from ui.web.markup import STATIC, static_version
from ui.web.pages import signin
from ui.web.shell import Look, Shell, refused_as, wants_page

if TYPE_CHECKING:
    from ui.web.pages.common import Context
    from ui.wiring import App

# a stock Gradio looks up hosts on the internet and keeps prompts; none of that here
QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


def build(app: "App") -> FastAPI:
    """The whole web application over one composition root. Starts nothing: `running` does that."""
    os.environ.update(QUIET)
    import gradio as gr  # 5 s of import: only when pages are wanted

    parent = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=_nothing)
    parent.mount("/api/v1", api.build(app))
    parent.mount("/scim/v2", scim.build(app))
    parent.mount(f"/static/{static_version()}", GZipMiddleware(Kept(directory=STATIC), 600))
    parent.include_router(signin.routes(app.identity, app.brand))
    parent.include_router(metrics.alias(app))
    _samples(parent, app)
    parent.add_exception_handler(GuardrailError, _refusal(app))
    parent.add_exception_handler(RequestValidationError, _refusal(app, "no-such-page"))
    _in_a_loop(lambda: _pages(gr, parent, app))
    look, pages = _look(app), plain.renderer(app)
    shell = Shell(parent, identity=app.identity, look=look, plain=pages)
    parent.add_exception_handler(404, _nothing_here(shell))
    parent.add_middleware(Shell, identity=app.identity, look=look, plain=pages)
    parent.add_middleware(
        Door,
        identity=app.identity,
        limit_mib=app.settings.upload_limit_mib,
        refused=refused_as,
        large={held.UPLOAD: app.settings.backup_limit_mib},
        shuts=app.restoring.shuts,
    )
    return parent


class Kept(StaticFiles):
    """Static files under an address that changes with them: browsers keep them for a year."""

    def file_response(self, *args: object, **given: object) -> Response:
        answer = super().file_response(*args, **given)  # type: ignore[arg-type]
        answer.headers["cache-control"] = "public, max-age=31536000, immutable"
        return answer


def _pages(gr: Any, parent: FastAPI, app: "App") -> None:
    from ui.web.pages.common import Context

    for language in LANGUAGES:
        context = Context(app, language)
        # longer paths first: Starlette takes the first mount that fits
        pages = [page for page in nav.PAGES if page.kind == "gradio"]
        for page in sorted(pages, key=lambda page: -len(page.path)):
            _mount(gr, parent, context, page)


def _in_a_loop(work: Callable[[], None]) -> None:
    """Where no event loop runs, Gradio opens one per mount and closes none: run one around it."""

    async def inside() -> None:
        work()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(inside())
    else:
        work()


def _nothing_here(shell: Shell) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def lost(request: Request, _error: Exception) -> Response:
        return await shell.lost(request)

    return lost


def _refusal(app: "App", code: str = "") -> Callable[[Request, Exception], Response]:
    """Answers with an error's own words, or with those of `code`."""

    def refuse(request: Request, error: Exception) -> Response:
        ours = BadInput(code) if code else translated(error)
        language = app.identity.language(request)
        status, message = status_of(ours), worded(ours, language)
        if wants_page(request.headers):
            return trouble(language, status, ours.code, message, app.brand.current())
        return refusal_response(status, ours.code, message, language)

    return refuse


@contextlib.asynccontextmanager
async def _nothing(_app: FastAPI) -> AsyncIterator[None]:
    yield


def _look(app: "App") -> Look:
    badges = Badges(app)

    def look(
        language: Language, page: nav.Page | None, query: str, person: Person, fresh: bool
    ) -> frame.Surroundings:
        return frame.Surroundings(
            language=language,
            page=page,
            query=query,
            sealed=not app.settings.unsafe_no_sandbox,
            model=app.models.info(),
            house=app.brand.current(),
            counts=badges.of(person, fresh=fresh),
            restored=app.restoring.moment,
            fix=app.pool.checked.fix,
        )

    return look


def _samples(parent: FastAPI, app: "App") -> None:
    @parent.get("/samples/{name:path}", include_in_schema=False)
    def sample(name: str, request: Request) -> Response:
        from agents.catalog import sample_path

        require(app.identity.person(request), "agents.use")
        file = sample_path(name)
        return FileResponse(file, filename=file.name)


def _mount(gr: Any, parent: FastAPI, context: "Context", page: nav.Page) -> None:
    from ui.web.pages import builder

    build_page = {
        "build": builder.build,
    }[page.id]
    app = context.app

    def somebody(request: Request) -> str | None:
        # Gradio's own door, for its own routes; each handler checks its permission again
        person = app.identity.person(request)
        return person.id if person and may(person, page.permission) else None

    with gr.Blocks(title="Atelier", analytics_enabled=False) as blocks:
        build_page(context, blocks)
    blocks.queue(default_concurrency_limit=20, max_size=500)
    gr.mount_gradio_app(
        parent,
        blocks,
        path=f"/{context.language}{page.path}",
        auth_dependency=somebody,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        ssr_mode=False,
        max_file_size=f"{app.settings.upload_limit_mib}mb",
        theme=_theme(gr),
    )


def _theme(gr: Any) -> object:
    # plain names: Gradio's defaults would bring fonts of their own
    return gr.themes.Base(
        font=["Inter", "system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
    )
