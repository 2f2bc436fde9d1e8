"""What a decision leaves behind: the rules' hash, which rules matched, and what they saw."""

import json

from guardrails.policy.engine import Decision


def in_ledger(decision: Decision) -> dict[str, object]:
    """For an act's payload. Facts such as classes, kinds and places; no content."""
    return {
        "policy_set": decision.policy_set,
        "rules": list(decision.rules),
        "obligations": list(decision.obligations),
        "inputs": facts(decision),
    }


def in_span(decision: Decision) -> dict[str, object]:
    """The same as words of a span (`conventions.NAMES`)."""
    return {
        "policy_set": decision.policy_set,
        "rules": list(decision.rules),
        "obligations": list(decision.obligations),
        "inputs": json.dumps(facts(decision), ensure_ascii=False),
    }


def facts(decision: Decision) -> dict[str, object]:
    """The inputs that say something, in a form that JSON has."""
    return {name: _plain(value) for name, value in decision.inputs.items() if value}


def _plain(value: object) -> object:
    if isinstance(value, str | bool | int):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return sorted(map(str, value))
    return str(value)
