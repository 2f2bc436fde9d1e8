"""One policy set cut by action, so that a question costs what its own rules cost.

Cedar evaluates every rule on every question. A rule whose scope names other actions cannot match,
so leaving it out changes no answer. A slice also knows which attributes its rules read: two
questions that agree in those have the same answer.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cedarpy


@dataclass(frozen=True)
class Slice:
    """The rules that can match one action.

    `attributes` are the context attributes they read, or None when they also look at who asks or
    at what, so that an answer must not be remembered for another question.
    """

    rules: Any
    size: int
    attributes: tuple[str, ...] | None


def cut(text: str, actions: tuple[str, ...]) -> dict[str, Slice]:
    """A slice per action. Raises ValueError for text that Cedar cannot parse."""
    whole = json.loads(cedarpy.policies_to_json_str(text))
    policies: dict[str, Any] = whole["staticPolicies"]
    result: dict[str, Slice] = {}
    for action in actions:
        kept = {k: p for k, p in policies.items() if _may_match(p["action"], action, actions)}
        part = json.dumps({"staticPolicies": kept, "templates": {}, "templateLinks": []})
        rules = cedarpy.PolicySet.from_json_str(part)
        result[action] = Slice(rules, len(kept), _attributes(list(kept.values())))
    return result


def _may_match(scope: dict[str, Any], action: str, actions: tuple[str, ...]) -> bool:
    """False only when the scope names actions that we know, and not this one."""
    entities = scope.get("entities") or [scope.get("entity")]
    if scope.get("op") not in ("==", "in") or None in entities:
        return True
    names = {entity.get("id") for entity in entities}
    return action in names or not names <= set(actions)


def _attributes(policies: list[Any]) -> tuple[str, ...] | None:
    found: set[str] = set()
    for policy in policies:
        if policy["principal"] != {"op": "All"} or policy["resource"] != {"op": "All"}:
            return None
        for name in _reads(policy["conditions"]):
            if name is None:
                return None
            found.add(name)
    return tuple(sorted(found))


def _reads(node: Any) -> Iterator[str | None]:
    """Context attributes that an expression reads; None for any other use of a variable."""
    if isinstance(node, list):
        for item in node:
            yield from _reads(item)
        return
    if not isinstance(node, dict):
        return
    for operator, body in node.items():
        if operator == "Value":  # a literal; a text in it is no variable
            continue
        if operator == "Var":
            yield None
        elif operator in (".", "has") and body.get("left") == {"Var": "context"}:
            yield body["attr"]
        else:
            yield from _reads(body)
