"""The engine cannot fail open, and the default rules say what their sentences say."""

from pathlib import Path

import pytest

from guardrails.actor import Actor
from guardrails.errors import BadInput, PolicyDenied
from guardrails.policy import engine as module
from guardrails.policy.catalogue import catalogue, explain
from guardrails.policy.engine import (
    DEFAULT,
    Engine,
    ModelFacts,
    PolicySet,
    Request,
    ToolFacts,
    parse,
    read,
)

STAFF = Actor("alice", "hr", frozenset({"staff"}))
CHAMPION = Actor("bob", "hr", frozenset({"staff", "champion"}))
PRACTICE = ModelFacts("practice", "practice", "local", "embedded")
LOCAL = ModelFacts("hosted_vllm/x", "provider", "local", "vllm")
EU = ModelFacts("mistral/x", "provider", "eu", "mistral")
US = ModelFacts("openai/x", "provider", "us", "openai")
UNKNOWN = ModelFacts("openai/x", "provider", "", "openai")
FAMILIES = ("MD-", "DP-", "TL-", "FI-", "PB-")
CLASSES = ("public", "internal", "confidential", "restricted")


@pytest.fixture(scope="module")
def default() -> PolicySet:
    return read(DEFAULT)


@pytest.fixture
def engine(default: PolicySet) -> Engine:
    return Engine(policies=default)


@pytest.mark.parametrize("data_class", CLASSES)
@pytest.mark.parametrize(
    ("model", "denied"),
    [
        (PRACTICE, {}),
        (ModelFacts("smol", "fallback", "local"), {}),
        (LOCAL, {}),
        (EU, {"restricted": "MD-03"}),
        (US, {"restricted": "MD-03", "confidential": "MD-04"}),
        (UNKNOWN, {"restricted": "MD-03", "confidential": "MD-04"}),
    ],
)
def test_data_classes_against_models(
    engine: Engine, data_class: str, model: ModelFacts, denied: dict[str, str]
) -> None:
    decision = engine.decide(Request("model.call", STAFF, "hr", data_class, model))
    if data_class in denied:
        assert (decision.outcome, decision.rule) == ("deny", denied[data_class])
        with pytest.raises(PolicyDenied):
            decision.require()
    else:
        assert decision.outcome == "allow"


def test_personal_data_is_masked_for_every_model(engine: Engine) -> None:
    kinds = frozenset({"PERSON", "EMAIL_ADDRESS", "SECRET", "URL", "NRP"})
    decision = engine.decide(Request("model.call", STAFF, model=PRACTICE, kinds=kinds))
    assert decision.masks == {"PERSON", "EMAIL_ADDRESS", "SECRET"}
    confidential = Request("model.call", STAFF, "", "confidential", EU, kinds=kinds)
    assert engine.decide(confidential).masks == {"PERSON", "EMAIL_ADDRESS", "SECRET", "NRP"}


@pytest.mark.parametrize(
    ("tool", "data_class", "approved", "outcome", "rule"),
    [
        (ToolFacts("calc", "reads", frozenset({"calc"})), "internal", False, "allow", "TL-01"),
        (ToolFacts("calc", "reads", frozenset()), "internal", False, "deny", "no-match"),
        (ToolFacts("calc", "", frozenset({"calc"})), "internal", False, "deny", "no-match"),
        (ToolFacts("mail", "sends", frozenset({"mail"})), "internal", False, "ask", "TL-02"),
        (ToolFacts("mail", "sends", frozenset({"mail"})), "internal", True, "allow", "TL-01"),
        (ToolFacts("mail", "sends", frozenset({"mail"})), "restricted", True, "deny", "TL-04"),
        (ToolFacts("save", "writes", frozenset({"save"})), "restricted", False, "ask", "TL-03"),
    ],
)
def test_tools(
    engine: Engine, tool: ToolFacts, data_class: str, approved: bool, outcome: str, rule: str
) -> None:
    request = Request("tool.call", STAFF, "hr", data_class, tool=tool, approved=approved)
    decision = engine.decide(request)
    assert (decision.outcome, decision.rule) == (outcome, rule)


@pytest.mark.parametrize(
    ("request_", "outcome", "rule"),
    [
        (Request("model.call", STAFF, model=PRACTICE, kinds=frozenset({"INJECTION"})),
         "allow", "MD-01"),
        (Request("tool.call", STAFF, tool=ToolFacts("m", "sends", frozenset({"m"})),
                 kinds=frozenset({"INJECTION"})), "deny", "DP-05"),
        (Request("model.call", STAFF, model=US, kinds=frozenset({"HEALTH"})), "deny", "DP-06"),
        (Request("model.call", STAFF, model=PRACTICE, kinds=frozenset({"HEALTH"})),
         "allow", "MD-01"),
        (Request("tool.call", STAFF, tool=ToolFacts("m", "sends", frozenset({"m"})),
                 kinds=frozenset({"SECRET"}), approved=True), "deny", "DP-04"),
        (Request("file.in", STAFF, file_type="application/pdf"), "allow", "FI-01"),
        (Request("file.in", STAFF, file_type="application/x-msdownload"), "deny", "no-match"),
        (Request("file.in", STAFF, file_type="text/csv", file_bytes=2**25), "deny", "FI-02"),
        (Request("artefact.out", STAFF, file_type="image/png"), "allow", "FI-03"),
        (Request("publish", STAFF, audience="self"), "allow", "PB-01"),
        (Request("publish", STAFF, audience="everyone"), "ask", "PB-03"),
        (Request("publish", STAFF, audience="external"), "deny", "PB-04"),
        (Request("approve", CHAMPION), "allow", "PB-05"),
        (Request("approve", CHAMPION, author=True), "deny", "PB-06"),
        (Request("approve", STAFF), "deny", "no-match"),
        (Request("model.call", STAFF, data_class="secret", model=PRACTICE), "deny", "MD-06"),
        (Request("model.call", STAFF, model=ModelFacts("x", "shadow", "local")),
         "deny", "MD-05"),
        (Request("delete everything", STAFF), "deny", "policy-error"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_the_default_rules(engine: Engine, request_: Request, outcome: str, rule: str) -> None:
    decision = engine.decide(request_)
    assert (decision.outcome, decision.rule) == (outcome, rule)


def test_an_exception_lifts_the_rule_it_names_and_no_other(engine: Engine) -> None:
    request = Request("model.call", STAFF, "", "restricted", US)
    lifted = Request("model.call", STAFF, "", "restricted", US, exceptions=frozenset({"MD-03"}))
    other = Request("model.call", STAFF, "", "restricted", US, exceptions=frozenset({"MD-06"}))
    assert engine.decide(request).rule == "MD-03"
    assert (engine.decide(lifted).outcome, engine.decide(lifted).rule) == ("allow", "MD-02")
    assert engine.decide(other).outcome == "deny"


def test_duties_follow_the_data_class(engine: Engine) -> None:
    decision = engine.decide(Request("artefact.out", STAFF, "", "restricted", file_type="text/csv"))
    assert decision.obligations == ("watermark", "short-retention")


def test_a_decision_keeps_its_inputs_rules_and_set(engine: Engine) -> None:
    decision = engine.decide(
        Request("model.call", STAFF, "hr", model=PRACTICE, kinds=frozenset({"PERSON"}))
    )
    assert decision.policy_set == engine.policies.hash
    assert decision.inputs["data_class"] == "internal"
    assert decision.inputs["kinds"] == ["PERSON"]
    assert set(decision.rules) == {"DP-01", "MD-01", "MD-02"}


# ── it cannot fail open ──────────────────────────────────────────────────────────────────


def _set(rules: str) -> PolicySet:
    return parse(rules, (DEFAULT / "schema.cedarschema").read_text("utf-8"))


def test_nothing_matching_is_a_deny() -> None:
    engine = Engine(policies=_set('@id("X") forbid (principal, action, resource);'))
    assert engine.decide(Request("turn", STAFF)).rule == "X"
    engine = Engine(
        policies=_set('@id("X") permit (principal, action == Action::"approve", resource);')
    )
    assert engine.decide(Request("turn", STAFF)).rule == "no-match"


def test_a_rule_that_fails_while_it_is_evaluated_denies() -> None:
    """Overflow is an evaluation error: Cedar alone would skip the forbid and allow."""
    rules = """
    @id("A") permit (principal, action, resource);
    @id("B") forbid (principal, action, resource)
    when { context.file_bytes + 9223372036854775807 > 0 };
    """
    decision = Engine(policies=_set(rules)).decide(Request("turn", STAFF, file_bytes=5))
    assert (decision.outcome, decision.rule) == ("deny", "policy-error")


def test_an_engine_that_breaks_denies(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def is_authorized_batch(self, *_: object) -> list[object]:
            raise RuntimeError("boom")

    monkeypatch.setattr(module, "cedarpy", Broken())
    decision = engine.decide(Request("turn", STAFF, model=PRACTICE))
    assert (decision.outcome, decision.rule) == ("deny", "policy-error")


@pytest.mark.parametrize("answer", [None, [], "Allow", [None] * 4, [{"decision": "Allow"}] * 4])
def test_an_engine_that_answers_garbage_denies(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    class Garbage:
        def is_authorized_batch(self, *_: object) -> object:
            return answer

    monkeypatch.setattr(module, "cedarpy", Garbage())
    assert engine.decide(Request("turn", STAFF, model=PRACTICE)).outcome == "deny"


@pytest.mark.parametrize("value", [None, 5, object(), ["x"]])
def test_values_of_the_wrong_type_deny(engine: Engine, value: object) -> None:
    request = Request("model.call", STAFF, data_class=value, model=PRACTICE)  # type: ignore[arg-type]
    assert engine.decide(request).outcome == "deny"


def test_hostile_names_are_only_names(engine: Engine) -> None:
    hostile = 'x"}; permit (principal, action, resource); //\n\0'
    actor = Actor(hostile, hostile, frozenset({hostile}))
    decision = engine.decide(Request("model.call", actor, hostile, "restricted", US))
    assert decision.rule == "MD-03"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("permit (principal, action, resource)", ""),
        ("permit (principal, action, resource);", "@id"),
        ('@id("A") permit (principal, action, resource); '
         '@id("A") permit (principal, action, resource);', "twice"),
        ('@id("A") permit (principal, action, resource) when { context.colour == "red" };',
         "colour"),
        ('@id("A") permit (principal, action == Action::"fly", resource);', "fly"),
    ],
)  # fmt: skip
def test_a_bad_rule_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(BadInput) as refused:
        _set(text)
    assert why in str(refused.value.data["why"])


def test_a_folder_without_rules_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises((BadInput, OSError)):
        Engine(tmp_path)


# ── words ────────────────────────────────────────────────────────────────────────────────


def test_every_rule_has_words_in_both_languages(default: PolicySet) -> None:
    words = catalogue()
    assert set(default.ids) <= set(words)
    assert not [rule for rule in set(words) - set(default.ids) if rule[:3] in FAMILIES]
    for rule in words:
        assert explain(rule, "en") != explain(rule, "fr")


def test_a_rule_without_words_is_explained_as_no_match() -> None:
    assert explain("XX-99", "fr").sentence == explain("no-match", "fr").sentence


# ── slices change no answer ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rule", "attributes"),
    [
        ('action == Action::"turn", resource) when { context.tool == "x" }', ("tool",)),
        ("action, resource)", ()),
        ('action in [Action::"turn"], resource) when { context.kinds.contains(context.kind) }',
         ("kind", "kinds")),
        ('action == Action::"turn", resource) when { principal == Person::"alice" }', None),
        ('action == Action::"turn", resource) when { context.tool == "context.kind" }', ("tool",)),
    ],
)  # fmt: skip
def test_a_slice_knows_what_its_rules_read(rule: str, attributes: tuple[str, ...] | None) -> None:
    policies = _set(f'@id("A") permit (principal, {rule};')
    assert policies.slices["turn"].attributes == attributes


def test_a_rule_about_one_person_is_not_remembered_for_another() -> None:
    rules = """
    @id("A") permit (principal, action, resource);
    @id("B") permit (principal == Person::"alice", action == Action::"duty.ask", resource);
    """
    engine = Engine(policies=_set(rules))
    assert engine.decide(Request("turn", STAFF)).outcome == "ask"
    assert engine.decide(Request("turn", CHAMPION)).outcome == "ask"  # "A" permits every duty
    only_turns = rules.replace("action, resource);", 'action == Action::"turn", resource);', 1)
    engine = Engine(policies=_set(only_turns))
    assert engine.decide(Request("turn", STAFF)).outcome == "ask"
    assert engine.decide(Request("turn", CHAMPION)).outcome == "allow"
    assert engine.decide(Request("turn", STAFF)).outcome == "ask"


def test_what_was_remembered_is_what_would_be_decided(default: PolicySet) -> None:
    warm = Engine(policies=default)
    for data_class in CLASSES:
        for model in (PRACTICE, LOCAL, EU, US, UNKNOWN):
            for kinds in (frozenset[str](), frozenset({"PERSON"}), frozenset({"HEALTH", "SECRET"})):
                request = Request("model.call", STAFF, "hr", data_class, model, kinds=kinds)
                cold = Engine(policies=read(DEFAULT)).decide(request)
                assert warm.decide(request) == cold


def test_the_rule_in_the_documentation_works() -> None:
    text = (Path(__file__).parents[3] / "docs" / "policies.md").read_text("utf-8")
    example = text.split("```cedar")[1].split("```")[0]
    engine = Engine(policies=_set('@id("P") permit (principal, action, resource);' + example))
    assert engine.decide(Request("model.call", STAFF, model=EU)).rule == "HR-01"
    lifted = Request("model.call", STAFF, model=EU, exceptions=frozenset({"HR-01"}))
    assert engine.decide(lifted).rule == "P"
