# ruff: noqa: E501 - tables and patterns read better on one line
"""Score findings against labelled rows. Knows the label names of both, no detector.

A gold span counts as found when predictions of its type cover at least half of it; a prediction
counts as right when gold spans of its type cover at least half of it. Each source is scored on
the types that it labels.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from guardrails.findings import Finding

DEV = Path(__file__).resolve().parents[2] / "shared" / "data" / "dev"

# the product's kinds (Presidio's names) to the core types of the labels
CORE = {
    "PERSON": "PERSON", "LOCATION": "PLACE", "GPE": "PLACE", "ADDRESS": "PLACE", "ZIP": "PLACE",
    "DATE_TIME": "DATE", "DATE": "DATE", "DATE_OF_BIRTH": "DATE",
    "EMAIL_ADDRESS": "EMAIL", "EMAIL": "EMAIL", "PHONE_NUMBER": "PHONE", "PHONE": "PHONE",
    "URL": "URL", "IP_ADDRESS": "IP", "IP": "IP", "IBAN_CODE": "IBAN", "IBAN": "IBAN",
    "CREDIT_CARD": "CREDIT_CARD", "US_SSN": "US_SSN", "FR_NIR": "FR_NIR", "FR_SIRET": "FR_SIRET",
    "FR_SIREN": "FR_SIREN", "FR_VAT": "FR_VAT", "FR_PLATE": "FR_PLATE", "PASSPORT": "PASSPORT",
    "FR_PASSPORT": "PASSPORT",
}  # fmt: skip
OTHER = {"MAC": "MAC_ADDRESS", "ORG": "ORGANIZATION"}


@dataclass(frozen=True)
class Row:
    text: str
    language: str
    spans: tuple[tuple[int, int, str], ...]
    source: str = ""


@dataclass
class Tally:
    found: int = 0
    gold: int = 0
    right: int = 0
    said: int = 0
    by_type: "dict[str, Tally]" = field(default_factory=dict)

    @property
    def recall(self) -> float:
        return self.found / self.gold if self.gold else 1.0

    @property
    def precision(self) -> float:
        return self.right / self.said if self.said else 1.0

    @property
    def f1(self) -> float:
        p, r = self.precision, self.recall
        return 2 * p * r / (p + r) if p + r else 0.0

    def line(self) -> str:
        return f"F1 {self.f1:.3f}  P {self.precision:.3f} ({self.said})  R {self.recall:.3f} ({self.gold})"


def rows(path: Path) -> list[Row]:
    """Rows of a JSONL file with `text`, `lang` and `spans`."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        raw = json.loads(line)
        spans = tuple((s["start"], s["end"], s["type"]) for s in raw["spans"])
        found.append(Row(raw["text"], raw.get("lang", "en"), spans, raw.get("source", "")))
    return found


def score(
    data: Iterable[Row],
    find: Callable[[str, str], list[Finding]],
    types: frozenset[str] | None = None,
    rename: dict[str, str] = CORE,
    misses: "list[tuple[str, str, str, str]] | None" = None,
) -> Tally:
    """One tally over all rows, with one per type inside. `types` limits what is counted."""
    total = Tally()
    per: dict[str, Tally] = defaultdict(Tally)
    for row in data:
        gold = [(s, e, rename[t]) for s, e, t in row.spans if t in rename]
        said = [
            (f.start, f.end, rename[f.kind])
            for f in find(row.text, row.language)
            if f.kind in rename
        ]
        if types is not None:
            gold = [g for g in gold if g[2] in types]
            said = [p for p in said if p[2] in types]
        for one, others, hit, all_, mark in (
            (gold, said, "found", "gold", "missed"), (said, gold, "right", "said", "wrong")
        ):  # fmt: skip
            for start, end, kind in one:
                covered = sum(
                    max(0, min(end, e) - max(start, s)) for s, e, k in others if k == kind
                )
                ok = covered * 2 >= end - start
                for tally in (total, per[kind]):
                    setattr(tally, all_, getattr(tally, all_) + 1)
                    setattr(tally, hit, getattr(tally, hit) + ok)
                if not ok and misses is not None:
                    misses.append((mark, kind, row.text[start:end], row.text))
    total.by_type = dict(per)
    return total


def counts(data: Iterable[Row]) -> Counter[str]:
    return Counter(t for row in data for _, _, t in row.spans)
