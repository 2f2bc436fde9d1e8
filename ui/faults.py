"""Errors as people and programs see them: a status, a code, a sentence. Never a stack trace."""

import errno
import logging
import sqlite3

from guardrails.errors import (
    BadInput,
    GuardrailError,
    LedgerUnavailable,
    NotPermitted,
    PolicyDenied,
    ScreenFailed,
    VaultError,
)
from ui.messages import Language, catalogue, say, say_error

log = logging.getLogger(__name__)

# HTTP status by code where the class alone does not tell
STATUS: dict[str, int] = {
    "not-signed-in": 401,
    "bad-sign-in": 401,
    "oidc-refused": 401,
    "oidc-no-role": 403,
    "oidc-off": 404,
    "oidc-unreachable": 502,
    "not-permitted": 403,
    "own-roles": 403,
    "wrong-password": 403,
    "password-due": 403,
    "link-ended": 410,
    "duties-apart": 409,
    "last-administrator": 409,
    "last-security": 409,
    "confirm-apart": 403,
    "confirm-early": 409,
    "nothing-waits": 404,
    "once-ended": 410,
    "listeners-many": 429,
    "signed-out": 401,
    "account-exists": 409,
    "group-exists": 409,
    "restoring": 503,
    "restore-running": 409,
    "restore-foreign": 409,
    "cross-site": 403,
    "too-large": 413,
    "too-many-attempts": 429,
    "disk-full": 507,
    "internal": 500,
    "model-rate-limited": 429,
    "model-timeout": 504,
    "model-not-connected": 422,
    "model-bad-name": 422,
    "model-bad-address": 422,
    "model-exists": 409,
    "model-off": 409,
    "draft-changed": 409,
    "changed-meanwhile": 412,
    "agent-changed": 409,
    "request-over": 409,
    "run-going-on": 409,
    "documents-reading": 409,
    "release-documents-gone": 409,
    "release-model-gone": 409,
    "release-tool-gone": 409,
    "no-such-colleague": 404,
}
# subclasses first
STATUS_OF_CLASS: tuple[tuple[type[GuardrailError], int], ...] = (
    (NotPermitted, 403),
    (PolicyDenied, 403),
    (BadInput, 422),
    (ScreenFailed, 503),
    (LedgerUnavailable, 503),
    (VaultError, 503),
)


def status_of(error: GuardrailError) -> int:
    """The HTTP status for an error."""
    if error.code in STATUS:
        return STATUS[error.code]
    if error.code.endswith("-not-found") or error.code.startswith("no-such-"):
        return 404
    if error.code.startswith("model-"):
        return 502
    return next((status for kind, status in STATUS_OF_CLASS if isinstance(error, kind)), 409)


def described(error: GuardrailError, language: Language) -> dict[str, str]:
    """{code, message} in the person's language."""
    return {"code": error.code, "message": worded(error, language)}


def worded(error: GuardrailError, language: Language) -> str:
    """The sentence for an error; data that is itself a catalogue key (a fix) is put into words."""
    known = catalogue(language)
    data = {
        name: say(language, value) if isinstance(value, str) and value in known else value
        for name, value in error.data.items()
    }
    return say_error(language, error.code, **data)


def translated(error: BaseException) -> GuardrailError:
    """Any error as one of ours. An unknown one is logged by type only: its text may be content."""
    if isinstance(error, GuardrailError):
        return error
    if disk_full(error):
        return GuardrailError("disk-full")
    if out_of_range(error):
        return BadInput("out-of-range")
    log.error("unexpected error", extra={"type": type(error).__name__}, exc_info=_place(error))
    return GuardrailError("internal")


def out_of_range(error: BaseException) -> bool:
    """True when the store was given a number or a text that it cannot hold.

    SQLite's driver raises OverflowError. SQLAlchemy's DataError, which PostgreSQL's becomes, is
    told by name because the command line does not load SQLAlchemy for a sentence.
    """
    return isinstance(error, OverflowError) or type(error).__name__ == "DataError"


def disk_full(error: BaseException | None) -> bool:
    """True when the error, or what caused it, is a full disk or quota."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if isinstance(error, sqlite3.Error) and error.sqlite_errorname == "SQLITE_FULL":
            return True
        error = error.__cause__ or error.__context__
    return False


def _place(error: BaseException) -> BaseException:
    # the trace without the message: where it happened helps, what it was about must not be logged
    bare = RuntimeError(type(error).__name__)
    return bare.with_traceback(error.__traceback__)
