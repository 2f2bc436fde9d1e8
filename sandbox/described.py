"""What a drawing says that it shows: its kind, title and axes, for whoever cannot see it.

The sealed end wrote it (see sandbox.child.figures), so that it is read as a stranger's word: only
known fields, bounded, and screened by whoever shows them.
"""

import json
import re
import struct
from typing import Final
from xml.etree import ElementTree

KINDS: Final = frozenset({"bar", "line", "pie", "scatter", "histogram"})
WORDS: Final = ("title", "x", "y")
LONGEST: Final = 160
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_CHUNKS: Final = 64  # before the picture's own data; a text after it is not looked for
_TEXT: Final = 4096
_SPACES: Final = re.compile(r"\s+")
_TITLE: Final = "{http://www.w3.org/2000/svg}title"


def described(media_type: str, data: bytes) -> dict[str, str]:
    """`kind`, one of KINDS, and `title`, `x`, `y`, of these what the drawing tells; {} of others.

    An SVG must have been written anew by `sandbox.drawing`.
    """
    if media_type == "image/png":
        return _known(_png(data))
    if media_type == "image/svg+xml":
        return _known(_svg(data))
    return {}


def _known(told: str) -> dict[str, str]:
    try:
        found = json.loads(told)
    except (ValueError, RecursionError):
        found = {"title": told}  # a drawing's title in words
    if not isinstance(found, dict):
        return {}
    kept = {"kind": found["kind"]} if found.get("kind") in KINDS else {}
    for name in WORDS:
        value = found.get(name)
        plain = _SPACES.sub(" ", value).strip() if isinstance(value, str) else ""
        if plain := "".join(one for one in plain[:LONGEST] if one.isprintable()):
            kept[name] = plain
    return kept


def _png(data: bytes) -> str:
    at = len(_PNG)
    if not data.startswith(_PNG):
        return ""
    for _ in range(_CHUNKS):
        if at + 8 > len(data):
            return ""
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind in (b"IDAT", b"IEND"):
            return ""
        body = data[at + 8 : at + 8 + min(size, _TEXT)]
        if kind == b"tEXt" and body.startswith(b"Description\x00"):
            return body.partition(b"\x00")[2].decode("latin-1")
        at += 12 + size
    return ""


def _svg(data: bytes) -> str:
    try:
        root = ElementTree.fromstring(data)  # noqa: S314  (our own writing: no entities, bounded)
    except ElementTree.ParseError:
        return ""
    found = root.find(_TITLE)
    return (found.text or "")[:_TEXT] if found is not None else ""
