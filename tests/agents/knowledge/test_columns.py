"""A PDF's tables keep their columns; all else stays as it was."""

from pathlib import Path

import pytest
from fpdf import FPDF

from agents.catalog import sample_path
from agents.knowledge.parse import parse_file


@pytest.mark.parametrize(
    ("sample", "head", "row"),
    [
        (
            "en/invoice.pdf",
            "| Description | Quantity | Unit price | Amount |",
            "| Office chair, model Arc | 6 | £189.00 | £1,134.00 |",
        ),
        (
            "fr/facture.pdf",
            "| Désignation | Quantité | Prix unitaire HT | Montant HT |",
            "| Fauteuil de bureau, modèle Loire | 5 | 198,00 EUR | 990,00 EUR |",
        ),
    ],
)
def test_the_lines_of_an_invoice_stand_under_their_headings(
    sample: str, head: str, row: str
) -> None:
    lines = parse_file(sample_path(sample))[0]["text"].split("\n")
    at = lines.index(head)
    assert lines[at + 1] == "| --- | --- | --- | --- |"
    assert lines[at + 2] == row
    assert lines[at + 6].startswith(("Total before VAT", "Total HT"))


def test_a_page_of_sentences_is_not_taken_for_a_table(tmp_path: Path) -> None:
    page = FPDF()
    page.set_font("Helvetica", size=10)
    page.add_page()
    for number in range(6):
        page.multi_cell(0, 5, f"In {2020 + number} we sold {number * 7} chairs and {number} desks.")
        page.ln(5)
    file = tmp_path / "years.pdf"
    page.output(str(file))
    text = parse_file(file)[0]["text"]
    assert "|" not in text and text.count("chairs") == 6


def test_rows_without_a_heading_stay_lines(tmp_path: Path) -> None:
    page = FPDF()
    page.set_font("Helvetica", size=10)
    page.add_page()
    for number in range(3):
        for cell in (f"No. {number}", f"{number}.50", f"{number * 3}.00"):
            page.cell(50, 8, cell)
        page.ln(8)
    file = tmp_path / "figures.pdf"
    page.output(str(file))
    assert "|" not in parse_file(file)[0]["text"]
