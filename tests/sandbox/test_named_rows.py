"""A small model reads a table row by row."""

from sandbox.named_rows import named_rows

CLAIM = """Claim of Ann

| No. | What | Receipt |
| --- | --- | --- |
| 1 | Train | yes |
| 2 | Lunch | |

Total: 20 euros | all in all"""


def test_every_cell_stands_beside_the_name_of_its_column() -> None:
    assert named_rows(CLAIM) == (
        "Claim of Ann\n\n- No.: 1; What: Train; Receipt: yes\n- No.: 2; What: Lunch\n\n"
        "Total: 20 euros | all in all"
    )


def test_lines_with_bars_that_are_no_table_stay() -> None:
    assert named_rows("| a | b |\n| c | d |") == "| a | b |\n| c | d |"
    assert named_rows("no table") == "no table"


def test_rows_with_fewer_or_more_cells_than_columns_lose_nothing() -> None:
    text = "| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |"
    assert named_rows(text) == "- a: 1\n| 1 | 2 | 3 |"
