"""Tools: strict arguments, clear words for the model, nothing that is not listed."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from agents.tools.base import Passage, ToolContext
from agents.tools.registry import TOOLS, call, described
from ui.messages import LANGUAGES, catalogue

TUESDAY = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)


class Shelf:
    """Two passages of one document."""

    def search(self, query: str, k: int = 5) -> list[Passage]:
        found = [
            Passage("guide.pdf", 2, "Leave is 27 days.", 0.9),
            Passage("guide.pdf", None, "Ask <PERSON_1>.", 0.5),
        ]
        return found[:k] if "leave" in query else []

    def names(self) -> list[str]:
        return ["guide.pdf"]

    def text(self, name: str) -> str | None:
        return "abcdefghij" * 1000 if name == "guide.pdf" else None


@dataclass(frozen=True)
class Picture:
    name: str = "chart.png"


@dataclass(frozen=True)
class Ended:
    status: str
    output: str
    artefacts: tuple[Any, ...] = ()


def context(**given: Any) -> ToolContext:
    return ToolContext(now=lambda: TUESDAY, **given)


@pytest.mark.parametrize("tool", TOOLS.values(), ids=lambda tool: tool.name)
def test_a_tool_is_described_for_the_model_and_for_people(tool: Any) -> None:
    Draft202012Validator.check_schema(tool.parameters)
    assert tool.parameters["additionalProperties"] is False
    for language in LANGUAGES:
        words = catalogue(language)
        assert {tool.label_key, tool.label_key + ".sees", f"side-effect.{tool.side_effect}"} <= set(
            words
        )


@pytest.mark.parametrize(
    ("name", "arguments", "part"),
    [
        ("calculator", {}, "required argument is missing"),
        ("calculator", {"expression": 3}, "expression must be of type string"),
        ("calculator", {"expression": "1", "x": 1}, "does not have"),
        ("calculator", "1+1", "JSON object"),
        ("calculator", None, "JSON object"),
        ("calculator", {"expression": "9" * 401}, "maxLength"),
        ("current_date", {"add_days": 10**9}, "maximum"),
        ("current_date", {"add_days": True}, "integer"),
        ("send_mail", {}, "no tool of that name"),
        ("search_documents", {"query": ""}, "minLength"),
    ],
)
async def test_wrong_calls_are_explained_not_run(name: str, arguments: Any, part: str) -> None:
    result = await call(name, arguments, context())
    assert not result.ok and part in result.content


@pytest.mark.parametrize(
    "detail", ["<PERSON_1>", "%3Cperson_12%3e", "<EMAIL_ADDRESS_3B>", "<A1_2AB>"]
)
async def test_no_address_is_read_that_holds_a_personal_detail(detail: str) -> None:
    result = await call("web_fetch", {"address": f"https://example.com/?q={detail}"}, context())
    assert not result.ok and "personal details" in result.content


async def test_a_tool_that_the_agent_does_not_have_is_not_run() -> None:
    result = await call("python", {"code": "print(1)"}, context(), allowed=["calculator"])
    assert not result.ok and "calculator" in result.content


async def test_a_wrong_value_is_not_repeated_to_the_model() -> None:
    result = await call("calculator", {"expression": {"secret": "hunter2"}}, context())
    assert "hunter2" not in result.content


@pytest.mark.parametrize(
    ("arguments", "language", "answer"),
    [
        ({}, "en", "Tuesday 24 November 2026 (2026-11-24, week 48)"),
        ({"add_days": 7}, "fr", "mardi 1er décembre 2026 (2026-12-01, semaine 49)"),
        ({"add_working_days": 4}, "en", "Monday 30 November 2026 (2026-11-30, week 49)"),
        ({"add_working_days": -2}, "en", "Friday 20 November 2026 (2026-11-20, week 47)"),
        (
            {"from_date": "2026-01-31", "add_months": 1},
            "en",
            "Saturday 28 February 2026 (2026-02-28, week 9)",
        ),
    ],
)
async def test_dates_are_spelt_with_their_weekday(
    arguments: Mapping[str, Any], language: str, answer: str
) -> None:
    result = await call("current_date", arguments, context(language=language))
    assert result.content == answer


@pytest.mark.parametrize(
    "arguments",
    [
        {"from_date": "31/01/2026"},
        {"from_date": "2026-02-30"},
        {"from_date": "9999-12-31", "add_days": 1},
        {"from_date": "0001-01-01", "add_months": -1},
    ],
)
async def test_a_date_that_does_not_exist_is_refused(arguments: Mapping[str, Any]) -> None:
    assert not (await call("current_date", arguments, context())).ok


async def test_found_passages_are_numbered_on_from_the_last_citation() -> None:
    given = context(documents=Shelf(), first_source=3)
    result = await call("search_documents", {"query": "leave"}, given)
    assert [(one.number, one.document, one.page) for one in result.sources] == [
        (3, "guide.pdf", 2),
        (4, "guide.pdf", None),
    ]
    assert "[3] guide.pdf, page 2\nLeave is 27 days." in result.content


async def test_nothing_found_tells_the_model_not_to_guess() -> None:
    result = await call("search_documents", {"query": "weather"}, context(documents=Shelf()))
    assert result.sources == () and "do not guess" in result.content


@pytest.mark.parametrize("name", ["search_documents", "read_document"])
async def test_without_a_document_the_model_is_told_to_ask_for_one(name: str) -> None:
    arguments = {"query": "leave"} if name == "search_documents" else {}
    result = await call(name, arguments, context())
    assert not result.ok and "ask the person" in result.content


async def test_a_long_document_is_read_in_parts() -> None:
    given = context(documents=Shelf())
    first = await call("read_document", {"document": "guide.pdf"}, given)
    assert "4000 characters follow; read on with start=6000" in first.content
    second = await call("read_document", {"start": 6000}, given)
    assert "follow" not in second.content
    other = await call("read_document", {"document": "other"}, given)
    assert not other.ok and "guide.pdf" in other.content


async def test_python_runs_in_the_seal_only(tmp_path: Path) -> None:
    seen: list[tuple[str, Mapping[str, Path]]] = []

    async def execute(code: str, files: Mapping[str, Path]) -> Ended:
        seen.append((code, files))
        return Ended("ok", "42\n", (Picture(),))

    files = {"sales.csv": tmp_path / "sales.csv"}
    given = context(execute=execute, files=files)
    result = await call("python", {"code": "```python\nprint(42)\n```"}, given)
    assert seen == [("print(42)", files)]
    assert result.content == "42\nFiles made: chart.png" and result.code == "print(42)"
    nowhere = await call("python", {"code": "print(1)"}, context())
    assert not nowhere.ok


@pytest.mark.parametrize("status", ["timeout", "memory", "killed", "error"])
async def test_a_failed_run_says_why_and_shows_the_output(status: str) -> None:
    async def execute(code: str, files: Mapping[str, Path]) -> Ended:
        return Ended(status, "Traceback: " + "x" * 20000)

    result = await call("python", {"code": "1/0"}, context(execute=execute))
    assert not result.ok and result.content.startswith("ERROR: the code")
    assert "(cut)" in result.content and len(result.content) < 7000


def test_tools_are_described_in_the_order_asked_for() -> None:
    assert [one["name"] for one in described(["python", "calculator", "none"])] == [
        "python",
        "calculator",
    ]
