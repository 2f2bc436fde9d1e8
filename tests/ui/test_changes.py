"""What differs between versions is said in words: fields, choices, tools, test cases."""

from collections.abc import Iterator

import pytest
from starlette.requests import Request

from agents.catalog import templates
from agents.versions import texts
from tests.ui.fake_house import House, open_house
from ui.access import ROLES
from ui.identity import Person
from ui.messages import LANGUAGES, Language
from ui.web.components.changes import field_name, place_name, worded
from ui.web.plain import Visit


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = open_house(tmp_path_factory.mktemp("home"))
    yield opened
    opened.close()


def visit(house: House, language: Language) -> Visit:
    me = Person("p1", "Amélie Roy", "", frozenset(ROLES), language)
    return Visit(house, language, me, {}, Request({"type": "http"}))  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_of_every_template_has_a_name(house: House, language: Language) -> None:
    at = visit(house, language)
    fields = {field for spec in templates().values() for field in texts(spec)}
    assert {field for field in fields if field_name(at, field) == field} == set()


@pytest.mark.parametrize(
    ("field", "text", "shown"),
    [
        ("tools", "read_document", "Read a document"),
        ("data_class", "internal", "Internal"),
        ("languages", "fr", "Français"),
        ("limits.wall_s", "120.0", "120"),
        ("cases.hotel", 'expect: {"contains": ["190"]}', "Expected: The answer says “190”"),
        ("cases.hotel", 'files: ["en/rules.md"]', "Files: rules.md"),
        ("cases.hotel", "expect: not JSON", "Expected: not JSON"),
        ("instructions.en", "expect: nothing", "expect: nothing"),
    ],
)
def test_a_line_is_said_as_people_say_it(house: House, field: str, text: str, shown: str) -> None:
    assert worded(visit(house, "en"), field, text) == shown


def test_a_place_is_a_field_and_a_line(house: House) -> None:
    at = visit(house, "en")
    assert place_name(at, "instructions.en:3") == "Instructions (English), line 3"
    assert place_name(at, "the whole") == "the whole"


def test_the_house_is_not_asked_for_a_tool_it_does_not_have(house: House) -> None:
    assert worded(visit(house, "en"), "tools", "crm_lookup") == "crm_lookup"
