"""Mask the pages of a document piece by piece. Knows nothing of detectors: `mask` does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Mask = Callable[[Sequence[str]], Sequence[str]]  # masked texts, in the same order
MASK_CHARACTERS = 4000


def masked_parts(parts: Sequence[Mapping[str, Any]], mask: Mask) -> list[dict[str, Any]]:
    """Pages with their text masked, `{page, text}`. Raises ValueError when `mask` loses one."""
    pieces = [
        (number, piece) for number, part in enumerate(parts) for piece in _split(part["text"])
    ]
    texts = mask([piece for _, piece in pieces])
    if len(texts) != len(pieces):
        raise ValueError("mask gave another number of texts than it was given")
    whole: dict[int, list[str]] = {}
    for (number, _), text in zip(pieces, texts, strict=True):
        whole.setdefault(number, []).append(text)
    return [
        {"page": part.get("page"), "text": "\n".join(whole.get(number, ()))}
        for number, part in enumerate(parts)
    ]


def _split(text: str) -> Iterator[str]:
    """Pieces that end at a line's end where they can, so that a detector sees whole lines."""
    while len(text) > MASK_CHARACTERS:
        at = text.rfind("\n", MASK_CHARACTERS // 2, MASK_CHARACTERS)
        at = at if at > 0 else text.rfind(" ", MASK_CHARACTERS // 2, MASK_CHARACTERS)
        at = at if at > 0 else MASK_CHARACTERS
        yield text[:at]
        text = text[at:].removeprefix("\n")
    if text:
        yield text
