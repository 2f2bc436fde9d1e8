"""Uploaded files are hostile: each gives text or one clear code, quickly."""

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pypdf
import pytest
from fpdf import FPDF
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.catalog import SAMPLES
from agents.knowledge.parse import CODES, MAX_FILE, ParseError, parse_file
from ui.messages import LANGUAGES, say


def pdf(*pages: str) -> bytes:
    made = FPDF()
    made.set_font("Helvetica", size=12)
    for text in pages:
        made.add_page()
        made.multi_cell(0, 8, text)
    return bytes(made.output())


def encrypted_pdf(password: str) -> bytes:
    writer = pypdf.PdfWriter(io.BytesIO(pdf("secret")))
    writer.encrypt(password, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def packed(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, data in members.items():
            pack.writestr(name, data)
    return out.getvalue()


def word(*lines: str) -> bytes:
    out = io.BytesIO()
    document = docx.Document()
    for line in lines:
        document.add_paragraph(line)
    table = document.add_table(1, 2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "left", "right"
    document.save(out)
    return out.getvalue()


def excel(rows: list[list[object]]) -> bytes:
    out = io.BytesIO()
    book = openpyxl.Workbook()
    for row in rows:
        assert book.active is not None
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def read(tmp_path: Path, name: str, data: bytes) -> str:
    file = tmp_path / name
    file.write_bytes(data)
    return "\n---\n".join(part["text"] for part in parse_file(file))


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.txt", b"Plain text", "Plain text"),
        ("a.txt", "Été à Noël, 3 €".encode(), "Été à Noël, 3 €"),
        ("a.txt", "\ufeffÉté".encode(), "Été"),
        ("a.txt", "Un été à la campagne, déjà bien commencé.".encode("latin-1"), "été à la"),
        ("a.txt", "Prix : 12 € – « été »".encode("cp1252"), "12 € – « été »"),
        ("a.txt", "Été".encode("utf-16"), "Été"),
        ("a.txt", "Summer at the sea".encode("utf-16-le"), "Summer at the sea"),
        ("a.txt", "Summer at the sea".encode("utf-16-be"), "Summer at the sea"),
        ("a.md", b"# Title\r\n\r\n\r\n\r\nText\x00 with\x07 bells", "# Title\n\nText with bells"),
        ("a.csv", b"name;amount\nA;1,5\nB;2,5\n", "name | amount\nA | 1,5\nB | 2,5"),
        ("a.csv", b'"x, y",1\n"multi\nline",2\n', "x, y | 1\nmulti line | 2"),
        ("a.tsv", b"a\tb\n1\t2\n", "a | b\n1 | 2"),
        ("a.html", b"<h2>T</h2><script>bad()</script><p>One</p><li>two", "## T\n\nOne\n\n- two"),
        ("a.dat", b"<!DOCTYPE html><p>Hello &amp; bye</p>", "Hello & bye"),
        ("a.eml", b"From: a@example.com\nSubject: Hi\n\nBody", "Subject: Hi\n\nBody"),
        ("a.eml", b"From: x\nContent-Type: text/html\n\n<b>Bold</b>", "From: x\n\nBold"),
        ("a.pdf", pdf("Page one", "Page two"), "Page one\n---\nPage two"),
        ("renamed.txt", pdf("A PDF after all"), "A PDF after all"),
        ("a.docx", word("Hello", "there"), "Hello\n\nthere\n\nleft | right"),
        ("a.xlsx", excel([["n", "v"], [1, 2.5], ["=1+1", None]]), "# Sheet\nn | v\n1 | 2.5"),
    ],
)  # fmt: skip
def test_documents_become_text(tmp_path: Path, name: str, data: bytes, text: str) -> None:
    assert text in read(tmp_path, name, data)


def test_a_stray_cell_at_the_far_end_of_a_sheet_costs_nothing(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["name", "amount", "note"], ["Nord", 3], ["Sud", 4, "late"]):
        sheet.append(row)
    sheet.cell(1_048_576, 16_384, "stray")
    out = io.BytesIO()
    book.save(out)
    text = read(tmp_path, "a.xlsx", out.getvalue())
    assert text == "# Sheet\nname | amount | note\nNord | 3 |\nSud | 4 | late\n| … | stray"


def test_pages_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(pdf("one", "", "three"))
    assert [part["page"] for part in parse_file(file)] == [1, 3]


def test_a_pdf_with_an_empty_password_is_read(tmp_path: Path) -> None:
    assert "secret" in read(tmp_path, "a.pdf", encrypted_pdf(""))


def test_slides_are_read_in_their_order(tmp_path: Path) -> None:
    space = "http://schemas.openxmlformats.org/drawingml/2006/main"
    slide = '<s xmlns:a="{}"><a:p><a:r><a:t>Slide {}</a:t></a:r></a:p></s>'
    members = {f"ppt/slides/slide{n}.xml": slide.format(space, n).encode() for n in (10, 2, 1)}
    text = read(tmp_path, "a.pptx", packed({"ppt/presentation.xml": b"<p/>", **members}))
    assert text == "Slide 1\n---\nSlide 2\n---\nSlide 10"


def locked_office() -> bytes:
    name = "EncryptedPackage".encode("utf-16-le")
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + name


def bomb() -> bytes:
    return packed({"word/document.xml": b"<w>" + b" " * 60_000_000 + b"</w>"})


def laughs() -> bytes:
    entities = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><p>&b;</p>'
    return packed({"ppt/presentation.xml": b"<p/>", "ppt/slides/slide1.xml": entities.encode()})


HOSTILE: list[tuple[str, str, Callable[[], bytes]]] = [
    ("file-empty", "a.pdf", lambda: b""),
    ("file-no-text", "a.txt", lambda: b" \n\t \r\n \x00 "),
    ("file-executable", "invoice.pdf", lambda: b"MZ\x90\x00" + b"\0" * 400),
    ("file-executable", "notes.docx", lambda: b"\x7fELF\x02\x01\x01" + b"\0" * 400),
    ("file-executable", "run.txt", lambda: b"#!/bin/sh\nrm -rf /\n"),
    ("file-picture", "scan.pdf", lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 40),
    ("file-packed", "a.docx", lambda: b"\x1f\x8b\x08" + b"\0" * 40),
    ("file-packed", "a.docx", lambda: packed({"readme.txt": b"no document"})),
    ("file-old-office", "a.doc", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 900),
    ("file-encrypted", "a.docx", locked_office),
    ("file-encrypted", "a.pdf", lambda: encrypted_pdf("pass")),
    ("file-bomb", "a.docx", bomb),
    ("file-bomb", "a.docx", lambda: packed({f"x{n}": b"" for n in range(5001)})),
    ("file-bomb", "a.pptx", laughs),
    ("file-broken", "a.pdf", lambda: b"%PDF-1.7\nthis is all there is"),
    ("file-broken", "a.docx", lambda: packed({"word/document.xml": b"<broken"})),
    ("file-broken", "a.xlsx", lambda: packed({"xl/workbook.xml": b"<broken"})),
    ("file-broken", "a.docx", lambda: word("text")[:-40]),
    ("file-unknown", "a.txt", lambda: bytes(n * n % 31 + 1 for n in range(4000))),
    ("file-too-many-rows", "a.csv", lambda: b"1;2\n" * 50_010),
    ("file-too-much-text", "a.txt", lambda: b"words and " * 410_000),
]  # fmt: skip


@pytest.mark.parametrize(("code", "name", "make"), HOSTILE, ids=lambda one: str(one)[:30])
def test_what_cannot_be_read_says_why(
    tmp_path: Path, code: str, name: str, make: Callable[[], bytes]
) -> None:
    with pytest.raises(ParseError) as caught:
        read(tmp_path, name, make())
    assert caught.value.code == code


def test_a_file_past_the_limit_is_not_even_opened(tmp_path: Path) -> None:
    file = tmp_path / "big.txt"
    with file.open("wb") as handle:
        handle.truncate(MAX_FILE + 1)
    with pytest.raises(ParseError, match="file-too-large"):
        parse_file(file)


def test_every_code_has_words_in_both_languages() -> None:
    for code, limit in CODES.items():
        for language in LANGUAGES:
            assert "x.pdf" in say(language, f"error.{code}", name="x.pdf", limit=limit)


@pytest.mark.parametrize("sample", sorted(SAMPLES.rglob("*.*")), ids=lambda path: path.name)
def test_every_sample_is_readable_and_marked_as_a_sample(sample: Path) -> None:
    text = "\n".join(part["text"] for part in parse_file(sample))
    if sample.suffix != ".xlsx":
        assert "sample" in text[:900].lower() or "exemple" in text[:900].lower()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_document_never_fails_in_another_way(tmp_path: Path, data: st.DataObject) -> None:
    samples = [p for p in SAMPLES.rglob("*.*") if p.suffix in (".pdf", ".docx", ".xlsx", ".eml")]
    content = bytearray(data.draw(st.sampled_from(sorted(samples))).read_bytes())
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.none(), st.integers(1, len(content))))
    file = tmp_path / f"x{os.urandom(4).hex()}"
    file.write_bytes(bytes(content[:cut]))
    try:
        parse_file(file)
    except ParseError as error:
        assert error.code in CODES
