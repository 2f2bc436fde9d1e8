"""Make the sample documents of the templates: invented companies, example.com addresses.

Run as `python examples/make_samples.py`; the results are committed, so this is only needed when
a text changes. The PDFs use the built-in Helvetica (Latin-1).
"""

import datetime as dt
import random
from pathlib import Path
from typing import Any

import docx
import yaml
from fpdf import FPDF
from openpyxl import Workbook
from openpyxl.styles import Font

HERE = Path(__file__).parent
OUT = HERE.parent / "agents" / "templates" / "samples"
FIXED = dt.datetime(2026, 1, 5, 9, 0, tzinfo=dt.UTC)  # so that a second run gives the same files


def word(source: Path, target: Path) -> None:
    """A Word document from Markdown with `#` headings, `- ` bullets and `---` page breaks."""
    out = docx.Document()
    out.core_properties.created = out.core_properties.modified = FIXED
    out.core_properties.author = "Sample"
    for block in source.read_text("utf-8").split("\n\n"):
        block = block.strip()
        if block == "---":
            out.add_page_break()
        elif block.startswith("#"):
            marks, _, title = block.partition(" ")
            out.add_heading(title, level=min(len(marks) - 1, 3))
        elif block.startswith("- "):
            for line in block.splitlines():
                out.add_paragraph(line.removeprefix("- "), style="List Bullet")
        elif block:
            out.add_paragraph(" ".join(block.splitlines()))
    out.save(str(target))


def paper(title: str) -> FPDF:
    """An empty A4 document."""
    pdf = FPDF()
    pdf.set_creation_date(FIXED)
    pdf.set_title(title)
    pdf.set_margins(20, 18)
    pdf.set_auto_page_break(True, 20)
    return pdf


def note(pdf: FPDF, text: str) -> None:
    """The line that marks a page as sample data."""
    pdf.set_font("Helvetica", "I", 9)
    pdf.set_text_color(120)
    pdf.cell(0, 6, text, new_x="LMARGIN", new_y="NEXT")
    pdf.set_text_color(20)


def line(pdf: FPDF, text: str, size: int = 11, bold: bool = False, gap: float = 6) -> None:
    """One line or paragraph."""
    pdf.set_font("Helvetica", "B" if bold else "", size)
    pdf.multi_cell(0, gap, text.replace("’", "'"), new_x="LMARGIN", new_y="NEXT")


def invoice(values: dict[str, Any], target: Path) -> None:
    """An invoice with a table of items; sums are worked out here, to the cent."""
    pdf = paper(values["title"])
    pdf.add_page()
    note(pdf, values["sample"])
    line(pdf, values["supplier"], 16, True, 9)
    for text in values["address"]:
        line(pdf, text, 10, gap=5)
    pdf.ln(6)
    line(pdf, values["title"], 20, True, 11)
    for label, value in values["facts"].items():
        pdf.set_font("Helvetica", "B", 10)
        pdf.cell(48, 6, label)
        pdf.set_font("Helvetica", "", 10)
        pdf.cell(0, 6, str(value), new_x="LMARGIN", new_y="NEXT")
    pdf.ln(4)
    widths = (84, 22, 32, 32)
    pdf.set_font("Helvetica", "B", 10)
    for width, text in zip(widths, values["columns"], strict=True):
        pdf.cell(width, 8, text, border="B", align="L" if width == 84 else "R")
    pdf.ln()
    pdf.set_font("Helvetica", "", 10)
    for row in values["rows"]:
        for width, text in zip(widths, row, strict=True):
            pdf.cell(width, 7, str(text), align="L" if width == 84 else "R")
        pdf.ln()
    pdf.ln(3)
    for label, value in values["totals"].items():
        pdf.set_font("Helvetica", "B", 10)
        pdf.cell(138, 7, label, align="R")
        pdf.cell(32, 7, str(value), align="R", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(6)
    for text in values["footer"]:
        line(pdf, text, 10, gap=5)
    pdf.output(str(target))


def offers(values: dict[str, Any], target: Path) -> None:
    """One page for each offer."""
    pdf = paper(values["title"])
    for offer in values["offers"]:
        pdf.add_page()
        note(pdf, values["sample"])
        line(pdf, offer["supplier"], 16, True, 10)
        for text in offer["text"]:
            line(pdf, text)
            pdf.ln(2)
    pdf.output(str(target))


def sales(values: dict[str, Any], target: Path) -> None:
    """Sixty orders from a fixed recipe, so that every sum is known."""
    book = Workbook()
    book.properties.created = book.properties.modified = FIXED.replace(tzinfo=None)
    sheet: Any = book.active
    sheet.title = values["sheet"]
    sheet.append(values["columns"])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    dice = random.Random(2026)  # noqa: S311 - sample figures, not secrets
    for number in range(60):
        product, price = values["products"][dice.choice((0, 0, 1, 1, 2, 3, 4))]
        place = dice.choice((0, 0, 1, 2, 3))
        region = values["regions"][place]
        quantity = dice.randint(2, 9)
        day = dt.date(2026, 1, 5) + dt.timedelta(days=number * 3)
        sheet.append(
            [
                day,
                f"S-{1001 + number}",
                region,
                product,
                quantity,
                price,
                round(quantity * price, 2),
            ]
        )
    for column, width in zip("ABCDEFG", (12, 10, 12, 18, 10, 12, 12), strict=True):
        sheet.column_dimensions[column].width = width
    book.save(target)


def main() -> None:
    """Write every sample."""
    for language in ("en", "fr"):
        values = yaml.safe_load((HERE / "samples" / f"{language}.yaml").read_text("utf-8"))
        out = OUT / language
        word(HERE / "samples" / values["handbook"]["source"], out / values["handbook"]["file"])
        invoice(values["invoice"], out / values["invoice"]["file"])
        offers(values["offers"], out / values["offers"]["file"])
        sales(values["sales"], out / values["sales"]["file"])


if __name__ == "__main__":
    main()
