"""An alert in words, the same ones on the page, in e-mail and in a webhook."""

from guardrails.audit.senders import Alert
from ui.messages import Language, catalogue, say


def alert_text(language: Language, alert: Alert) -> str:
    """What happened and what to do; a rule that has no words any more by its name."""
    key = f"alert.{alert.rule}"
    known = catalogue(language)
    if key not in known:
        return alert.rule
    data = dict(alert.data)
    what, _, row = str(data.get("what", "")).partition(", ")
    if f"verify.{what}" in known:
        data["what"] = say(language, f"verify.{what}", seq=row).rstrip(".")
    scope = f"budget-scope.{data.get('scope', '')}"
    if scope in known:
        data["scope"] = say(language, scope)
    return say(language, key, **data)
