"""A small model is told a table that a tool returned row by row."""

from sandbox.broker.returned import MOST, rows, told

RESULT = "[DATA]\n\nItem | Stock\nLamp | 3\nDesk | 0\n(2 rows)\n\n[END]"


def test_rows_are_numbered_and_each_cell_stands_beside_its_column() -> None:
    assert told(RESULT) == (
        "[DATA]\n\n1. Item: Lamp; Stock: 3\n2. Item: Desk; Stock: 0\n(2 rows)\n\n[END]"
    )
    assert rows(RESULT) == 2


def test_anything_else_stays_as_it_is() -> None:
    for text in ("13", "Item\nLamp\n(1 row)", "(2 rows)", "a | b\n1 | 2 | 3\n1 | 2\n(2 rows)"):
        assert told(text) == text


def test_many_rows_are_no_list() -> None:
    many = "a | b\n" + "1 | 2\n" * (MOST + 1) + f"({MOST + 1} rows)"
    assert (told(many), rows(many)) == (many, 0)
