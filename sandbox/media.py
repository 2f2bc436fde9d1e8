"""The media type of a file that a person gave, from its bytes first and its name second."""

import filetype

# types whose name is the only sign: they are text, and the parser in the seal reads them as such
TEXT = {
    ".txt": "text/plain",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".html": "text/html",
    ".htm": "text/html",
    ".eml": "message/rfc822",
}
PROGRAMS = frozenset(
    {"application/x-executable", "application/x-msdownload", "application/x-mach-binary"}
)


def media_type(name: str, data: bytes) -> str:
    """E.g. `application/pdf`; `application/octet-stream` when nothing is known.

    What the bytes say wins, so that a renamed program is what it is.
    """
    guessed = filetype.guess(data)
    if guessed is not None:
        return str(guessed.mime)
    ending = "." + name.rpartition(".")[2].lower() if "." in name else ""
    return TEXT.get(ending, "application/octet-stream")
