"""What may leave a run is known by its bytes, not by its name."""

import io
import zipfile

import openpyxl
import pytest

from sandbox.artefacts import accept, safe_name

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
JPEG = b"\xff\xd8\xff\xe0" + bytes(40)
PDF = b"%PDF-1.7\n" + bytes(40)


def workbook() -> bytes:
    file = io.BytesIO()
    openpyxl.Workbook().save(file)
    return file.getvalue()


def workbook_with_macros() -> bytes:
    file = io.BytesIO(workbook())
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("chart.png", PNG, "image/png"),
        ("photo.jpeg", JPEG, "image/jpeg"),
        ("photo.JPG", JPEG, "image/jpeg"),
        ("letter.pdf", PDF, "application/pdf"),
        ("table.csv", b"a,b\n1,2\n", "text/csv"),
        ("table.csv", "é;è\n".encode(), "text/csv"),
        ("note.txt", b"hello", "text/plain"),
        ("data.json", b'{"a": 1}', "application/json"),
        (
            "book.xlsx",
            workbook(),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
    ],
)
def test_an_allowed_type_leaves(name: str, data: bytes, media_type: str) -> None:
    artefact = accept(name, data)
    assert artefact is not None
    assert artefact.media_type == media_type


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("page.html", b"<html></html>"),
        ("image.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>"),
        ("page.txt", b"<!DOCTYPE html><script>x()</script>"),
        ("page.csv", b"  <script>x()</script>"),
        ("run.exe", b"MZ" + bytes(60)),
        ("chart.png", b"MZ" + bytes(60)),
        ("chart.png", JPEG),
        ("chart", PNG),
        ("letter.pdf", PNG),
        ("archive.zip", b"PK\x03\x04" + bytes(40)),
        ("book.xlsx", b"PK\x03\x04" + bytes(40)),
        ("book.xlsx", workbook_with_macros()),
        ("book.xlsm", workbook_with_macros()),
        ("note.txt", b"\x7fELF\x00"),
        ("note.txt", b"\xff\xfe\x00"),
        ("data.json", b"[" * 100_000),
        ("data.json", b"<svg/>"),
        ("script.js", b"x()"),
        ("chart.png", b""),
    ],
)
def test_anything_else_stays(name: str, data: bytes) -> None:
    assert accept(name, data) is None


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\x.csv", "x.csv"),
        ("a\u202egnp.csv", "a_gnp.csv"),
        ("a\x00b.csv", "a_b.csv"),
        ("résumé (1).csv", "résumé (1).csv"),
        ("...", "file"),
        ("", "file"),
        (".bashrc", "bashrc"),
        ("x" * 300 + ".csv", "x" * 71 + ".csv"),
    ],
)
def test_a_name_is_made_safe(given: str, safe: str) -> None:
    assert safe_name(given) == safe
