"""Texts with marks: "Call [PERSON:Ann Lee] at [PHONE:...]" to plain text and spans."""

import re

_MARK = re.compile(r"\[([A-Z_]{2,20}):([^\[\]]{1,200})\]")


def parse(marked: str) -> tuple[str, list[tuple[int, int, str]]]:
    """The text without marks, and its spans `(start, end, type)`."""
    text, spans, at = "", [], 0
    for match in _MARK.finditer(marked):
        text += marked[at : match.start()]
        spans.append((len(text), len(text) + len(match.group(2)), match.group(1)))
        text += match.group(2)
        at = match.end()
    return text + marked[at:], spans
