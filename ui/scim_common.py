"""What users and groups of SCIM share: who asks, what was sent, how answers look."""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request
from fastapi.responses import JSONResponse, Response

from guardrails.audit.ledger import Act
from guardrails.errors import BadInput, GuardrailError
from ui.apikeys import ApiKey
from ui.routes.common import bearer, wrong_key

T = TypeVar("T")
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
MOST = 200  # resources in one answer
MOST_OPERATIONS = 1_000
MOST_BYTES = 2 * 1024 * 1024


class Scim(JSONResponse):
    """An answer in SCIM's own media type."""

    media_type = "application/scim+json"


def token(request: Request) -> ApiKey:
    """The provisioning key of the request. Raises GuardrailError("not-signed-in")."""
    app, rates = request.app.state.services, request.app.state.rates
    secret = bearer(request)
    key: ApiKey | None = None if secret is None else app.api_keys.check(secret, "scim")
    if key is None:
        if secret is not None:
            wrong_key(request, rates, secret)
        raise GuardrailError("not-signed-in")
    rates.scim.take(key.id)
    return key


Token = Annotated[ApiKey, Depends(token)]
Start = Annotated[int, Query(alias="startIndex")]
Count = Annotated[int, Query()]


async def body(request: Request) -> dict[str, Any]:
    """The JSON object sent. Raises BadInput("scim-syntax")."""
    raw = await request.body()
    try:
        given = json.loads(raw) if len(raw) <= MOST_BYTES else None
    except (ValueError, RecursionError) as error:
        raise BadInput("scim-syntax") from error
    if not isinstance(given, dict):
        raise BadInput("scim-syntax")
    return given


Body = Annotated[dict[str, Any], Depends(body)]


def operations(given: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """(op, path, value) of a patch; op in lower case. Raises BadInput("scim-syntax")."""
    # names of attributes are case-insensitive (RFC 7643, 2.1)
    sent = next((value for name, value in given.items() if name.lower() == "operations"), None)
    if not isinstance(sent, list) or not 0 < len(sent) <= MOST_OPERATIONS:
        raise BadInput("scim-syntax")
    found = []
    for each in sent:
        if not isinstance(each, dict):
            raise BadInput("scim-syntax")
        op = str(each.get("op", "")).lower()
        if op not in ("add", "replace", "remove"):
            raise BadInput("scim-syntax")
        found.append((op, str(each.get("path") or ""), each.get("value")))
    return found


def text_of(value: object, attribute: str) -> str:
    """A text as it may be kept; nothing for null. Raises BadInput("scim-value").

    A lone surrogate, which JSON can carry and no store can keep, is no text.
    """
    if value is None:
        return ""
    if not isinstance(value, str) or any("\ud800" <= each <= "\udfff" for each in value):
        raise BadInput("scim-value", attribute=attribute)
    return value


def listed(
    found: list[T], start: int, count: int, shape: Callable[[T], dict[str, Any]]
) -> Response:
    """One page of resources; `start` counts from 1."""
    first = max(1, start) - 1
    page = found[first : first + max(0, min(count, MOST))]
    return Scim(
        {
            "schemas": [LIST],
            "totalResults": len(found),
            "startIndex": first + 1,
            "itemsPerPage": len(page),
            "Resources": [shape(each) for each in page],
        }
    )


def location(request: Request) -> str:
    """The address that every resource's own begins with."""
    public = request.app.state.services.settings.public_url.rstrip("/")
    return f"{public}/scim/v2" if public else str(request.base_url).rstrip("/")


def act(kind: str, key: ApiKey, **more: Any) -> Act:
    """An act of provisioning."""
    # the one who made the key answers for what the directory does with it
    return Act(kind, key.maker or "system", rule="scim", **more)
