"""The 1.5B through the whole product: questions that it once answered wrongly though it had read
the answer. All other cases of the templates are in `python -m bench.agents cases`.
"""

import pytest

from agents.catalog import templates
from agents.evaluate import run_case
from bench.agent_cases import house

pytestmark = [pytest.mark.model, pytest.mark.timeout(900)]
ONCE_WRONG = {
    "hr-policy-helper/teletravail": "of four passages it took the wrong one, or none",
    "expense-checker/sans-justificatif": "it named another line of the table",
}


async def test_what_the_document_says_is_what_it_answers_in_french_too() -> None:
    wrong = {}
    async with house("practice") as (ask, _):
        for name in ONCE_WRONG:
            template, _, wanted = name.partition("/")
            spec = templates()[template]
            case = next(one for one in spec.cases if one.id == wanted)
            result = await run_case(spec, ask, case)
            if not result.passed:
                wrong[name] = result.answer
    assert wrong == {}
