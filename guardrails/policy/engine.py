"""Decide one request by Cedar policies. Fails closed: every failure is a Deny with a rule id.

Cedar fails open in three ways unless wrapped (FACTS, Policy): without a schema a missing attribute
skips a `forbid`; an unknown entity allows with an error beside it; policy ids are positional. So
the schema is always given, any diagnostic error or anything but Allow is a Deny, and ids are
`@id`s.

Duties are actions of their own (`duty.mask`, `duty.ask`, ...): a permit means the duty applies; a
duty that cannot be decided denies the act.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

import cedarpy

from guardrails.actor import Actor
from guardrails.errors import BadInput, PolicyDenied
from guardrails.findings import Outcome

DEFAULT: Final = Path(str(files("guardrails.policy") / "default"))
SCHEMA_FILE: Final = "schema.cedarschema"

ActionName = Literal[
    "turn", "model.call", "tool.call", "file.in", "artefact.out", "publish", "approve"
]
DataClass = Literal["public", "internal", "confidential", "restricted"]

REMEMBERED: Final = 4_096  # decisions
FAILED: Final = "policy-error"  # the rule of a decision that could not be made
NO_MATCH: Final = "no-match"  # nothing permits it
_ID = re.compile(r'@id\("([^"]+)"\)')


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What rules may know of a model. `location` is local, eu, us, other or "" (unknown)."""

    name: str = ""
    kind: str = ""
    location: str = ""
    provider: str = ""


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """What rules may know of a tool. `allowed` are the tools that the agent lists."""

    name: str = ""
    side_effect: str = ""
    allowed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Request:
    """One question: may `actor` do `action`, here, with these facts?"""

    action: ActionName
    actor: Actor
    agent: str = ""
    data_class: str = "internal"
    model: ModelFacts = ModelFacts()
    tool: ToolFacts = ToolFacts()
    kinds: frozenset[str] = frozenset()
    file_type: str = ""
    file_bytes: int = 0
    audience: str = ""
    author: bool = False
    approved: bool = False
    exceptions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. `rule` decided; `rules` are all that matched, `rule` first.

    `obligations` are `mask:KIND` (sorted), `watermark`, `short-retention`; with outcome "ask" a
    person has to approve first. `policy_set` is the SHA-256 of the rules, `inputs` what they saw.
    """

    outcome: Outcome
    rule: str
    obligations: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    policy_set: str = ""
    inputs: Mapping[str, object] = field(default_factory=dict)

    @property
    def masks(self) -> frozenset[str]:
        """Kinds to mask."""
        return frozenset(o.removeprefix("mask:") for o in self.obligations if o.startswith("mask:"))

    def require(self) -> "Decision":
        """Itself, or PolicyDenied with the rule when the outcome is deny."""
        if self.outcome == "deny":
            raise PolicyDenied(rule=self.rule)
        return self


@dataclass(frozen=True)
class PolicySet:
    """Parsed, validated rules. `hash` covers schema and text; `ids` in order of appearance."""

    hash: str
    ids: tuple[str, ...]
    text: str
    schema_text: str
    rules: Any
    schema: Any


def parse(text: str, schema_text: str) -> PolicySet:
    """Parse and validate. Raises BadInput("bad-policy") with the reason and the rule's id.

    Every rule needs an `@id` of its own: decisions name rules by it.
    """
    try:
        schema = cedarpy.Schema.from_str(schema_text)
        rules = cedarpy.PolicySet.from_str(text)
        result = cedarpy.validate_policies(text, schema)
    except (ValueError, TypeError) as error:
        raise BadInput("bad-policy", rule="", why=str(error)) from error
    if not result.validation_passed:
        first = result.errors[0]
        rule = result.id_annotations_by_policy_id.get(first.policy_id, first.policy_id)
        raise BadInput("bad-policy", rule=rule, why=first.error)
    ids = tuple(_ID.findall(text))
    if len(ids) != len(rules):
        raise BadInput("bad-policy", rule="", why='every rule needs @id("...")')
    doubled = sorted({i for i in ids if ids.count(i) > 1})
    if doubled:
        raise BadInput("bad-policy", rule=doubled[0], why="this id is used twice")
    digest = hashlib.sha256((schema_text + "\0" + text).encode()).hexdigest()
    return PolicySet(digest, ids, text, schema_text, rules, schema)


def read(folder: Path) -> PolicySet:
    """Parse `schema.cedarschema` and all `*.cedar` files of a folder, in name order."""
    text = "\n".join(f.read_text("utf-8") for f in sorted(folder.glob("*.cedar")))
    return parse(text, (folder / SCHEMA_FILE).read_text("utf-8"))


class Engine:
    """Decides by one policy set; `activate` swaps it. Thread-safe: a decision reads it once."""

    def __init__(self, folder: Path = DEFAULT, policies: PolicySet | None = None) -> None:
        self._policies = policies or read(folder)
        # a decision is a function of the rules and the request alone (Cedar is stateless)
        self._decided: dict[tuple[str, Request], Decision] = {}

    @property
    def policies(self) -> PolicySet:
        """The rules in force."""
        return self._policies

    def activate(self, policies: PolicySet) -> None:
        """Put other rules in force, from the next decision on."""
        self._policies = policies

    def decide(self, request: Request) -> Decision:
        """The decision for one request. Never raises: what goes wrong is a deny."""
        policies = self._policies
        inputs: dict[str, object] = {}
        try:
            key = (policies.hash, request)
            known = self._decided.get(key)
            if known is not None:
                return known
            inputs = _inputs(request)
            decision = _decide(policies, request, inputs)
            if len(self._decided) >= REMEMBERED:
                self._decided.clear()
            if decision.rule != FAILED:  # a failure may pass
                self._decided[key] = decision
            return decision
        # any failure of the engine is a refusal, whatever its type: this is the fail-closed seam
        except Exception:
            return Decision("deny", FAILED, (), (FAILED,), policies.hash, MappingProxyType(inputs))


def _decide(policies: PolicySet, request: Request, inputs: dict[str, object]) -> Decision:
    kinds = sorted(request.kinds)
    questions = [(request.action, ""), ("duty.ask", ""), ("duty.watermark", "")]
    questions.append(("duty.short-retention", ""))
    questions += [("duty.block", kind) for kind in kinds]
    questions += [("duty.mask", kind) for kind in kinds]
    person = {"type": "Person", "id": request.actor.id or "nobody"}
    thing = {"type": "Thing", "id": request.tool.name or request.model.name or request.agent or "-"}
    results = cedarpy.is_authorized_batch(
        [
            {
                "principal": person,
                "action": {"type": "Action", "id": action},
                "resource": thing,
                "context": {**inputs, "kind": kind},
            }
            for action, kind in questions
        ],
        policies.rules,
        _entities(person, thing),
        policies.schema,
    )
    answers = dict(zip(questions, results, strict=True))
    frozen = MappingProxyType(inputs)

    def say(outcome: Outcome, rules: list[str], obligations: tuple[str, ...] = ()) -> Decision:
        first = rules[0] if rules else NO_MATCH
        return Decision(outcome, first, obligations, tuple(rules), policies.hash, frozen)

    if any(result.diagnostics.errors for result in results):
        return say("deny", [FAILED])
    act = answers[(request.action, "")]
    matched = _ids(act)
    if not act.allowed:
        return say("deny", matched or [NO_MATCH])
    blocked = [
        r
        for k in kinds
        for r in _ids(answers[("duty.block", k)])
        if answers[("duty.block", k)].allowed
    ]
    if blocked:
        return say("deny", _unique(blocked))
    masks = [k for k in kinds if answers[("duty.mask", k)].allowed]
    mask_rules = [r for k in masks for r in _ids(answers[("duty.mask", k)])]
    duties = [f"mask:{k}" for k in masks]
    others: list[str] = []
    for name in ("watermark", "short-retention"):
        answer = answers[(f"duty.{name}", "")]
        if answer.allowed:
            duties.append(name)
            others += _ids(answer)
    ask = answers[("duty.ask", "")]
    if ask.allowed and not request.approved:
        return say("ask", _unique(_ids(ask) + mask_rules + matched + others), tuple(duties))
    if act.decision is cedarpy.Decision.Allow:
        return say("allow", _unique(mask_rules + matched + others), tuple(duties))
    return say("deny", [NO_MATCH])


def _inputs(request: Request) -> dict[str, object]:
    return {
        "agent": request.agent,
        "department": request.actor.department,
        "roles": sorted(request.actor.roles),
        "region": request.actor.region,
        "data_class": request.data_class,
        "model": request.model.name,
        "model_kind": request.model.kind,
        "provider": request.model.provider,
        "location": request.model.location,
        "tool": request.tool.name,
        "side_effect": request.tool.side_effect,
        "allowed_tools": sorted(request.tool.allowed),
        "kinds": sorted(request.kinds),
        "kind": "",
        "file_type": request.file_type,
        "file_bytes": request.file_bytes,
        "audience": request.audience,
        "author": request.author,
        "approved": request.approved,
        "exceptions": sorted(request.exceptions),
    }


def _entities(person: dict[str, str], thing: dict[str, str]) -> list[dict[str, object]]:
    return [{"uid": uid, "attrs": {}, "parents": []} for uid in (person, thing)]


def _ids(result: Any) -> list[str]:
    """The `@id`s of the rules that decided, sorted."""
    return sorted(result.diagnostics.id_annotations_by_reason.values())


def _unique(rules: list[str]) -> list[str]:
    return list(dict.fromkeys(rules))
