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
from typing import Any, NotRequired, TypedDict

MAX_FILE = 30 * 1024 * 1024
MAX_TEXT = 4_000_000  # characters of one document
MAX_PAGES = 2000
MAX_UNZIPPED = 200 * 1024 * 1024
MAX_RATIO = 200  # a member unpacking to more than this times its size is a bomb
MAX_MEMBERS = 5000
MAX_ROWS = 50_000
ROWS_PER_PAGE = 60


class Part(TypedDict):
    """A page, sheet or whole text. `page` counts from 1, or is None where there are no pages.

    `hidden`: it also holds words that a reader would not see (white on white, comments, size 0).
    """

    text: str
    page: int | None
    hidden: NotRequired[bool]


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
    try:
        parts = list(_bounded(_reader(path, head)))
    except RecursionError as error:  # boxes in boxes, as no person makes them
        raise ParseError("file-bomb") from error
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
        shown, hidden = _html(text)
        return iter([Part(text=shown, page=None, hidden=hidden)])
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
        kept = Part(text=text, page=part["page"])
        if part.get("hidden"):
            kept["hidden"] = True
        yield kept


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
            texts.append(Part(text=page.extract_text(), page=number, hidden=_unseen(page)))
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


_TEXT_BLOCK = re.compile(rb"\bBT\b(.*?)\bET\b", re.S)
_WHITE = re.compile(rb"(?:^|\s)(?:1(?:\.0+)?\s+){3}rg\s|(?:^|\s)1(?:\.0+)?\s+g\s")
_INVISIBLE = re.compile(rb"(?:^|\s)3\s+Tr\s")


def _unseen(page: Any) -> bool:
    """Whether some of a page's text is white or drawn with the invisible mode (ISO 32000, 9.3.6).

    All of it invisible is the usual layer of a scanned page and is not counted.
    """
    contents = page.get_contents()
    data = contents.get_data()[:2_000_000] if contents is not None else b""
    if not (_WHITE.search(data) or _INVISIBLE.search(data)):
        return False
    blocks = _TEXT_BLOCK.findall(data)
    invisible = sum(bool(_INVISIBLE.search(block)) for block in blocks)
    return any(_WHITE.search(block) for block in blocks) or 0 < invisible < len(blocks)


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
            for row in sheet.iter_rows(values_only=True):
                cells = [_cell(value) for value in row]
                if any(cells):
                    table.append(cells)
                    rows += 1
                if rows > MAX_ROWS:
                    raise ParseError("file-too-many-rows")
            for part in _table(table, sheet.title):
                part["hidden"] = sheet.sheet_state != "visible"
                yield part


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
            text = "\n".join(line for line in lines if line.strip())
            off = b' show="0"' in data[:4000]  # a slide that is not shown
            yield Part(text=text, page=number(name), hidden=off)


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
    hidden = False
    try:
        for name in ("From", "To", "Cc", "Date", "Subject"):
            if value := message.get(name):
                lines.append(f"{name}: {value}")
        body = message.get_body(("plain", "html"))
        text = body.get_content() if body else ""
        if body and body.get_content_type() == "text/html":
            text, hidden = _html(text)
        attached = [part.get_filename() or "?" for part in message.iter_attachments()]
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        raise ParseError("file-broken") from error
    if attached:
        lines.append("Attachments (not read): " + ", ".join(attached))
    return iter([Part(text="\n".join([*lines, "", str(text)]), page=None, hidden=hidden)])


class _Words(html.parser.HTMLParser):
    _BLOCKS = frozenset(("p", "div", "br", "tr", "ul", "ol", "table", "section", "article", "hr"))
    _HIDDEN = frozenset(("script", "style", "template", "noscript"))
    _VOID = frozenset(
        (
            "area",
            "base",
            "br",
            "col",
            "embed",
            "hr",
            "img",
            "input",
            "link",
            "meta",
            "source",
            "wbr",
        )
    )
    _UNSEEN = re.compile(
        r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])"
        r"|(?<![-\w])color\s*:\s*(?:#fff(?:fff)?\b|white\b|transparent|rgb\(255,\s*255,\s*255\))",
        re.I,
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._hidden = 0
        self._unseen: list[str] = []  # tags open inside an element that is not shown
        self.concealed = 0  # words that a reader would not see

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._unseen:
            if tag not in self._VOID:
                self._unseen.append(tag)
            return
        given = dict(attrs)
        style = str(given.get("style") or "")
        if tag not in self._VOID and ("hidden" in given or self._concealing(style)):
            self._unseen.append(tag)
            return
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

    def _concealing(self, style: str) -> bool:
        found = self._UNSEEN.search(style)
        # white letters on a coloured ground are seen
        return found is not None and not (
            found.group().lower().startswith("color") and "background" in style.lower()
        )

    def handle_comment(self, data: str) -> None:
        if len(data.split()) >= 4 and not data.startswith("[if"):
            self.concealed += len(data.split())

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            if tag in self._unseen:
                while self._unseen.pop() != tag:
                    pass
            return
        if tag in self._HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in self._BLOCKS or re.fullmatch(r"h[1-6]", tag):
            self.out.append("\n")

    def handle_data(self, data: str) -> None:
        if self._unseen:
            self.concealed += len(data.split())
        elif not self._hidden:
            self.out.append(re.sub(r"\s+", " ", data))


def _html(text: str) -> tuple[str, bool]:
    """The words that a reader sees, and whether there are others."""
    words = _Words()
    words.feed(text)
    words.close()
    return "".join(words.out), words.concealed > 0
