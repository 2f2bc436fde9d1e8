"""What the check before a review counts in documents: kinds and numbers, never content."""

from agents.publishing_checks import in_documents
from guardrails.screen import Screen


def test_personal_data_in_documents_is_counted_once_a_person_and_never_quoted() -> None:
    passages = [
        "Ask <PERSON_1> or <PERSON_1B> (<EMAIL_ADDRESS_1>).",
        "<PERSON_2> and <PERSON_1>; the form says <LITERAL_1>, person 3 is on page 4.",
    ]
    found = in_documents(["Contract of Mrs Claire Fontaine.pdf", "tax.md"], passages, Screen())
    assert found == [
        {"field": "knowledge", "kinds": {"PERSON": 1}},
        {"field": "documents", "kinds": {"PERSON": 2, "EMAIL_ADDRESS": 1}},
    ]
    assert in_documents([], ["Leave is 47 days."], Screen()) == []
