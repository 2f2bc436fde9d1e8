"""Graders say yes to what a reader would accept and no to the rest."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from agents.evaluate import compare, evaluate, grade, numbers, refuses
from agents.spec import AgentSpec, Case, Expected, Text
from guardrails.errors import BadInput


@dataclass(frozen=True)
class Answer:
    text: str = ""
    sources: tuple[Any, ...] = ()
    steps: tuple[Any, ...] = ()
    notices: tuple[Any, ...] = ()
    status: str = "done"


@dataclass
class Oracle:
    """Answers in turn; counts how many are asked at once."""

    answers: list[Answer | Exception]
    running: int = 0
    most: int = 0
    asked: list[str] = field(default_factory=list)

    async def __call__(self, spec: AgentSpec, case: Case) -> Answer:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        self.asked.append(case.id)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def case(id: str = "one", **expect: Any) -> Case:
    return Case(id=id, input="Hello", expect=Expected.model_validate(expect))


def agent(*cases: Case) -> AgentSpec:
    return AgentSpec(id="tea", title=Text(en="Tea"), cases=cases)


@pytest.mark.parametrize(
    ("expect", "answer", "passed"),
    [
        ({"contains": ["Éléphant"]}, "un elephant", True),
        ({"contains": ["12 March"]}, "on **12 March** 2026", True),
        ({"contains": ["2"]}, "12 days", False),
        ({"contains": ["l'accord"]}, "avec l’accord", True),
        ({"contains": ["a", "b"]}, "only a", False),
        ({"any_of": ["a", "b"]}, "only b", True),
        ({"any_of": ["a", "b"]}, "c", False),
        ({"omits": ["secret"]}, "no Secret here", False),
        ({"omits": ["secret"]}, "nothing", True),
        ({"matches": [r"^Subject: .{3,}$|^Subject: \w+"]}, "Subject: Tea\nHello", True),
        ({"matches": ["("]}, "(", False),
        ({"number": {"value": 2937.6}}, "The total is £2,937.60.", True),
        ({"number": {"value": 2937.6}}, "Le total est de 2 937,60 €.", True),
        ({"number": {"value": 6}}, "You may carry over six days.", True),
        ({"number": {"value": 6}}, "26 days", False),
        ({"number": {"value": 10, "within": 0.5}}, "about 10.4", True),
        ({"number": {"value": 10, "within": 0.5}}, "about 10.6", False),
        ({"refuses": True}, "I did not find this in the handbook.", True),
        ({"refuses": True}, "Je n’ai pas trouvé cela dans le guide.", True),
        ({"refuses": True}, "The answer is 6.", False),
        ({"json_schema": {"required": ["a"]}}, 'Here: {"a": 1} done', True),
        ({"json_schema": {"required": ["b"]}}, '{"a": 1}', False),
        ({"json_schema": {}}, "{broken", False),
        ({}, "anything", True),
        ({}, "  ", False),
    ],
)
def test_what_counts_as_a_good_answer(expect: dict[str, Any], answer: str, passed: bool) -> None:
    checks = grade(case(**expect), Answer(answer))
    assert all(check.passed for check in checks) is passed


def test_sources_tools_and_masked_kinds_are_looked_at() -> None:
    reply = Answer(
        "text",
        sources=(SimpleNamespace(document="guide.docx"),),
        steps=(SimpleNamespace(kind="tool", name="python", verdict="allowed"),),
        notices=(SimpleNamespace(kind="masked", data={"kinds": ["PERSON"]}),),
    )
    good = case(cites=["guide.docx"], calls=["python"], masked=["PERSON"])
    assert all(check.passed for check in grade(good, reply))
    bad = case(cites=["other.docx"], calls=["calculator"], masked=["SECRET"])
    assert not any(check.passed for check in grade(bad, reply))


def test_a_blocked_request_counts_as_refused() -> None:
    assert grade(case(refuses=True), Answer("", status="blocked"))[0].passed


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1 250,50 EUR", [1250.5]),
        ("1.250,50 and 1,250.50", [1250.5, 1250.5]),
        ("1,250", [1.25, 1250.0]),
        ("1,250,000", [1250000.0]),
        ("-3,5 °C", [-3.5]),
        ("NB-2026-0417 has 3 rows", [2026.0, 417.0, 3.0]),
        ("deux jours, une nuit", [2.0, 1.0]),
    ],
)
def test_numbers_are_read_in_both_ways_of_writing(text: str, found: list[float]) -> None:
    assert set(found) <= set(numbers(text))


@pytest.mark.parametrize("text", ["The limit is 190 euros.", "Objet : Atelier", "Yes."])
def test_an_answer_is_not_taken_for_a_refusal(text: str) -> None:
    assert not refuses(text)


async def test_cases_run_side_by_side_but_not_too_many() -> None:
    oracle = Oracle([Answer("x")] * 6)
    seen: list[tuple[int, int]] = []
    spec = agent(*(case(f"c{n}", contains=["x"]) for n in range(6)))
    report = await evaluate(spec, oracle, parallel=3, progress=lambda *at: seen.append(at))
    assert report.rate == 1.0 and oracle.most == 3
    assert seen[-1] == (6, 6)
    assert [result.case for result in report.results] == [f"c{n}" for n in range(6)]
    assert report.content == spec.content_hash()


async def test_a_refusal_of_the_guards_is_a_failed_case_not_a_failed_run() -> None:
    oracle = Oracle([BadInput("turn-running"), Answer("x")])
    spec = agent(case("a", contains=["x"]), case("b", contains=["x"]))
    report = await evaluate(spec, oracle, parallel=1)
    assert [result.passed for result in report.results] == [False, True]
    assert report.results[0].error == "turn-running"


async def test_repeats_show_what_is_flaky() -> None:
    oracle = Oracle([Answer("x"), Answer("y"), Answer("x")])
    report = await evaluate(agent(case(contains=["x"])), oracle, repeats=3, parallel=1)
    [result] = report.results
    assert result.flaky and not result.passed and result.passes == 2
    assert result.answer == "y" and result.failures[0].wanted == "x"


async def test_two_runs_are_compared_by_case() -> None:
    spec = agent(case("a", contains=["x"]), case("b", contains=["x"]))
    before = await evaluate(spec, Oracle([Answer("x"), Answer("y")]), parallel=1)
    more = agent(case("a", contains=["x"]), case("b", contains=["x"]), case("c"))
    after = await evaluate(more, Oracle([Answer("y"), Answer("x"), Answer("z")]), parallel=1)
    assert compare(before, after) == {"a": "broken", "b": "fixed", "c": "new"}
