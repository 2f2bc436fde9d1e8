# ruff: noqa: E501 - tables and patterns read better on one line
"""From overlapping candidates to findings that do not overlap."""

from collections.abc import Iterable

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


def resolve(candidates: Iterable[Finding]) -> list[Finding]:
    """Non-overlapping findings in order of position."""
    kept: list[Finding] = []
    ordered = sorted(
        candidates, key=lambda f: (-_rank(f), -(f.end - f.start), -f.score, f.start, f.detector)
    )
    for finding in ordered:
        clash = next((k for k in kept if finding.start < k.end and k.start < finding.end), None)
        if clash is None:
            kept.append(finding)
        elif clash.kind == finding.kind and finding.kind in _MERGED:
            _extend(kept, clash, finding)
    return sorted(kept)


def _rank(finding: Finding) -> float:
    if finding.detector == "custom":
        return _OWN_RANK
    if finding.kind == "PHONE_NUMBER" and finding.score >= 0.9:
        return 80  # written internationally or called a telephone number
    # a weak national identifier must not displace a strong telephone number
    return _RANK.get(finding.kind, _DEFAULT_RANK) + 20 * min(finding.score - 0.8, 0)


def _extend(kept: list[Finding], one: Finding, other: Finding) -> None:
    start, end = min(one.start, other.start), max(one.end, other.end)
    if any(k is not one and start < k.end and k.start < end for k in kept):
        return
    kept[kept.index(one)] = Finding(
        start, end, one.kind, max(one.score, other.score), one.detector, one.explanation
    )
