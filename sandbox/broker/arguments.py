"""A tool call's arguments, screened text by text: what is recorded, shown and compared."""

import json
from collections.abc import Mapping
from typing import Any

from guardrails.screen import Screen, ScreenPolicy, policy_of
from sandbox.broker.run import Run


def cleaned(screen: Screen, run: Run, value: Any, policy: ScreenPolicy | None = None) -> Any:
    """`value` with every text in it, names included, screened. CPU work: call it in a thread."""
    policy = policy or policy_of(run.agent.guard)
    if isinstance(value, str):
        result = screen.text(value, run.vault, provenance="model", policy=policy, masked=True)
        run.saw(result.findings)
        return result.text
    if isinstance(value, dict):
        return {
            cleaned(screen, run, str(name), policy): cleaned(screen, run, one, policy)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [cleaned(screen, run, one, policy) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        # a card or account number is personal data without its quotation marks too
        text = str(value)
        masked = cleaned(screen, run, text, policy)
        return value if masked == text else masked
    return value


def same(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """True when two sets of arguments are the same JSON."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
