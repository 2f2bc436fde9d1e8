"""Wording: both languages, the same keys, the same fields, and no error code without words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from ui.messages import LANGUAGES, catalogue

ROOT = Path(__file__).parents[2]
FLOORS = ("guardrails", "agents", "sandbox", "ui")
# codes that never reach a person under their own name: base classes, and the inside of the seal
UNSPOKEN = {"guardrail"}
FAMILY = re.compile(
    r"^(?!WireError|LaunchFailed).*(Error|Failed|Denied|Unavailable|Input|NotPermitted|Seal|Closed)$"
)


def source_files() -> Iterator[Path]:
    for floor in FLOORS:
        yield from (ROOT / floor).rglob("*.py")


def codes(tree: ast.AST) -> Iterator[str]:
    """Codes given to an exception's constructor, and `code = "..."` of exception classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            first = node.args[0] if node.args else None
            if FAMILY.search(name) and isinstance(first, ast.Constant):
                value = first.value
                if isinstance(value, str) and re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", value):
                    yield value
        if isinstance(node, ast.ClassDef):
            for line in node.body:
                if (
                    isinstance(line, ast.Assign)
                    and isinstance(line.targets[0], ast.Name)
                    and line.targets[0].id == "code"
                    and isinstance(line.value, ast.Constant)
                ):
                    yield str(line.value.value)


def all_codes() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in source_files():
        for code in codes(ast.parse(file.read_text("utf-8"))):
            found.setdefault(code, str(file.relative_to(ROOT)))
    return found


def fields(message: str | dict[str, str]) -> list[set[str]]:
    forms = message.values() if isinstance(message, dict) else [message]
    return [{name for _, name, _, _ in Formatter().parse(form) if name} for form in forms]


def test_codes_are_found() -> None:
    assert {"screen-failed", "not-permitted", "bad-setting", "too-large"} <= set(all_codes())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_code_has_wording(language: str) -> None:
    known = catalogue("fr" if language == "fr" else "en")
    missing = {
        code: where
        for code, where in all_codes().items()
        if f"error.{code}" not in known and code not in UNSPOKEN
    }
    assert missing == {}


def test_both_languages_have_the_same_keys() -> None:
    english, french = catalogue("en"), catalogue("fr")
    assert sorted(set(english) ^ set(french)) == []


def test_both_languages_fill_the_same_fields() -> None:
    english, french = catalogue("en"), catalogue("fr")
    different = {
        key: (fields(english[key]), fields(french[key]))
        for key in english.keys() & french.keys()
        if set().union(*fields(english[key])) != set().union(*fields(french[key]))
    }
    assert different == {}


def test_plurals_have_both_forms_in_both_languages() -> None:
    for language in LANGUAGES:
        for key, message in catalogue(language).items():
            if isinstance(message, dict):
                assert set(message) == {"one", "other"}, key
            assert message, key


def test_sentences_are_translated() -> None:
    english, french = catalogue("en"), catalogue("fr")
    same = {
        key
        for key, message in english.items()
        if french.get(key) == message and isinstance(message, str) and message.count(" ") > 3
    }
    assert same == set()


def test_french_errors_say_vous_and_use_typographic_apostrophes() -> None:
    wrong = {
        key: message
        for key, message in catalogue("fr").items()
        if isinstance(message, str)
        and (
            re.search(r"\b(tu|ton|ta|tes)\b", message, re.I) or re.search(r"[a-z]'[a-zé]", message)
        )
    }
    assert wrong == {}


# an ordinary space would let the line break before the sign, and a missing one is a misprint
LOOSE = re.compile(
    r"[ \u00a0][:;!?»%](?!\w)|«(?!\u202f)|(?<!\u202f)»|(?<!\u202f)[;!?](?=\s|$)|\w:(?=\s|$)"
)


def test_french_punctuation_stands_behind_narrow_no_break_spaces() -> None:
    wrong = {
        key: form
        for key, message in catalogue("fr").items()
        for form in (message.values() if isinstance(message, dict) else [message])
        if LOOSE.search(form)
    }
    assert wrong == {}
