"""What is looked at before a request reaches a reviewer. Reads texts; runs and decides nothing."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from agents.spec import AgentSpec
from agents.versions import texts
from guardrails.detect.injection import shapes
from guardrails.errors import BadInput
from guardrails.placeholders import LITERAL, scan
from guardrails.screen import DEFAULT, Screen

# instructions address the assistant, so that the score for documents says nothing about them
# (measured: templates reach 0.96); the shape "forget your rules" has no place in them at all
ATTACK = "override"
ORDINARY = frozenset({"about the text"})


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
        if told and attacks(text):
            raise BadInput("request-injection", field=name)


def attacks(text: str) -> bool:
    """Whether a text for the model tells it to forget its rules."""
    return ATTACK in shapes(text)


def unusual(spec: AgentSpec) -> list[dict[str, Any]]:
    """Shapes of attacks in the instructions that a reviewer should look at: `{field, shapes}`."""
    found = []
    for name in ("en", "fr"):
        names = [one for one in shapes(getattr(spec.instructions, name)) if one not in ORDINARY]
        if names:
            found.append({"field": f"instructions.{name}", "shapes": names})
    return found


def personal(spec: AgentSpec, screen: Screen) -> list[dict[str, Any]]:
    """Personal data in what everybody would see: `{field, kinds: {KIND: n}}`, no content."""
    return [
        {"field": name, "kinds": dict(kinds)}
        for name, lines in texts(spec).items()
        if (kinds := _kinds("\n".join(lines), screen))
    ]


def in_documents(
    names: Iterable[str], passages: Iterable[str], screen: Screen
) -> list[dict[str, Any]]:
    """The same of its documents, whose readers see real values: their names, and `passages` as
    they are kept, masked; whoever stands there twice counts once."""
    held = {
        one.name.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")  # another form of the same name
        for text in passages
        for one in scan(text)
        if not one.plain
    }
    inside = Counter(name.rpartition("_")[0] for name in held)
    del inside[LITERAL]  # it only looks like one
    found = {"knowledge": _kinds("\n".join(names), screen), "documents": inside}
    return [{"field": name, "kinds": dict(kinds)} for name, kinds in found.items() if kinds]


def _kinds(text: str, screen: Screen) -> Counter[str]:
    findings = screen.text(text, provenance="system").findings
    return Counter(
        finding.kind
        for finding in findings
        if DEFAULT.action(finding.kind) != "allow" and finding.kind != "INJECTION"
    )


def permissions(
    spec: AgentSpec, before: AgentSpec | None, side_effect: Callable[[str], str]
) -> list[dict[str, Any]]:
    """Tools with their side effect, and whether the live version had them."""
    had = frozenset(before.tools if before else ())
    return [
        {"tool": tool, "side_effect": side_effect(tool), "new": tool not in had}
        for tool in spec.tools
    ]
