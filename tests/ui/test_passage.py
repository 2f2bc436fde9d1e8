"""What an answer rests on is marked in its source: the page's own module, run by Node."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.installed import program

MODULE = Path(__file__).parents[2] / "ui/web/static/js/passage.js"
CASES = (
    # passage, answer, number, what is marked
    (
        "Leave policy\n… and bicycles. Every employee has 47 days of leave a year. The canteen"
        " opens at 11.30. Ask HR.",
        "You have 47 days of leave [1]. The canteen opens at 11.30 [2].",
        1,
        "Every employee has 47 days of leave a year. ",
    ),
    (
        "Les visiteurs garent à droite. L’entrée ouvre à 5 h 45, sauf jours fériés. Bonne journée",
        "L'entree ouvre à 5 h 45. [1]",
        1,
        "L’entrée ouvre à 5 h 45, sauf jours fériés. ",
    ),
    ("mug | 4.50\ngolden teapot | 817.20\ncup | 3", "817.20 [3]", 3, "golden teapot | 817.20\n"),
    ("The teapot is golden. Cups are red.", "A golden teapot.", 1, "The teapot is golden. "),
    ("Nothing of it.\n\n  ...?!\n", "Other words [1].", 1, ""),
    ("", "Some words [1].", 1, ""),
    ("[1] [2] !!", "", 1, ""),
)


@pytest.fixture(scope="module")
def found() -> list[list[list[object]]]:
    given = [[passage, answer, number] for passage, answer, number, _ in CASES]
    asked = f"{json.dumps(given)}.map((one) => supporting(...one))"
    code = f"{MODULE.read_text('utf-8')}\nconsole.log(JSON.stringify({asked}))"
    # as a module, whatever Node's version
    command = [program("node"), "--input-type=module", "-e", code]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    told: list[list[list[object]]] = json.loads(said)
    return told


@pytest.mark.parametrize("at", range(len(CASES)))
def test_the_sentence_that_the_answer_rests_on_is_marked(
    found: list[list[list[object]]], at: int
) -> None:
    passage, _, _, wanted = CASES[at]
    assert "".join(str(text) for text, _ in found[at]) == passage
    assert "".join(str(text) for text, marked in found[at] if marked) == wanted
