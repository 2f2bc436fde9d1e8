"""Text of a PDF, page by page. Runs inside the seal."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agents.knowledge.parsing.columns import with_tables
from agents.knowledge.parsing.parts import MALFORMED, MAX_PAGES, ParseError, Part

_TEXT_BLOCK = re.compile(rb"\bBT\b(.*?)\bET\b", re.S)
_WHITE = re.compile(rb"(?:^|\s)(?:1(?:\.0+)?\s+){3}rg\s|(?:^|\s)1(?:\.0+)?\s+g\s")
_INVISIBLE = re.compile(rb"(?:^|\s)3\s+Tr\s")


def pdf(path: Path) -> Iterator[Part]:
    """Every page. Raises ParseError."""
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
            text = with_tables(page.extract_text(), page)
            texts.append(Part(text=text, page=number, hidden=_unseen(page)))
    except (FileNotDecryptedError, DependencyError) as error:
        raise ParseError("file-encrypted") from error
    except ParseError:
        raise
    except (PyPdfError, *MALFORMED) as error:
        raise ParseError("file-broken") from error
    return iter(texts)


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
