"""Turn an uploaded file into text. Runs inside the seal: the file is hostile, and so is its name.

Standard library and parsers only. What the file *is* decides (its first bytes), not its ending; an
executable under any name is refused. Every size is bounded before it is read.
"""

import csv
import email
import email.policy
import html.parser
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

MAX_FILE = 30 * 1024 * 1024
MAX_TEXT = 4_000_000  # characters of one document
MAX_PAGES = 2000
MAX_UNZIPPED = 200 * 1024 * 1024
MAX_RATIO = 200  # a member unpacking to more than this times its size is a bomb
MAX_MEMBERS = 5000
MAX_ROWS = 50_000
ROWS_PER_PAGE = 60


class Part(TypedDict):
    """A page, sheet or whole text. `page` counts from 1, or is None where there are no pages."""

    text: str
    page: int | None


class ParseError(Exception):
    """The file cannot be read. `code` is one of CODES, the catalogue's `error.<code>`."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


# the number that each code's wording names; only the code itself leaves the seal
CODES = {
    "file-empty": 0,
    "file-too-large": MAX_FILE // (1024 * 1024),
    "file-executable": 0,
    "file-picture": 0,
    "file-packed": 0,
    "file-old-office": 0,
    "file-encrypted": 0,
    "file-bomb": 0,
    "file-broken": 0,
    "file-no-text": 0,
    "file-unknown": 0,
    "file-too-many-pages": MAX_PAGES,
    "file-too-many-rows": MAX_ROWS,
    "file-too-much-text": MAX_TEXT,
}


_EXECUTABLE = (
    b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\x00asm", b"#!", b"dex\n",
)  # fmt: skip
_PICTURE = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STREAM = (zlib.error, struct.error)
_WESTERN = frozenset("éèêëàâäùûüôöîïçœæÉÈÊÀÂÇÔÎñáíóúßÄÖÜ«»’‘“”–—…€£°§²³\u00a0·•")
_SPACES = re.compile(r"[ \t\u00a0\u202f]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")


def parse_file(path: str | Path) -> list[Part]:
    """The text of one file, page by page, control characters removed, pages without text left out.

    Raises ParseError, and MemoryError where the sandbox's own limit is reached first.
    """
    path = Path(path)
    size = path.stat().st_size
    if size == 0:
        raise ParseError("file-empty")
    if size > MAX_FILE:
        raise ParseError("file-too-large")
    with path.open("rb") as handle:
        head = handle.read(4096)
    parts = list(_bounded(_reader(path, head)))
    if not parts:
        raise ParseError("file-no-text")
    return parts


def _reader(path: Path, head: bytes) -> Iterator[Part]:
    ending = path.suffix.lower()
    if head.startswith(_EXECUTABLE):
        raise ParseError("file-executable")
    if head.startswith(_PICTURE):
        raise ParseError("file-picture")
    if head.startswith(_PACKED):
        raise ParseError("file-packed")
    if head.startswith(_OLD_OFFICE):
        # an encrypted .docx or .xlsx is such a container too
        locked = b"E\x00n\x00c\x00r\x00y\x00p\x00t" in path.read_bytes()
        raise ParseError("file-encrypted" if locked else "file-old-office")
    if b"%PDF-" in head[:1024]:
        return _pdf(path)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _office(path)
    text = _decode(path.read_bytes())
    if ending in (".eml", ".mht") or re.match(r"(?i)(from|received|return-path|subject): ", text):
        return _mail(path)
    if ending in (".html", ".htm") or re.match(r"(?i)\s*(<!doctype html|<html)", text):
        return iter([Part(text=_html(text), page=None)])
    if ending in (".csv", ".tsv"):
        return _csv(text)
    return iter([Part(text=text, page=None)])


def _bounded(parts: Iterator[Part]) -> Iterator[Part]:
    total = 0
    for part in parts:
        text = _clean(part["text"])
        if not text:
            continue
        total += len(text)
        if total > MAX_TEXT:
            raise ParseError("file-too-much-text")
        yield Part(text=text, page=part["page"])


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    text = _SPACES.sub(" ", _CONTROL.sub("", text))
    text = re.sub(r" ?\n ?", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _decode(data: bytes) -> str:
    for mark, name in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(name, "replace")
    sample = data[:65536]
    nulls = sample.count(0)
    if nulls > len(sample) // 5:
        half = "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
        return data.decode(half, "replace")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode(_codepage(sample), "replace")
    odd = len(_CONTROL.findall(text[:65536]))
    if odd > max(8, len(text[:65536]) // 20):
        raise ParseError("file-unknown")
    return text


def _codepage(sample: bytes) -> str:
    # guessing needs pages of text; a few accents of western Europe are told apart at once
    western = sample.decode("cp1252", "replace")
    special = [character for character in western if ord(character) > 127]
    if sum(character in _WESTERN for character in special) >= 0.9 * len(special):
        return "cp1252"
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    return best.encoding if best else "cp1252"


def _pdf(path: Path) -> Iterator[Part]:
    import logging

    import pypdf
    from pypdf.errors import DependencyError, FileNotDecryptedError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its warnings quote the document
    try:
        reader = pypdf.PdfReader(path, strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise ParseError("file-encrypted")
        if len(reader.pages) > MAX_PAGES:
            raise ParseError("file-too-many-pages")
        texts = []
        for number, page in enumerate(reader.pages, start=1):
            texts.append(Part(text=page.extract_text(), page=number))
    except (FileNotDecryptedError, DependencyError) as error:
        raise ParseError("file-encrypted") from error
    except ParseError:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        # pypdf lets these through on malformed objects
        raise ParseError("file-broken") from error
    except (OSError, ArithmeticError, AssertionError, RuntimeError, *_STREAM) as error:
        raise ParseError("file-broken") from error
    return iter(texts)


def _office(path: Path) -> Iterator[Part]:
    try:
        with zipfile.ZipFile(path) as pack:
            names = _checked(pack)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
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
    from xml.etree.ElementTree import ParseError as XmlError
    from xml.sax import SAXException

    try:
        return iter(list(read(path)))
    except ParseError:
        raise
    except (XmlError, SAXException, SyntaxError, zipfile.BadZipFile) as error:
        raise ParseError("file-broken") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError) as error:
        # python-docx and openpyxl let these through on malformed parts
        raise ParseError("file-broken") from error
    except (EOFError, RuntimeError, AssertionError, *_STREAM) as error:
        raise ParseError("file-broken") from error


def _word(path: Path) -> Iterator[Part]:
    import docx
    from docx.table import Table
    from docx.text.paragraph import Paragraph

    document = docx.Document(str(path))
    lines: list[str] = []
    page, breaks = 1, 0
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
            if block.text.strip():
                lines += [mark + block.text.strip(), ""]
            xml = block._p.xml
            if 'w:type="page"' in xml or "w:lastRenderedPageBreak" in xml:
                breaks += 1
                yield Part(text="\n".join(lines), page=page)
                lines, page = [], page + 1
    yield Part(text="\n".join(lines), page=page if breaks else None)


def _excel(path: Path) -> Iterator[Part]:
    import openpyxl

    rows = 0
    # a handle, because the parser refuses names with another ending
    with path.open("rb") as handle:
        book = openpyxl.load_workbook(handle, read_only=True, data_only=True)
        for sheet in book.worksheets:
            table: list[list[str]] = []
            for row in sheet.iter_rows(values_only=True):
                cells = [_cell(value) for value in row]
                if any(cells):
                    table.append(cells)
                    rows += 1
                if rows > MAX_ROWS:
                    raise ParseError("file-too-many-rows")
            yield from _table(table, sheet.title)


def _cell(value: object) -> str:
    import datetime as dt

    if value is None:
        return ""
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    if isinstance(value, float):
        return f"{value:.10g}"
    return " ".join(str(value).split())[:500]


def _table(rows: list[list[str]], title: str = "") -> Iterator[Part]:
    if not rows:
        return
    width = max(index + 1 for row in rows for index, cell in enumerate(row) if cell)
    head = " | ".join(rows[0][:width])
    body = rows[1:] or [[]]
    for start in range(0, len(body), ROWS_PER_PAGE):
        lines = [f"# {title}"] if title else []
        lines += [head, *(" | ".join(row[:width]) for row in body[start : start + ROWS_PER_PAGE])]
        yield Part(text="\n".join(lines), page=None)


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
            yield Part(text="\n".join(line for line in lines if line.strip()), page=number(name))


def _csv(text: str) -> Iterator[Part]:
    try:
        dialect: Any = csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text), dialect):
            cells = [_cell(cell) for cell in row]
            if any(cells):
                rows.append(cells)
            if len(rows) > MAX_ROWS:
                raise ParseError("file-too-many-rows")
    except csv.Error as error:
        raise ParseError("file-broken") from error
    return _table(rows)


def _mail(path: Path) -> Iterator[Part]:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    lines = []
    try:
        for name in ("From", "To", "Cc", "Date", "Subject"):
            if value := message.get(name):
                lines.append(f"{name}: {value}")
        body = message.get_body(("plain", "html"))
        text = body.get_content() if body else ""
        if body and body.get_content_type() == "text/html":
            text = _html(text)
        attached = [part.get_filename() or "?" for part in message.iter_attachments()]
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        raise ParseError("file-broken") from error
    if attached:
        lines.append("Attachments (not read): " + ", ".join(attached))
    return iter([Part(text="\n".join([*lines, "", str(text)]), page=None)])


class _Words(html.parser.HTMLParser):
    _BLOCKS = frozenset(("p", "div", "br", "tr", "ul", "ol", "table", "section", "article", "hr"))
    _HIDDEN = frozenset(("script", "style", "template", "noscript"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._HIDDEN:
            self._hidden += 1
        elif re.fullmatch(r"h[1-6]", tag):
            self.out.append("\n\n" + "#" * int(tag[1]) + " ")
        elif tag == "li":
            self.out.append("\n- ")
        elif tag in ("td", "th"):
            self.out.append(" | ")
        elif tag in self._BLOCKS:
            self.out.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in self._BLOCKS or re.fullmatch(r"h[1-6]", tag):
            self.out.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.out.append(re.sub(r"\s+", " ", data))


def _html(text: str) -> str:
    words = _Words()
    words.feed(text)
    words.close()
    return "".join(words.out)
