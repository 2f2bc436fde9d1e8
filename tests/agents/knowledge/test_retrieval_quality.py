"""The figure that README and bench give for retrieval holds."""

import pytest

from bench.agents import retrieval


@pytest.mark.heavy
async def test_the_right_passage_is_among_the_first_five_for_nine_of_ten_questions() -> None:
    assert await retrieval() >= 0.9
