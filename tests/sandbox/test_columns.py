"""A small model is told what stands in the columns of a table that it will ask."""

from sandbox.columns import values

SALES = """Sales
Order | Product | Quantity | Buyer
S-1 | Lamp | 3 | Anna
S-2 | Desk | 8 | Paul
S-3 | Lamp | 9 | Ines
S-4 | Desk | 1 | Marc"""


def test_kinds_that_come_again_are_listed_and_names_and_numbers_are_not() -> None:
    assert values(SALES) == ["Column Product holds Desk, Lamp"]


def test_a_text_without_a_table_has_no_columns() -> None:
    assert values("no table") == []
    assert values("a | b\n1 | 2") == []


def test_rows_of_another_length_are_left_out() -> None:
    assert values(SALES + "\nTotal | 21") == ["Column Product holds Desk, Lamp"]
