"""What the guards report: frozen results. Knows nothing of detectors, models or storage."""

from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["allow", "ask", "deny"]
Provenance = Literal["user", "system", "tool", "document", "model"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One span of a text that a detector recognised.

    `start` and `end` are code-point offsets into the text as it was given (end exclusive);
    `kind` is a Presidio entity name (PERSON, FR_NIR, ...), `SECRET`, `INJECTION` or a
    sensitive-topic kind (`HEALTH`, `RELIGION`, ...); `score` is in 0..1; `explanation` is one
    plain sentence that never repeats the text that was found.
    """

    start: int
    end: int
    kind: str
    score: float
    detector: str
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided, by which rule. `obligations` are duties that come with an allow."""

    outcome: Outcome
    rule: str
    obligations: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()  # every rule that matched, `rule` first


@dataclass(frozen=True, slots=True)
class Screened:
    """A text after screening: `text` is safe to send and to keep (masked)."""

    text: str
    findings: tuple[Finding, ...] = field(default_factory=tuple)
    verdict: Verdict = Verdict("deny", rule="no-match")
