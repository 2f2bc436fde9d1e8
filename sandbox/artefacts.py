"""Files that leave a run: named, counted, sized and sniffed. The sealed end's word is not taken."""

import json
import re
import unicodedata
from dataclasses import dataclass

import filetype

from sandbox.drawing import rewritten

# What a browser shows without running anything, plus office data that is only ever downloaded.
SNIFFED = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
}
TEXT = {".csv": "text/csv", ".txt": "text/plain", ".json": "application/json"}
ENDINGS = {".jpeg": ".jpg"}
MAX_NAME = 80
_ACTIVE = re.compile(r"<\s*(?:!doctype|html|script|svg|iframe|object|embed|\?xml)", re.IGNORECASE)
_UNSAFE = re.compile(r"[^\w .()-]")


@dataclass(frozen=True, slots=True)
class RawArtefact:
    """One file from a run, of an allowed type, not yet screened."""

    name: str
    media_type: str
    data: bytes


def accept(name: str, data: bytes) -> RawArtefact | None:
    """The file if its bytes are of an allowed type that its name agrees with, else None. A drawing
    is written anew: see `sandbox.drawing`."""
    safe = safe_name(name)
    ending = "." + safe.rpartition(".")[2].lower() if "." in safe else ""
    ending = ENDINGS.get(ending, ending)
    if ending == ".svg":
        drawing = rewritten(data)
        return RawArtefact(safe, "image/svg+xml", drawing) if drawing else None
    media_type = _sniff(data, ending)
    return RawArtefact(safe, media_type, data) if media_type else None


def safe_name(name: str) -> str:
    """A file name for people: no folders, no control or direction marks, bounded."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    name = _UNSAFE.sub("_", name).strip(" .")
    stem, dot, ending = name.rpartition(".")
    if dot and len(ending) <= 8:
        return stem[: MAX_NAME - 9] + dot + ending
    return name[:MAX_NAME] or "file"


def _sniff(data: bytes, ending: str) -> str | None:
    if ending in TEXT:
        return TEXT[ending] if _plain_text(data, ending) else None
    kind = filetype.guess(data)
    media_type = kind.mime if kind else None
    # a workbook with macros is a zip of the same kind
    if media_type and SNIFFED.get(media_type) == ending and b"vbaProject" not in data:
        return str(media_type)
    return None


def _plain_text(data: bytes, ending: str) -> bool:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    if "\x00" in text:
        return False
    if ending == ".json":
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return False
        return True
    return not _ACTIVE.match(text.lstrip())
