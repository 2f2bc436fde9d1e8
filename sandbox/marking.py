"""Mark a file as made with AI: in its name for people, inside it where its format has a place.

Works on bytes without parsing them: the file comes out of the seal and stays hostile.
"""

import struct
import zlib
from pathlib import PurePosixPath
from typing import Final

NAMES: Final = {"en": "AI-made", "fr": "produit par IA"}
CLASSES: Final = {
    "fr": {
        "public": "public",
        "internal": "interne",
        "confidential": "confidentiel",
        "restricted": "diffusion restreinte",
    }
}
# IPTC's word for media that a trained model made
# (https://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia)
SOURCE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_XMP: Final = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    f'Iptc4xmpExt:DigitalSourceType="{SOURCE}"/></rdf:RDF></x:xmpmeta>'
)
_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_IHDR_END: Final = len(_PNG_START) + 4 + 4 + 13 + 4  # length, type, data, checksum (PNG, 11.2.2)


def label(data_class: str, language: str) -> str:
    """The mark in words, e.g. `AI-made, confidential`."""
    known = CLASSES.get(language, {}).get(data_class, data_class)
    return f"{NAMES.get(language, NAMES['en'])}, {known}"


def marked(
    name: str, media_type: str, data: bytes, data_class: str, language: str
) -> tuple[str, bytes]:
    """Name and content with the mark. A format without a place for it is marked by name only."""
    words = label(data_class, language)
    path = PurePosixPath(name)
    shown = f"{path.stem} ({words}){path.suffix}"
    match media_type:
        case "image/png" if data.startswith(_PNG_START) and len(data) > _IHDR_END:
            chunks = _text("XML:com.adobe.xmp", _XMP) + _text("Comment", words)
            return shown, data[:_IHDR_END] + chunks + data[_IHDR_END:]
        case "image/jpeg" if data.startswith(b"\xff\xd8"):
            comment = f"{words}; {SOURCE}".encode()
            segment = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
            return shown, data[:2] + segment + data[2:]
        case "text/plain" | "text/markdown":
            return shown, data.rstrip(b"\n") + f"\n\n({words})\n".encode()
        case _:
            return shown, data


def _text(keyword: str, text: str) -> bytes:
    """An uncompressed iTXt chunk (PNG, 11.3.4.5)."""
    body = keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode()
    kind = b"iTXt"
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
