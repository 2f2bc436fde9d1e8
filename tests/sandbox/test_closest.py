"""A small model is told once more the lines that a question is about."""

from sandbox.closest import closest

OFFERS = """Sample data

Alder Seating
Delivery: 5 weeks after the order.
Warranty: 3 years.

Bergmann Office
Delivery: 3 weeks after the order.
Warranty: 5 years on all parts.
The chairs can be repaired."""
CLAIM = "\n".join(f"- No.: {row}; What: lunch {row}; Receipt: yes" for row in range(1, 8))


def test_the_line_that_shares_the_rare_words_is_told() -> None:
    assert closest([OFFERS], "Can they be repaired?") == [
        "Bergmann Office: The chairs can be repaired."
    ]


def test_a_line_is_told_with_its_section_which_tells_two_offers_apart() -> None:
    told = closest([OFFERS], "Which warranty does Bergmann give?")
    assert "Bergmann Office: Warranty: 5 years on all parts." in told
    assert "Alder Seating: Warranty: 3 years." in told


def test_rows_that_say_the_same_are_told_together_or_not_at_all() -> None:
    assert closest([CLAIM], "Which one has no receipt?") == []


def test_a_question_about_something_else_finds_no_line() -> None:
    assert closest([OFFERS], "Which insurance must the cleaner have?") == []
    assert closest([], "Anything?") == []
    assert closest([""], "") == []


def test_two_forms_of_a_french_word_are_one() -> None:
    notes = "Notes\n\nKarim relit la page.\nLe prix peut augmenter de 8 %.\nSophie enregistre."
    assert closest([notes], "Quelle augmentation est possible ?") == [
        "Le prix peut augmenter de 8 %."
    ]
