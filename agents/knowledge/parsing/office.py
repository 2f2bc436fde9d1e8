"""Text of Word, Excel and PowerPoint files. Runs inside the seal."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agents.knowledge.parsing.parts import (
    MALFORMED,
    MAX_MEMBERS,
    MAX_RATIO,
    MAX_ROWS,
    MAX_UNZIPPED,
    ParseError,
    Part,
)
from agents.knowledge.parsing.tables import cell, parts_of


def office(path: Path) -> Iterator[Part]:
    """A Word, Excel or PowerPoint file, told by what is in it. Raises ParseError."""
    try:
        with zipfile.ZipFile(path) as pack:
            names = _checked(pack)
    # zipfile's answers to what is no archive, is cut, or is packed in a way that it does not know
    except (zipfile.BadZipFile, OSError, ValueError, OverflowError, NotImplementedError) as error:
        raise ParseError("file-broken") from error
    readers = {
        "word/document.xml": _word,
        "xl/workbook.xml": _excel,
        "ppt/presentation.xml": _slides,
    }
    for member, read in readers.items():
        if member in names:
            return _translated(read, path)
    raise ParseError("file-packed")


def _checked(pack: zipfile.ZipFile) -> set[str]:
    members = pack.infolist()
    if len(members) > MAX_MEMBERS:
        raise ParseError("file-bomb")
    total = 0
    for member in members:
        if member.flag_bits & 1:
            raise ParseError("file-encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ParseError("file-broken")
        total += member.file_size
        ratio = member.file_size / max(1, member.compress_size)
        if total > MAX_UNZIPPED or (member.file_size > 1_000_000 and ratio > MAX_RATIO):
            raise ParseError("file-bomb")
    return {member.filename for member in members}


def _translated(read: Any, path: Path) -> Iterator[Part]:
    from xml.sax import SAXException

    try:
        return iter(list(read(path)))
    except ParseError:
        raise
    # SyntaxError is lxml's and ElementTree's word for XML that is none
    except (SyntaxError, SAXException, zipfile.BadZipFile) as error:
        raise ParseError("file-broken") from error
    except MALFORMED as error:
        raise ParseError("file-broken") from error


def _word(path: Path) -> Iterator[Part]:
    from docx.exceptions import PythonDocxError
    from docx.opc.exceptions import OpcError

    try:
        yield from _blocks(path)
    except (PythonDocxError, OpcError) as error:
        raise ParseError("file-broken") from error


def _blocks(path: Path) -> Iterator[Part]:
    import docx
    from docx.table import Table
    from docx.text.paragraph import Paragraph

    document = docx.Document(str(path))
    lines: list[str] = []
    page, breaks, hidden = 1, 0, False
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            for row in block.rows:
                cells = [" ".join(cell.text.split()) for cell in row.cells]
                lines.append(" | ".join(cells))
            lines.append("")
        elif isinstance(block, Paragraph):
            style = (block.style.name if block.style else "") or ""
            level = re.match(r"(?:Heading|Titre) (\d)", style)
            mark = "#" * int(level.group(1)) + " " if level else ""
            mark = "- " if style.startswith(("List", "Liste")) else mark
            text = block.text
            for unseen in _unseen_runs(block):
                text, hidden = text.replace(unseen, "", 1), True
            if text.strip():
                lines += [mark + text.strip(), ""]
            xml = block._p.xml
            if 'w:type="page"' in xml or "w:lastRenderedPageBreak" in xml:
                breaks += 1
                yield Part(text="\n".join(lines), page=page, hidden=hidden)
                lines, page, hidden = [], page + 1, False
    yield Part(text="\n".join(lines), page=page if breaks else None, hidden=hidden)


def _unseen_runs(paragraph: Any) -> Iterator[str]:
    """Texts of a Word paragraph that are hidden, white or of less than 3 points."""
    space = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    for run in paragraph._p.iter(f"{space}r"):
        style = run.find(f"{space}rPr")
        if style is None:
            continue
        off = style.find(f"{space}vanish")
        colour, size = style.find(f"{space}color"), style.find(f"{space}sz")
        white = colour is not None and str(colour.get(f"{space}val")).upper() == "FFFFFF"
        small = size is not None and str(size.get(f"{space}val")) in ("0", "1", "2", "3", "4", "5")
        shaded = (
            style.find(f"{space}shd") is not None or style.find(f"{space}highlight") is not None
        )
        if (
            (off is not None and off.get(f"{space}val") not in ("0", "false"))
            or small
            or (white and not shaded)
        ):
            text = "".join(node.text or "" for node in run.iter(f"{space}t"))
            if text.strip():
                yield text


def _excel(path: Path) -> Iterator[Part]:
    import openpyxl

    rows = 0
    # a handle, because the parser refuses names with another ending
    with path.open("rb") as handle:
        book = openpyxl.load_workbook(handle, read_only=True, data_only=True)
        for sheet in book.worksheets:
            table: list[list[str]] = []
            # one stray cell at the far end claims 17 thousand million: only what is there is read
            sheet.reset_dimensions()
            for row in sheet.iter_rows(values_only=True):
                cells = [cell(value) for value in row]
                if any(cells):
                    table.append(cells)
                    rows += 1
                if rows > MAX_ROWS:
                    raise ParseError("file-too-many-rows")
            for part in parts_of(table, sheet.title):
                part["hidden"] = sheet.sheet_state != "visible"
                yield part


def _slides(path: Path) -> Iterator[Part]:
    from xml.etree import ElementTree

    def number(name: str) -> int:
        return int(re.sub(r"\D", "", name) or 0)

    with zipfile.ZipFile(path) as pack:
        names = [
            name for name in pack.namelist() if re.fullmatch(r"ppt/slides/slide\d+\.xml", name)
        ]
        for name in sorted(names, key=number):
            data = pack.read(name)
            if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
                raise ParseError("file-bomb")  # entities can grow without bound
            paragraphs = ElementTree.fromstring(data).iter(  # noqa: S314 - no entities, see above
                "{http://schemas.openxmlformats.org/drawingml/2006/main}p"
            )
            lines = ["".join(one.itertext()) for one in paragraphs]
            text = "\n".join(line for line in lines if line.strip())
            off = b' show="0"' in data[:4000]  # a slide that is not shown
            yield Part(text=text, page=number(name), hidden=off)
