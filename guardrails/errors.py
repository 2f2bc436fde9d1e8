"""The GuardrailError family. Errors carry data; `ui/locales` carries the wording.

The key of the wording is `error.<code>` (what happened, why, what to do next), filled with `data`.
`data` holds names and numbers only, never content.
"""


class GuardrailError(Exception):
    """A refusal or failure with a code that the catalogues know. Always means: no."""

    code = "guardrail"

    def __init__(self, code: str | None = None, **data: object) -> None:
        self.code = code or type(self).code
        self.data = data
        super().__init__(self.code, data)

    def __str__(self) -> str:
        return " ".join([self.code, *(f"{key}={value!r}" for key, value in self.data.items())])


class ScreenFailed(GuardrailError):
    """A detector failed, timed out or was given too much: the text goes nowhere."""

    code = "screen-failed"


class PolicyDenied(GuardrailError):
    """A rule says no. `data["rule"]` is the rule's id."""

    code = "policy-denied"


class LedgerUnavailable(GuardrailError):
    """The intent could not be recorded, so the act does not happen."""

    code = "ledger-unavailable"


class VaultError(GuardrailError):
    """Pseudonyms could not be kept or restored."""

    code = "vault-failed"


class BadInput(GuardrailError):
    """A person or file gave something that cannot be used. Nothing was lost."""

    code = "bad-input"


class NotPermitted(GuardrailError):
    """The person's role does not allow this."""

    code = "not-permitted"
