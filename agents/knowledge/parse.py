"""Turn an uploaded file into text. Runs inside the seal: the file is hostile, and so is its name.

Standard library and parsers only. What the file *is* decides (its first bytes), not its ending; an
executable under any name is refused. Every size is bounded before it is read.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from agents.knowledge.parsing.mail import mail
from agents.knowledge.parsing.office import office
from agents.knowledge.parsing.page import page
from agents.knowledge.parsing.parts import CODES, MAX_FILE, MAX_TEXT, ParseError, Part
from agents.knowledge.parsing.pdf import pdf
from agents.knowledge.parsing.tables import comma_separated

__all__ = ["CODES", "MAX_FILE", "ParseError", "Part", "parse_file"]

_EXECUTABLE = (
    b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\x00asm", b"#!", b"dex\n",
)  # fmt: skip
_PICTURE = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
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
        return pdf(path)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return office(path)
    text = _decode(path.read_bytes())
    if ending in (".eml", ".mht") or re.match(r"(?i)(from|received|return-path|subject): ", text):
        return mail(path)
    if ending in (".html", ".htm") or re.match(r"(?i)\s*(<!doctype html|<html)", text):
        shown, hidden = page(text)
        return iter([Part(text=shown, page=None, hidden=hidden)])
    if ending in (".csv", ".tsv"):
        return comma_separated(text)
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
