"""Errors of a model call, translated once from whatever the upstream or litellm raised.

The codes are keys of `ui/locales/*/models.json` (`error.<code>`). `data` names the provider and
numbers only: an upstream's message may quote the request, so it is never carried further.
"""

from guardrails.errors import GuardrailError

# litellm's and openai's class names, by name so that this file does not import either of them.
# Order does not matter: the first name along an exception's own ancestry wins.
_BY_CLASS = {
    "ContextWindowExceededError": "model-too-long",
    "ContentPolicyViolationError": "model-rejected",
    "MidStreamFallbackError": "model-interrupted",
    "APIResponseValidationError": "model-malformed",
    "JSONSchemaValidationError": "model-malformed",
    "JSONDecodeError": "model-malformed",
    "AuthenticationError": "model-auth",
    "PermissionDeniedError": "model-auth",
    "RateLimitError": "model-rate-limited",
    "Timeout": "model-timeout",
    "APITimeoutError": "model-timeout",
    "TimeoutError": "model-timeout",
    "TimeoutException": "model-timeout",
    "RemoteProtocolError": "model-interrupted",
    "ReadError": "model-interrupted",
    "BadRequestError": "model-rejected",
    "NotFoundError": "model-rejected",
    "UnprocessableEntityError": "model-rejected",
    "ServiceUnavailableError": "model-unavailable",
    "BadGatewayError": "model-unavailable",
    "InternalServerError": "model-unavailable",
    "APIConnectionError": "model-unavailable",
    "ConnectError": "model-unavailable",
    "APIStatusError": "model-unavailable",
}
_BY_STATUS = {
    401: "model-auth",
    403: "model-auth",
    408: "model-timeout",
    429: "model-rate-limited",
    504: "model-timeout",
}
# litellm wraps transport errors in its own classes: the cause says more than the wrapper
_WRAPPERS = frozenset(
    {"APIConnectionError", "InternalServerError", "APIError", "MidStreamFallbackError"}
)


class ModelError(GuardrailError):
    """The model gave no usable answer. Nothing was kept of the half-way reply."""

    code = "model-unavailable"


def translate(error: BaseException, *, provider: str = "", started: bool = False) -> ModelError:
    """The one translation. `started` says that some of the reply had already arrived.

    An unknown error after the start is an interruption, before it an unavailable model.
    """
    if isinstance(error, ModelError):
        return error
    code = _code(error)
    if started and code in ("", "model-unavailable"):
        code = "model-interrupted"
    elif not started and code == "model-interrupted":
        # the connection ended before a word came: nothing was interrupted for the person
        code = "model-unavailable"
    return ModelError(code or "model-unavailable", provider=provider)


def _code(error: BaseException) -> str:
    found = ""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        status = getattr(current, "status_code", None)
        code = _BY_STATUS.get(status, "") if isinstance(status, int) else ""
        names = [cls.__name__ for cls in type(current).__mro__]
        if not code:
            code = next((_BY_CLASS[name] for name in names if name in _BY_CLASS), "")
        if code and not _WRAPPERS.intersection(names[:1]):
            return code
        found = found or code
        current = current.__cause__ or current.__context__
    return found
