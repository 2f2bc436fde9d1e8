# ruff: noqa: E501 - tables and patterns read better on one line
"""From overlapping candidates to findings that do not overlap."""

import re
from collections.abc import Iterable, Iterator

from guardrails.detect.recognizers.ordinary import words_only
from guardrails.findings import Finding

# Who wins where spans overlap: what a check digit proves beats what only has a form, and that
# beats what a model believes. A SIRET passes Luhn, so it stands before cards.
_RANK = {
    "EMAIL_ADDRESS": 95, "IBAN_CODE": 94, "FR_NIR": 93, "FR_SIRET": 92, "FR_VAT": 91, "CREDIT_CARD": 90,
    "MAC_ADDRESS": 89, "UUID": 88, "URL": 87, "IP_ADDRESS": 86, "CRYPTO": 85, "US_SSN": 82,
    "DATE_TIME": 60, "PHONE_NUMBER": 65, "LOCATION": 40, "PERSON": 30, "ORGANIZATION": 20,
}  # fmt: skip
_DEFAULT_RANK = 75  # national identifiers
_OWN_RANK = 96  # the organisation knows its own numbers best
# Spans of these kinds that overlap are one finding: a name found by two detectors, an address and
# the town in it.
_MERGED = frozenset({"LOCATION", "PERSON"})
# a part of an address, wherever one stands around it or right before it
_POSTCODES = frozenset({"UK_POSTCODE", "CA_POSTAL_CODE", "DE_PLZ"})
# what a surer finding leaves of these is still somebody's name or address
_LEFT = frozenset({"LOCATION", "PERSON", "ORGANIZATION"})
_WORD = re.compile(r"[^\W\d_]{2}")
_EDGE = " \t\r\n.,;:!?()[]{}<>\"'|/\\-–—"


def resolve(candidates: Iterable[Finding], text: str) -> list[Finding]:
    """Non-overlapping findings in order of position, offsets into `text`."""
    kept: list[Finding] = []
    given = list(candidates)
    places = [f for f in given if f.kind == "LOCATION" and not f.detector.startswith("ner-")]
    ordered = sorted(
        (f for f in given if not (f.kind in _POSTCODES and _inside(f, places))),
        key=lambda f: (-_rank(f), -(f.end - f.start), -f.score, f.start, f.detector),
    )
    for finding in ordered:
        clash = next((k for k in kept if finding.start < k.end and k.start < finding.end), None)
        if clash is None:
            kept.append(finding)
        elif clash.kind == finding.kind and finding.kind in _MERGED:
            _extend(kept, clash, finding)
        elif finding.kind in _LEFT:
            kept.extend(_leftovers(finding, kept, text))
    return sorted(kept)


def _inside(finding: Finding, places: list[Finding]) -> bool:
    return any(p.start <= finding.start and finding.end <= p.end for p in places)


def _leftovers(finding: Finding, kept: list[Finding], text: str) -> Iterator[Finding]:
    """The pieces of a name or an address that no surer finding covers, when they hold a word."""
    at = finding.start
    taken = sorted(k for k in kept if finding.start < k.end and k.start < finding.end)
    for until, following in [*((k.start, k.end) for k in taken), (finding.end, finding.end)]:
        start, end = at, until
        while start < end and text[start] in _EDGE:
            start += 1
        while end > start and text[end - 1] in _EDGE:
            end -= 1
        if end > start and _stands_alone(finding, text[start:end]):
            yield Finding(
                start, end, finding.kind, finding.score, finding.detector, finding.explanation
            )
        at = max(at, following)


def _stands_alone(finding: Finding, piece: str) -> bool:
    """A name, or most of a place, or a part of it with a number; not the word "passport"."""
    if not _WORD.search(piece) or words_only(piece):
        return False
    most = len(piece) * 5 >= (finding.end - finding.start) * 3
    return finding.kind == "PERSON" or most or any(c.isdigit() for c in piece)


def _rank(finding: Finding) -> float:
    if finding.detector == "custom":
        return _OWN_RANK
    if finding.kind == "PHONE_NUMBER" and finding.score >= 0.9:
        return 80  # written internationally or called a telephone number
    if finding.kind == "DATE_TIME" and finding.score < 0.5:
        return 10  # "April" in "April Brown"
    # a weak national identifier must not displace a strong telephone number
    return _RANK.get(finding.kind, _DEFAULT_RANK) + 20 * min(finding.score - 0.8, 0)


def _extend(kept: list[Finding], one: Finding, other: Finding) -> None:
    start, end = min(one.start, other.start), max(one.end, other.end)
    if any(k is not one and start < k.end and k.start < end for k in kept):
        return
    kept[kept.index(one)] = Finding(
        start, end, one.kind, max(one.score, other.score), one.detector, one.explanation
    )
