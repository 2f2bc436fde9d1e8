"""The HTTP API: `build(app)` is mounted at /api/v1. Routes live in `ui/routes`, one noun a file.

Every answer that is not a success has the shape {code, message}, the message in the person's
language; no stack trace ever leaves. OpenAPI is served at /api/v1/openapi.json; there is no
interactive page, because that would load scripts from elsewhere (see docs/api.md).
"""

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from guardrails.errors import BadInput, GuardrailError
from ui.door import refusal_response
from ui.faults import status_of, translated, worded
from ui.routes import (
    account,
    alerts,
    apikeys,
    approvals,
    audit,
    backup,
    branding,
    budgets,
    chat,
    compare,
    conversations,
    drafts,
    duties,
    evaluation,
    exceptions,
    exports,
    feedback,
    groups,
    health,
    held,
    kinds,
    knowledge,
    learning,
    memory,
    metrics,
    models,
    own_services,
    packages,
    people,
    policies,
    privacy,
    provider,
    provisioning,
    publishing,
    retention,
    reveals,
    sandbox,
    screening,
    session,
    tools,
)
from ui.routes.common import Rates, services
from ui.routes.shapes import Refusal
from ui.seen import ChangedMeanwhile, Saves

if TYPE_CHECKING:
    from ui.oidc import Provider
    from ui.wiring import App

ROUTERS = (
    health.router,
    session.router,
    provider.router,
    chat.router,
    drafts.router,
    packages.router,
    publishing.router,
    evaluation.router,
    conversations.router,
    memory.router,
    feedback.router,
    compare.router,
    privacy.router,
    learning.router,
    screening.router,
    sandbox.router,
    kinds.router,
    knowledge.router,
    tools.router,
    own_services.router,
    audit.router,
    reveals.router,
    retention.router,
    alerts.router,
    exports.router,
    metrics.router,
    budgets.router,
    approvals.router,
    exceptions.router,
    models.router,
    policies.router,
    account.router,
    people.router,
    groups.router,
    duties.router,
    apikeys.router,
    provisioning.router,
    backup.router,
    held.router,
    branding.router,
)


def build(app: "App", rates: Rates | None = None, asked: "Provider | None" = None) -> FastAPI:
    """The API over one composition root. The caller wraps it in `ui.door.Door`."""
    api = FastAPI(
        title="Atelier",
        version=product_version(),
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        generate_unique_id_function=_operation,
        responses={"default": {"model": Refusal, "description": "A refusal, in words."}},
    )
    api.state.services = app
    api.state.rates = rates = rates or Rates()
    if app is not None:  # the reference is made without one
        app.identity.sign_ins.ended = rates.listeners.ended
    api.state.saves = Saves()
    api.state.provider = asked or (configured(app) if app is not None else None)
    for router in ROUTERS:
        api.include_router(router)
    api.add_exception_handler(GuardrailError, _refused)
    api.add_exception_handler(RequestValidationError, _malformed)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(Exception, _refused)
    return api


def configured(app: "App") -> "Provider | None":
    """The identity provider of the settings. Raises GuardrailError("oidc-bad-setting")."""
    settings = app.settings
    if not settings.oidc_issuer:
        return None
    from ui.oidc import Provider

    secret = settings.oidc_client_secret
    return Provider(
        app.keys,
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else "",
        roles=settings.oidc_roles,
        groups_claim=settings.oidc_groups_claim,
        person_claim=settings.oidc_person_claim,
        scope=settings.oidc_scope,
    )


def product_version() -> str:
    """The installed version, or `0` when run from a tree that was not installed."""
    try:
        return version("atelier")
    except PackageNotFoundError:
        return "0"


def _operation(route: APIRoute) -> str:
    # verbs repeat from noun to noun (`approve`, `mine`): with the file's name they are unique
    return f"{route.endpoint.__module__.rsplit('.', 1)[-1]}_{route.name}"


async def _refused(request: Request, error: Exception) -> Response:
    ours = translated(error)
    response = _answer(request, status_of(ours) if ours.code != "internal" else 500, ours)
    if ours.code == "too-many-attempts":
        response.headers["retry-after"] = str(ours.data.get("seconds", 60))
    if isinstance(ours, ChangedMeanwhile):
        response.headers["etag"] = f'"{ours.tag}"'
    return response


async def _malformed(request: Request, error: Exception) -> Response:
    # the details of pydantic repeat the input, so they stay here; the place is enough to mend it
    first = error.errors()[0]["loc"] if isinstance(error, RequestValidationError) else ()
    place = ".".join(str(part) for part in first if part != "body")[:80]
    return _answer(request, 422, BadInput("bad-field", field=place or "body"))


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = {404: "no-such-page", 405: "no-such-method"}.get(status, "bad-request")
    return _answer(request, status, BadInput(code))


def _answer(request: Request, status: int, error: GuardrailError) -> Response:
    person = getattr(request.state, "person", None)
    language = person.language if person else services(request).identity.language(request)
    return refusal_response(status, error.code, worded(error, language), language)
