"""Reading a model's proposal for an agent: strict in what is kept, patient with how it is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.drafting import drafter, read_draft
from guardrails.errors import BadInput

GOOD = """NAME: Travel policy guide
PURPOSE: Answers questions on trips.
CATEGORY: hr
TOOLS: search_documents, current_date
INSTRUCTIONS:
- Answer from the documents only.
- Say which page.
STARTERS:
- May I book first class?
- How much for a dinner?"""


def test_a_whole_proposal_is_read() -> None:
    draft = read_draft(GOOD)
    assert (draft.title, draft.category) == ("Travel policy guide", "hr")
    assert draft.tools == ("search_documents", "current_date")
    assert draft.instructions.splitlines() == [
        "- Answer from the documents only.",
        "- Say which page.",
    ]
    assert draft.starters == ("May I book first class?", "How much for a dinner?")
    assert draft.left_out == ()


def test_markdown_and_numbers_around_the_headings_do_no_harm() -> None:
    dressed = GOOD.replace("NAME:", "**NAME:**").replace("STARTERS:", "## STARTERS:")
    dressed = dressed.replace("- May", "1. May")
    draft = read_draft(f"```\n{dressed}\n```")
    assert draft.title == "Travel policy guide"
    assert draft.starters[0] == "May I book first class?"


def test_unknown_tools_and_categories_are_left_out_and_said() -> None:
    draft = read_draft("NAME: X\nCATEGORY: space\nTOOLS: rocket, calculator\nINSTRUCTIONS:\n- Go.")
    assert draft.tools == ("calculator",)
    assert draft.category == "everyday"
    assert set(draft.left_out) == {"CATEGORY", "PURPOSE", "STARTERS"}


def test_small_talk_is_no_proposal() -> None:
    with pytest.raises(BadInput, match="draft-unreadable"):
        read_draft("Sure! What would you like?")


@given(st.text(max_size=2000))
def test_any_answer_is_read_or_refused(answer: str) -> None:
    try:
        draft = read_draft(answer)
    except BadInput:
        return
    assert len(draft.title) <= 80
    assert len(draft.instructions) <= 8000


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_drafter_may_use_no_tool(language: str) -> None:
    spec = drafter(language)
    assert spec.tools == ()
    assert "INSTRUCTIONS:" in spec.instructions.to(language)
