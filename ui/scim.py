"""Provisioning by a directory: SCIM 2.0 (RFC 7643, RFC 7644) at /scim/v2, users and groups.

Opened by a provisioning key alone. A directory sees and changes what directories made; local
accounts are not its business. Being made here is being staff; other roles come from groups.
Answers are in English: programs and their operators read them.
"""

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from guardrails.errors import GuardrailError
from ui import scim_about
from ui.faults import translated, worded
from ui.routes.common import Rates
from ui.scim_common import MOST, Scim, Token, listed, location
from ui.scim_groups import add_groups
from ui.scim_users import add_users

if TYPE_CHECKING:
    from ui.wiring import App

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
# code of ours → status and the name of the error in RFC 7644, 3.12
STATUS: dict[str, tuple[int, str]] = {
    "not-signed-in": (401, ""),
    "too-many-attempts": (429, ""),
    "scim-filter": (400, "invalidFilter"),
    "scim-path": (400, "invalidPath"),
    "scim-value": (400, "invalidValue"),
    "scim-syntax": (400, "invalidSyntax"),
    "bad-login": (400, "invalidValue"),
    "bad-group-name": (400, "invalidValue"),
    "account-exists": (409, "uniqueness"),
    "group-exists": (409, "uniqueness"),
    "no-such-account": (404, ""),
    "no-such-group": (404, ""),
}


def build(app: "App", rates: Rates | None = None) -> FastAPI:
    """The application for /scim/v2 over one composition root."""
    scim = FastAPI(
        title="SCIM", docs_url=None, redoc_url=None, openapi_url=None, default_response_class=Scim
    )
    scim.state.services = app
    scim.state.rates = rates or Rates()
    for kind in (GuardrailError, RequestValidationError, HTTPException, Exception):
        scim.add_exception_handler(kind, _refused)
    add_users(scim, app)
    add_groups(scim, app)
    _about(scim)
    return scim


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return _error(error.status_code, "", "There is no such resource.")
    if isinstance(error, RequestValidationError):
        return _error(400, "invalidValue", "A parameter is not understood.")
    ours = translated(error)
    status, kind = STATUS.get(ours.code, (500 if ours.code == "internal" else 409, ""))
    answer = _error(status, kind, worded(ours, "en"))
    if status == 401:
        answer.headers["www-authenticate"] = "Bearer"
    if status == 429:
        answer.headers["retry-after"] = str(ours.data.get("seconds", 60))
    return answer


def _error(status: int, kind: str, detail: str) -> Response:
    said = {"schemas": [ERROR], "status": str(status), "detail": detail}
    return Scim(said | ({"scimType": kind} if kind else {}), status)


def _about(scim: FastAPI) -> None:
    @scim.get("/ServiceProviderConfig")
    def configuration(request: Request, key: Token) -> Response:
        return Scim(scim_about.configuration(location(request)))

    @scim.get("/ResourceTypes")
    def types(request: Request, key: Token) -> Response:
        return listed(scim_about.resource_types(location(request)), 1, MOST, lambda each: each)

    @scim.get("/Schemas")
    def schemas(request: Request, key: Token) -> Response:
        return listed(scim_about.schemas(location(request)), 1, MOST, lambda each: each)

    @scim.get("/Schemas/{id_}")
    def schema(request: Request, id_: str, key: Token) -> Response:
        for each in scim_about.schemas(location(request)):
            if each["id"] == id_:
                return Scim(each)
        raise HTTPException(404)
