"""The agent file: strict, and helpful when it is wrong."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from agents.spec import AgentSpec, Text, json_schema, load_spec
from agents.specfile import MAX_BYTES, parse_spec
from guardrails.errors import BadInput

GOOD = """\
id: tea-helper
icon: cup-soda
title: {en: Tea helper, fr: Aide au thé}
purpose: {en: Makes tea., fr: Fait du thé.}
instructions: {en: Answer briefly., fr: Répondez brièvement.}
tools: [calculator]
cases:
  - id: first
    input: How long for green tea?
    expect:
      number: {value: 3, within: 1}
"""


def error(text: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        parse_spec(text, "tea.yaml")
    return caught.value


def test_a_good_file_is_read() -> None:
    spec = parse_spec(GOOD, "tea.yaml")
    assert spec.title.to("fr") == "Aide au thé"
    assert spec.cases[0].expect.number is not None
    assert spec.missing() == ()


def test_an_unknown_key_names_file_line_key_and_nearest() -> None:
    found = error(GOOD.replace("purpose:", "purpos:"))
    assert found.code == "spec-unknown-key"
    assert found.data == {"file": "tea.yaml", "line": 4, "key": "purpos", "nearest": "purpose"}


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "nearest"),
    [
        ("within: 1", "withn: 1", 11, "cases.0.expect.number.withn", "within"),
        ("    input:", "    inputs:", 9, "cases.0.inputs", "input"),
        ("expect:", "expected:", 10, "cases.0.expected", "expect"),
        ("{en: Tea helper,", "{eng: Tea helper,", 3, "title.eng", "en"),
        ("icon:", "ikon:", 2, "ikon", "icon"),
    ],
)
def test_an_unknown_key_inside_is_found_where_it_stands(
    old: str, new: str, line: int, key: str, nearest: str
) -> None:
    found = error(GOOD.replace(old, new))
    assert found.code == "spec-unknown-key"
    assert (found.data["line"], found.data["key"], found.data["nearest"]) == (line, key, nearest)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        (GOOD.replace("icon: cup-soda", "icon: Cup Soda!"), "spec-bad-value", 2),
        (GOOD.replace("id: tea-helper", "id: ../../etc"), "spec-bad-value", 1),
        (GOOD.replace("title:", "owner:"), "spec-missing-key", 1),
        (GOOD + "icon: leaf\n", "spec-double-key", 12),
        (GOOD.replace("[calculator]", "[calculator, calculator]"), "spec-bad-value", 1),
        (GOOD.replace("[calculator]", "[calculator"), "spec-not-yaml", 7),
        ("", "spec-not-yaml", 1),
        ("- a list\n", "spec-not-yaml", 1),
        ("a: &x [1, 2]\nb: *x\n", "spec-not-yaml", 2),
        ("[" * 5000, "spec-not-yaml", 1),
        ("id: !!python/object/apply:os.system [ls]\n", "spec-not-yaml", 1),
        (GOOD.replace("Tea helper,", "Tea\0helper,"), "spec-not-yaml", 1),
        (GOOD + "knowledge: [../../../etc/passwd]\n", "spec-bad-value", 12),
        ("id: x\n" + "#" * MAX_BYTES, "spec-too-large", None),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, code: str, line: int | None) -> None:
    found = error(text)
    assert (found.code, found.data.get("line")) == (code, line)


def test_an_error_never_repeats_a_value() -> None:
    found = error(GOOD.replace("icon: cup-soda", "icon: Jean.Dupont@example.com"))
    assert "Dupont" not in str(found)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_bytes(b"\xff\xfe\x00\x01" * 20)
    with pytest.raises(BadInput, match="spec-unreadable"):
        load_spec(file)
    with pytest.raises(BadInput, match="spec-unreadable"):
        load_spec(tmp_path / "none.yaml")


def test_equal_specs_hash_alike_and_any_change_shows() -> None:
    one, two = parse_spec(GOOD, "a"), parse_spec(GOOD.replace("title: {en", "title:  {en"), "b")
    assert one.content_hash() == two.content_hash()
    changed = one.model_copy(update={"instructions": Text(en="Answer at length.")})
    assert changed.content_hash() != one.content_hash()


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail_in_another_way(text: str) -> None:
    try:
        parse_spec(text, "any.yaml")
    except BadInput as caught:
        assert caught.code.startswith("spec-")


@given(en=st.text(max_size=300), fr=st.text(max_size=300))
def test_a_saved_spec_reads_back_equal(en: str, fr: str) -> None:
    spec = AgentSpec(id="tea", title=Text(en=en, fr=fr))
    assert AgentSpec.model_validate(spec.model_dump(mode="json")) == spec


def test_the_json_schema_accepts_what_the_reader_accepts() -> None:
    schema = Draft202012Validator(json_schema())
    assert schema.is_valid(yaml.safe_load(GOOD))
    assert not schema.is_valid(yaml.safe_load(GOOD.replace("icon:", "ikon:")))
