"""All shapes over one plain text, and what the name model found, as candidates."""

from guardrails.detect.recognizers import (
    addresses,
    american,
    contact,
    dates,
    french,
    money,
    names,
    phone,
)
from guardrails.findings import Finding

SHAPES = (
    *contact.SHAPES, *money.SHAPES, *french.SHAPES, *american.SHAPES, *dates.SHAPES,
    *addresses.SHAPES, *names.SHAPES,
)  # fmt: skip


def candidates(text: str, language: str) -> list[Finding]:
    """Overlapping findings of every shape."""
    found = [
        Finding(start, end, shape.kind, score, shape.name, shape.why)
        for shape in SHAPES
        if language in shape.languages
        for start, end, score in shape.matches(text)
    ]
    found += [
        Finding(start, end, "PHONE_NUMBER", score, "phone", "It is a valid telephone number.")
        for start, end, score in phone.find(text, language)
    ]
    return found


def named(text: str, entities: list[tuple[int, int, str]], language: str) -> list[Finding]:
    """The name model's spans as findings."""
    kinds = {"ADDRESS": "LOCATION"}
    return [
        Finding(start, end, kinds.get(label, label), 0.85 if label == "PERSON" else 0.8,
                f"ner-{language}", "The language model reads it as a name or place.")
        for start, end, label in entities
        if label != "ORGANIZATION"
    ]  # fmt: skip
