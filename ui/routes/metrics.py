"""Numbers for Prometheus: with a bearer token, or to this machine alone. No content, no names."""

import secrets
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from guardrails.errors import BadInput
from ui.identity import host_of, is_loopback
from ui.routes.common import Services

if TYPE_CHECKING:
    from ui.settings import Settings
    from ui.wiring import App

router = APIRouter(tags=["health"])

# a proxy on this machine asks from a loopback address for somebody who is not here
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


@router.get("/metrics", response_class=Response)
def metrics(request: Request, app: Services) -> Response:
    """Prometheus text format. Needs `ATELIER_METRICS_TOKEN` as bearer token when it is set;
    otherwise only this machine is answered, and to everybody else there is no such page."""
    if not allowed(request, app.settings):
        raise BadInput("no-such-page")
    return Response(app.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def alias(app: "App") -> APIRouter:
    """The same under `/metrics`, where Prometheus looks by itself."""
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics", response_class=Response)
    def short(request: Request) -> Response:
        return metrics(request, app)

    return router


def allowed(request: Request, settings: "Settings") -> bool:
    """True for who holds the token, or asks from this machine when there is none."""
    if settings.metrics_token is not None:
        wanted = f"Bearer {settings.metrics_token.get_secret_value()}"
        given = request.headers.get("authorization", "")
        return secrets.compare_digest(given.encode(), wanted.encode())
    here = request.client is not None and is_loopback(request.client.host)
    return (
        here
        and is_loopback(host_of(request))
        and not any(name in request.headers for name in FORWARDED)
    )
