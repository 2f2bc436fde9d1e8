"""What parsers give and how they refuse; every size is bounded before it is read."""

import struct
import zlib
from typing import NotRequired, TypedDict

MAX_FILE = 30 * 1024 * 1024
MAX_TEXT = 4_000_000  # characters of one document
MAX_PAGES = 2000
MAX_UNZIPPED = 200 * 1024 * 1024
MAX_RATIO = 200  # a member unpacking to more than this times its size is a bomb
MAX_MEMBERS = 5000
MAX_ROWS = 50_000
ROWS_PER_PAGE = 60
# what pypdf, python-docx, openpyxl and zipfile let through on damaged objects and streams, beside
# their own errors (found by changing bytes of good files)
MALFORMED = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError,
    RuntimeError, OSError, EOFError, zlib.error, struct.error,
)  # fmt: skip


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
