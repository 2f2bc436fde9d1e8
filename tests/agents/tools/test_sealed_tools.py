"""Table, chart and template tools: each run is a real sealed process."""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pptx
import pytest
import pytest_asyncio

from agents.tools.base import Executed, ToolContext, ToolResult
from agents.tools.registry import call
from sandbox.described import described
from sandbox.execute import execute
from sandbox.launch.choose import choose
from sandbox.pool import Pool

SALES = "Région;Montant;Date\nNord;1 250,50;13/01/2026\nSud;300;14/01/2026\nNord;49,50;02/02/2026\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pool]:
    home = tmp_path_factory.mktemp("pool")
    pool = Pool(choose(False, home), {"data": 1}, runs=home / "runs")
    await pool.start()
    yield pool
    await pool.close()


def context(pool: Pool, files: Mapping[str, bytes]) -> ToolContext:
    async def run(code: str, _files: Mapping[str, Path]) -> Executed:
        return await execute(pool, code, files=files)

    return ToolContext(execute=run)


async def ask(pool: Pool, name: str, files: Mapping[str, bytes], **arguments: Any) -> ToolResult:
    return await call(name, arguments, context(pool, files))


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_french_csv_is_summed_by_sql(pool: Pool) -> None:
    sql = 'SELECT "Région", SUM("Montant") AS total FROM data GROUP BY 1 ORDER BY 2 DESC'
    result = await ask(pool, "query_table", {"ventes.csv": SALES.encode()}, sql=sql)
    assert result.content.splitlines() == [
        "Région | total", "Nord | 1300", "Sud | 300", "(2 rows)"
    ]  # fmt: skip


async def test_a_table_is_read_whatever_its_file_and_columns_are_called(pool: Pool) -> None:
    odd = {"sqlite_master.csv": b'"a ""b""\x00; --",n\nx,1\ny,2\n'}
    result = await ask(pool, "query_table", odd, sql="SELECT SUM(n) FROM data")
    assert result.content.endswith("\n3"), result.content
    drawn = await ask(pool, "chart", odd, kind="bar", x="a 'b'; --", y="n")
    assert drawn.ok, drawn.content


async def test_dates_with_the_day_first_compare_as_dates(pool: Pool) -> None:
    sql = "SELECT COUNT(*) FROM data WHERE \"Date\" >= '2026-01-14'"
    result = await ask(pool, "query_table", {"v.csv": SALES.encode()}, sql=sql)
    assert result.content.endswith("\n2")


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM data",
        "DROP TABLE data_1",
        "ATTACH 'x.db' AS x",
        "PRAGMA table_info(data)",
        "SELECT load_extension('x')",
        "INSERT INTO data VALUES (1,2,3)",
        "SELECT 1; SELECT 2",
        "CREATE TABLE other (a)",
        "VACUUM INTO 'out.db'",
    ],
)
async def test_a_query_that_does_more_than_read_is_refused(pool: Pool, sql: str) -> None:
    result = await ask(pool, "query_table", {"v.csv": SALES.encode()}, sql=sql)
    assert not result.ok and result.artefacts == ()


async def test_a_wrong_column_is_told_with_the_columns_there_are(pool: Pool) -> None:
    result = await ask(pool, "query_table", {"v.csv": SALES.encode()}, sql="SELECT Prix FROM data")
    assert not result.ok and '"Montant" number' in result.content and "Prix" in result.content


async def test_rows_are_bounded_and_said_to_be(pool: Pool) -> None:
    rows = "n\n" + "\n".join(map(str, range(500)))
    result = await ask(pool, "query_table", {"n.csv": rows.encode()}, sql="SELECT n FROM data")
    assert "only the first 60 rows" in result.content


async def test_an_endless_query_is_stopped(pool: Pool) -> None:
    sql = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT COUNT(*) FROM c"
    result = await ask(pool, "query_table", {"v.csv": SALES.encode()}, sql=sql)
    assert not result.ok and "too long" in result.content


async def test_a_workbook_has_one_table_for_each_sheet(pool: Pool) -> None:
    book = openpyxl.Workbook()
    first: Any = book.active
    first.append(["city", "people"])
    first.append(["Lyon", 5])
    second = book.create_sheet("Plan 2")
    second.append(["city", "people"])
    second.append(["Nice", 7])
    out = io.BytesIO()
    book.save(out)
    result = await ask(
        pool, "query_table", {"Staff.xlsx": out.getvalue()}, sql="SELECT * FROM staff_plan_2"
    )
    assert result.content.splitlines()[-1] == "Nice | 7"


async def test_a_telephone_number_stays_text(pool: Pool) -> None:
    rows = b"name,phone\nA,0612345678\n"
    result = await ask(pool, "query_table", {"p.csv": rows}, sql="SELECT phone FROM data")
    assert "0612345678" in result.content


async def test_a_chart_comes_with_its_words_and_its_figures(pool: Pool) -> None:
    result = await ask(
        pool, "chart", {"v.csv": SALES.encode()}, kind="bar", x="région", y="Montant"
    )
    assert "Alternative text: bar chart" in result.content and "Nord | 1300" in result.content
    made = {one.name: one for one in result.artefacts}
    assert made["chart.png"].data.startswith(b"\x89PNG") and set(made) == {"chart.png", "chart.csv"}
    assert list(csv.reader(io.StringIO(made["chart.csv"].data.decode())))[1] == ["Nord", "1300"]


@pytest.mark.parametrize("kind", ["line", "pie", "scatter", "histogram"])
async def test_every_kind_of_chart_can_be_drawn(pool: Pool, kind: str) -> None:
    given = (
        {"x": "Montant", "y": "Montant"} if kind == "scatter" else {"x": "Région", "y": "Montant"}
    )
    given = {"x": "Montant"} if kind == "histogram" else given
    result = await ask(pool, "chart", {"v.csv": SALES.encode()}, kind=kind, **given)
    assert result.ok, result.content
    (made,) = (one for one in result.artefacts if one.name == "chart.png")
    assert described("image/png", made.data)["kind"] == kind


async def test_a_chart_of_words_is_refused_with_the_reason(pool: Pool) -> None:
    sql = 'SELECT "Région", "Région" FROM data'
    result = await ask(pool, "chart", {"v.csv": SALES.encode()}, kind="bar", sql=sql)
    assert not result.ok and "not a number" in result.content


def letter() -> bytes:
    document = docx.Document()
    paragraph = document.add_paragraph("Dear {{cust")
    paragraph.add_run("omer}}, you owe {{amount}}.").bold = True
    document.add_table(1, 1).cell(0, 0).text = "Ref {{ref}}"
    document.sections[0].header.paragraphs[0].text = "{{company}}"
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


async def test_a_word_template_is_filled_everywhere(pool: Pool) -> None:
    # what may not stand in XML is left out of a value, and no value is filled in turn
    values = {"Customer": "A\x00da\x1b", "amount": 12.5, "company": "Example Ltd"}
    result = await ask(pool, "fill_template", {"letter.docx": letter()}, values=values)
    (made,) = result.artefacts
    document = docx.Document(io.BytesIO(made.data))
    assert made.name == "letter-filled.docx"
    assert document.paragraphs[0].text == "Dear Ada, you owe 12.5."
    assert document.sections[0].header.paragraphs[0].text == "Example Ltd"
    assert "Still to fill: ref" in result.content


async def test_without_values_the_names_are_listed(pool: Pool) -> None:
    result = await ask(pool, "fill_template", {"letter.docx": letter()})
    assert "amount, customer, ref, company" in result.content and result.artefacts == ()


async def test_a_powerpoint_template_is_filled(pool: Pool) -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[0])
    slide.shapes.title.text = "Plan of {{team}}"
    out = io.BytesIO()
    deck.save(out)
    result = await ask(pool, "fill_template", {"p.pptx": out.getvalue()}, values={"team": "Sales"})
    (made,) = result.artefacts
    assert pptx.Presentation(io.BytesIO(made.data)).slides[0].shapes.title.text == "Plan of Sales"


async def test_a_value_in_a_workbook_never_becomes_a_formula(pool: Pool) -> None:
    book = openpyxl.Workbook()
    first: Any = book.active
    first["A1"], first["A2"] = "{{name}}", "{{total}}"
    out = io.BytesIO()
    book.save(out)
    values = {"name": "=HYPERLINK(1)", "total": 42}
    result = await ask(pool, "fill_template", {"b.xlsx": out.getvalue()}, values=values)
    sheet: Any = openpyxl.load_workbook(io.BytesIO(result.artefacts[0].data)).active
    assert sheet["A1"].data_type == "s" and sheet["A2"].value == 42


async def test_a_broken_template_is_an_answer_and_no_crash(pool: Pool) -> None:
    result = await ask(pool, "fill_template", {"b.docx": b"PK\x03\x04rest"}, values={"a": "b"})
    assert not result.ok and result.artefacts == ()
