"""Lists of rules that forms change, rules switched off and on, and what is said of a wrong text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.actor import Actor
from guardrails.errors import BadInput
from guardrails.policy.diagnose import diagnose
from guardrails.policy.engine import DEFAULT, Engine, ModelFacts, Request, ToolFacts, parse, read
from guardrails.policy.forms import changed, slots, values
from guardrails.policy.text import pieces, switched

PRODUCT = read(DEFAULT)
TEXT, SCHEMA = PRODUCT.text, PRODUCT.schema_text
HR = Actor("p_a", "HR", frozenset({"staff"}), "eu")
US = ModelFacts("openai/x", "provider", "us", "openai")
EU = ModelFacts("mistral/x", "provider", "eu", "mistral")
PYTHON = ToolFacts("python", "reads", frozenset({"python"}))
SLOTS = [slot for of_rule in slots().values() for slot in of_rule]


def decided(text: str, request: Request) -> tuple[str, str]:
    decision = Engine(policies=parse(text, SCHEMA)).decide(request)
    return decision.outcome, decision.rule


@pytest.mark.parametrize("slot", SLOTS, ids=lambda slot: f"{slot.rule}-{slot.name}")
def test_every_slot_is_read_and_writing_it_back_changes_nothing_else(slot: object) -> None:
    found = values(TEXT, slot.rule)  # type: ignore[attr-defined]
    assert found is not None
    value = found[slot.name]  # type: ignore[attr-defined]
    again = changed(TEXT, slot.rule, slot.name, value)  # type: ignore[attr-defined]
    assert values(again, slot.rule) == found  # type: ignore[attr-defined]
    assert parse(again, SCHEMA).ids == PRODUCT.ids


@pytest.mark.parametrize(
    ("rule", "slot", "value", "request_", "outcome"),
    [
        ("MD-03", "locations", ["local", "us"], Request("model.call", HR, "", "restricted", US),
         ("allow", "MD-02")),
        ("MD-07", "locations", ["eu"], Request("model.call", HR, "", "public", US),
         ("deny", "MD-07")),
        ("MD-08", "locations", [], Request("model.call", HR, "", "internal", EU),
         ("deny", "MD-08")),
        ("MD-09", "locations", ["local"], Request("model.call", HR, "", "confidential", EU),
         ("deny", "MD-09")),
        ("MD-10", "providers", ["mistral"], Request("model.call", HR, "", "confidential", EU),
         ("deny", "MD-10")),
        ("MD-11", "departments", ["HR"], Request("model.call", HR, "", "public", EU),
         ("deny", "MD-11")),
        ("MD-12", "models@staff", ["mistral/x"], Request("model.call", HR, "", "public", US),
         ("deny", "MD-12")),
        ("DP-09", "kinds@internal", ["IBAN_CODE"],
         Request("model.call", HR, model=EU, kinds=frozenset({"IBAN_CODE"})), ("deny", "DP-09")),
        ("TL-05", "tools@staff", ["calculator"], Request("tool.call", HR, tool=PYTHON),
         ("deny", "TL-05")),
        ("TL-06", "tools", ["python"], Request("tool.call", HR, tool=PYTHON), ("ask", "TL-06")),
        ("FI-02", "bytes", 10, Request("file.in", HR, file_type="text/csv", file_bytes=11),
         ("deny", "FI-02")),
        ("PB-02", "roles@everyone", ["champion"], Request("publish", HR, audience="everyone"),
         ("deny", "no-match")),
        ("PB-07", "classes", ["internal"], Request("publish", HR, audience="everyone"),
         ("deny", "PB-07")),
    ],
)  # fmt: skip
def test_a_changed_value_decides(
    rule: str, slot: str, value: list[str] | int, request_: Request, outcome: tuple[str, str]
) -> None:
    assert decided(TEXT, request_) != outcome
    assert decided(changed(TEXT, rule, slot, value), request_) == outcome


def test_a_department_masks_and_blocks_kinds_of_its_own() -> None:
    text = changed(TEXT, "DP-08", "departments", ["HR"])
    text = changed(text, "DP-08", "kinds", ["HEALTH"])
    asked = Request("model.call", HR, data_class="public", model=EU, kinds=frozenset({"HEALTH"}))
    assert Engine(policies=parse(text, SCHEMA)).decide(asked).masks == {"HEALTH"}
    text = changed(changed(TEXT, "DP-10", "departments", ["HR"]), "DP-10", "kinds", ["HEALTH"])
    assert decided(text, asked) == ("deny", "DP-10")
    other = Request(
        "model.call", Actor("p_b", "IT"), data_class="public", model=EU,
        kinds=frozenset({"HEALTH"}),
    )  # fmt: skip
    assert decided(text, other)[0] == "allow"


@given(st.lists(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S"))), max_size=5))
def test_any_name_can_stand_in_a_list_and_stays_a_name(names: list[str]) -> None:
    wanted = tuple(dict.fromkeys(name for name in names if name not in ("", "-")))
    text = changed(TEXT, "MD-11", "departments", wanted)
    assert values(text, "MD-11") == {"departments": wanted}
    assert len(pieces(text)) == len(pieces(TEXT))


def test_a_rule_rewritten_by_hand_has_no_form() -> None:
    text = TEXT.replace('["-"].contains(context.tool) && !context.approved', "!context.approved")
    assert values(text, "TL-06") is None
    with pytest.raises(BadInput, match="rule-by-hand"):
        changed(text, "TL-06", "tools", ["python"])


@pytest.mark.parametrize("rule", PRODUCT.ids)
def test_a_rule_is_switched_off_and_on_again_without_a_trace(rule: str) -> None:
    off = switched(TEXT, rule, False)
    assert set(parse(off, SCHEMA).ids) == set(PRODUCT.ids) - {rule}
    assert [piece.on for piece in pieces(off) if piece.id == rule] == [False]
    assert values(off, rule) == values(TEXT, rule)
    assert switched(off, rule, True) == TEXT


# ── what is said of a wrong text ─────────────────────────────────────────────────────────

HEAD = '@id("MD-01")\n'
ALL = "permit (principal, action, resource)"


@pytest.mark.parametrize(
    ("text", "line", "code", "nearest"),
    [
        (HEAD + 'permit (principal, action, resource)\nwhen { context.data_clas == "x" };',
         3, "unknown-attribute", "data_class"),
        (HEAD + 'permit (principal, action == Action::"model.cal", resource);',
         2, "unknown-action", "model.call"),
        (f'{HEAD}{ALL}\nwhen {{ context.data_class == "confidental" }};',
         3, "unknown-value", "confidential"),
        (HEAD + 'permit (principal, action, resource)\nwhen { context.roles.contains("admin") };',
         3, "unknown-value", "administrator"),
        (HEAD + "permit (principal, action, resource)\nwhen { context.author = true };",
         3, "syntax", ""),
        (HEAD + "permit (principal, action, resource)\nwhen { [].contains(context.tool) };",
         3, "empty-list", ""),
        (HEAD + "permit (principal, action, resource)\nwhen { context.data_class == 3 };",
         3, "wrong-type", ""),
        ("permit (principal, action, resource);", 1, "no-id", ""),
        (f"{HEAD}{ALL};\n{HEAD}{ALL};",
         3, "id-twice", ""),
        ('@id("HR-01")\npermit (principal, action, resource);', 1, "no-words", ""),
        ("// nothing", 1, "no-rules", ""),
    ],
)  # fmt: skip
def test_a_problem_has_its_line_and_the_name_that_was_meant(
    text: str, line: int, code: str, nearest: str
) -> None:
    found = {(p.line, p.code, p.nearest) for p in diagnose(text, SCHEMA)}
    assert (line, code, nearest) in found


def test_the_product_s_own_rules_have_no_problem() -> None:
    assert diagnose(TEXT, SCHEMA) == ()
