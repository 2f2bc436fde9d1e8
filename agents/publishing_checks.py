"""What is looked at before a request reaches a reviewer. Reads texts; runs and decides nothing."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from agents.spec import AgentSpec
from agents.versions import texts
from guardrails.detect.injection import score
from guardrails.errors import BadInput
from guardrails.screen import DEFAULT, Screen

SUSPICIOUS = 0.85  # as for a document: instructions come from people, but end up in the prompt
TOPICS_ALLOWED = frozenset({"INJECTION"})


def blocking(spec: AgentSpec, screen: Screen) -> None:
    """Refuse what no reviewer should have to see.

    Raises BadInput: request-incomplete (with the missing keys), request-secret (with the field),
    request-injection (with the field); ScreenFailed when that could not be told.
    """
    if lacking := spec.missing():
        raise BadInput("request-incomplete", keys=", ".join(lacking))
    for name, lines in texts(spec).items():
        text = "\n".join(lines)
        kinds = {finding.kind for finding in screen.text(text, provenance="system").findings}
        if "SECRET" in kinds:
            raise BadInput("request-secret", field=name)
        told = name.startswith(("instructions", "starters"))
        if told and score(text, "document") >= SUSPICIOUS:
            raise BadInput("request-injection", field=name)


def personal(spec: AgentSpec, screen: Screen) -> list[dict[str, Any]]:
    """Personal data in what everybody would see: `{field, kinds: {KIND: n}}`, no content."""
    found = []
    for name, lines in texts(spec).items():
        screened = screen.text("\n".join(lines), provenance="system")
        kinds = Counter(
            finding.kind
            for finding in screened.findings
            if DEFAULT.action(finding.kind) != "allow" and finding.kind not in TOPICS_ALLOWED
        )
        if kinds:
            found.append({"field": name, "kinds": dict(kinds)})
    return found


def permissions(
    spec: AgentSpec, before: AgentSpec | None, side_effect: Callable[[str], str]
) -> list[dict[str, Any]]:
    """Tools with their side effect, and whether the live version had them."""
    had = frozenset(before.tools if before else ())
    return [
        {"tool": tool, "side_effect": side_effect(tool), "new": tool not in had}
        for tool in spec.tools
    ]


def tested(summary: Mapping[str, Any]) -> bool:
    """Whether every case of a summary passed."""
    return bool(summary.get("total")) and summary.get("passed") == summary.get("total")
