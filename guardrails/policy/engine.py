"""Decide one request by Cedar policies. Fails closed: every failure is a Deny with a rule id.

Cedar fails open in three ways unless wrapped (FACTS, Policy): without a schema a missing attribute
skips a `forbid`; an unknown entity allows with an error beside it; policy ids are positional. So
the schema is always given, any diagnostic error or anything but Allow is a Deny, and ids are
`@id`s.

Duties are actions of their own (`duty.mask`, `duty.ask`, ...): a permit means the duty applies; a
duty that cannot be decided denies the act.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

import cedarpy

from guardrails.actor import Actor
from guardrails.errors import BadInput, PolicyDenied
from guardrails.findings import Outcome
from guardrails.policy.slices import Slice, cut
from guardrails.policy.text import pieces

DEFAULT: Final = Path(str(files("guardrails.policy") / "default"))
SCHEMA_FILE: Final = "schema.cedarschema"

ActionName = Literal[
    "turn", "model.call", "tool.call", "file.in", "artefact.out", "publish", "approve"
]
DataClass = Literal["public", "internal", "confidential", "restricted"]

_MARKS: Final = ("watermark", "short-retention")
ACTIONS: Final = (
    *get_args(ActionName),
    *(f"duty.{name}" for name in ("ask", "mask", "block", *_MARKS)),
)
REMEMBERED: Final = 4_096  # decisions
# annotations of a rule that say it in plain words
WORDS: Final = ("en", "fr", "why_en", "why_fr", "instead_en", "instead_fr")
FAILED: Final = "policy-error"  # the rule of a decision that could not be made
NO_MATCH: Final = "no-match"  # nothing permits it


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


@dataclass(frozen=True, slots=True)
class _Answer:
    """Cedar's answer to one question."""

    allowed: bool
    rules: tuple[str, ...]
    failed: bool


@dataclass(frozen=True)
class PolicySet:
    """Parsed, validated rules. `hash` covers schema and text; `ids` in order of appearance.

    `words` are the annotations that put a rule in plain words, by id and `WORDS`.
    """

    hash: str
    ids: tuple[str, ...]
    text: str
    schema_text: str
    slices: Mapping[str, Slice]
    schema: Any
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    remembered: dict[tuple[object, ...], _Answer] = field(default_factory=dict, compare=False)


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
    found = [piece for piece in pieces(text) if piece.on]
    ids = tuple(piece.id for piece in found if piece.id)
    if len(ids) != len(rules):
        raise BadInput("bad-policy", rule="", why='every rule needs @id("...")')
    doubled = sorted({i for i in ids if ids.count(i) > 1})
    if doubled:
        raise BadInput("bad-policy", rule=doubled[0], why="this id is used twice")
    digest = hashlib.sha256((schema_text + "\0" + text).encode()).hexdigest()
    spoken = {
        piece.id: {name: said for name, said in piece.annotations().items() if name in WORDS}
        for piece in found
    }
    words = {rule: said for rule, said in spoken.items() if said}
    return PolicySet(digest, ids, text, schema_text, cut(text, ACTIONS), schema, words)


def read(folder: Path) -> PolicySet:
    """Parse `schema.cedarschema` and all `*.cedar` files of a folder, in name order."""
    text = "\n".join(f.read_text("utf-8") for f in sorted(folder.glob("*.cedar")))
    return parse(text, (folder / SCHEMA_FILE).read_text("utf-8"))


class Engine:
    """Decides by one policy set; `activate` swaps it. Thread-safe: a decision reads it once.

    With `follow` the set in force is asked for at each decision; when it cannot be told, the
    answer is a deny.
    """

    def __init__(self, folder: Path = DEFAULT, policies: PolicySet | None = None) -> None:
        self._policies = policies or read(folder)
        self._source: Callable[[], PolicySet] | None = None
        # a decision is a function of the rules and the request alone (Cedar is stateless)
        self._decided: dict[tuple[str, Request], Decision] = {}

    @property
    def policies(self) -> PolicySet:
        """The rules last known to be in force."""
        return self._policies

    def follow(self, source: Callable[[], PolicySet]) -> None:
        """Ask `source` for the set in force at each decision. What it raises is a deny."""
        self._source = source

    def activate(self, policies: PolicySet) -> None:
        """Put other rules in force, from the next decision on."""
        self._policies = policies

    def decide(self, request: Request) -> Decision:
        """The decision for one request. Never raises: what goes wrong is a deny."""
        inputs: dict[str, object] = {}
        digest = self._policies.hash
        try:
            policies = self._policies if self._source is None else self._source()
            digest = policies.hash
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
            return Decision("deny", FAILED, (), (FAILED,), digest, MappingProxyType(inputs))


class _Asking:
    """The questions of one decision. Duties are remembered by the attributes their rules read."""

    def __init__(self, policies: PolicySet, request: Request, inputs: dict[str, object]) -> None:
        self._policies = policies
        self._inputs = inputs
        thing = request.tool.name or request.model.name or request.agent
        self._person = {"type": "Person", "id": request.actor.id or "nobody"}
        self._thing = {"type": "Thing", "id": thing or "-"}
        self._entities = [
            {"uid": uid, "attrs": {}, "parents": []} for uid in (self._person, self._thing)
        ]

    def ask(self, questions: list[tuple[str, str]]) -> list[_Answer]:
        """Answers in the order of `questions` (action, kind), the first one asked anew."""
        answers: list[_Answer | None] = [None] * len(questions)
        for place, (action, kind) in enumerate(questions):
            part = self._policies.slices[action]
            key = self._key(action, kind)
            answer = self._policies.remembered.get(key) if key and place else None
            if answer is None:
                answer = self._put(part, action, kind)
                if key and not answer.failed:
                    if len(self._policies.remembered) >= REMEMBERED:
                        self._policies.remembered.clear()
                    self._policies.remembered[key] = answer
            answers[place] = answer
        return [answer for answer in answers if answer is not None]

    def _key(self, action: str, kind: str) -> tuple[object, ...] | None:
        attributes = self._policies.slices[action].attributes
        if attributes is None:
            return None
        values = {**self._inputs, "kind": kind}
        return (action, *(_hashable(values[name]) for name in attributes))

    def _put(self, part: Slice, action: str, kind: str) -> _Answer:
        question = {
            "principal": self._person,
            "action": {"type": "Action", "id": action},
            "resource": self._thing,
            "context": {**self._inputs, "kind": kind},
        }
        (result,) = cedarpy.is_authorized_batch(
            [question], part.rules, self._entities, self._policies.schema
        )
        rules = sorted(result.diagnostics.id_annotations_by_reason.values())
        allowed = result.decision is cedarpy.Decision.Allow
        return _Answer(allowed, tuple(rules), bool(result.diagnostics.errors))


def _decide(policies: PolicySet, request: Request, inputs: dict[str, object]) -> Decision:
    kinds = sorted(request.kinds)
    questions: list[tuple[str, str]] = [(request.action, "")]
    questions += [(f"duty.{name}", "") for name in ("ask", *_MARKS)]
    questions += [(duty, kind) for duty in ("duty.block", "duty.mask") for kind in kinds]
    results = _Asking(policies, request, inputs).ask(questions)
    answers = dict(zip(questions, results, strict=True))
    frozen = MappingProxyType(inputs)

    def say(outcome: Outcome, rules: list[str], obligations: tuple[str, ...] = ()) -> Decision:
        unique = tuple(dict.fromkeys(rules))
        first = unique[0] if unique else NO_MATCH
        return Decision(outcome, first, obligations, unique, policies.hash, frozen)

    if any(answer.failed for answer in results):
        return say("deny", [FAILED])
    act, ask = answers[(request.action, "")], answers[("duty.ask", "")]
    blocked = [r for k in kinds if (a := answers[("duty.block", k)]).allowed for r in a.rules]
    if act.allowed and blocked:
        return say("deny", blocked)
    masks = [kind for kind in kinds if answers[("duty.mask", kind)].allowed]
    marks = [name for name in _MARKS if answers[(f"duty.{name}", "")].allowed]
    duties = (*(f"mask:{kind}" for kind in masks), *marks)
    rules = [rule for kind in masks for rule in answers[("duty.mask", kind)].rules]
    rules += act.rules
    rules += [rule for name in marks for rule in answers[(f"duty.{name}", "")].rules]
    if act.allowed and ask.allowed and not request.approved:
        return say("ask", [*ask.rules, *rules], duties)
    if act.allowed:
        return say("allow", rules, duties)
    return say("deny", list(act.rules))


def _hashable(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


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
