# ruff: noqa: E501 - tables and patterns read better on one line
r"""An organisation's own kinds: a pattern, a check, context words, or a list of values, from a file.

```yaml
kinds:
  - kind: CUSTOMER_NUMBER
    pattern: 'C-\d{6}'
    check: luhn              # optional: a name of CHECKS
    context: [customer, client]
    needs_context: false
    examples:
      - {text: "Customer C-123456 called", finds: ["C-123456"]}
      - {text: "Clause C-12 applies", finds: []}
  - kind: PROJECT
    values: [Bluebird, "Operation Nightfall"]
```
"""

import difflib
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import re2
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from guardrails.detect.recognizers import checks
from guardrails.errors import BadInput

CHECKS: dict[str, Callable[[str], bool]] = {
    "luhn": checks.luhn, "card": checks.card, "nir": checks.nir, "siret": checks.siret,
    "siren": checks.siren, "iban": checks.stdnum("iban"), "ean": checks.stdnum("ean"),
    "isbn": checks.stdnum("isbn"), "imei": checks.stdnum("imei"), "lei": checks.stdnum("lei"),
    "verhoeff": checks.stdnum("verhoeff"), "damm": checks.stdnum("damm"),
    "mod97": checks.stdnum("iso7064.mod_97_10"), "vat": checks.stdnum("eu.vat"),
}  # fmt: skip
_strict = ConfigDict(extra="forbid", frozen=True)


class Example(BaseModel):
    """A text and the values that must be found in it, in order."""

    model_config = _strict
    text: str
    finds: tuple[str, ...] = ()


class Kind(BaseModel):
    """One kind of the organisation."""

    model_config = _strict
    kind: str = Field(pattern=r"^[A-Z][A-Z0-9_]{1,39}$")
    pattern: str = ""
    values: tuple[str, ...] = ()
    check: str = ""
    context: tuple[str, ...] = ()
    needs_context: bool = False
    why: str = ""
    examples: tuple[Example, ...] = ()

    @field_validator("pattern")
    @classmethod
    def _linear(cls, value: str) -> str:
        # RE2 guarantees linear time; patterns from files get no other engine
        try:
            re2.compile(value)
        except re2.error as problem:
            raise ValueError(f"not a pattern that RE2 accepts: {problem}") from problem
        return value

    @field_validator("check")
    @classmethod
    def _known(cls, value: str) -> str:
        if value and value not in CHECKS:
            near = difflib.get_close_matches(value, CHECKS, 1)
            raise ValueError(
                f"no check {value!r}" + (f", did you mean {near[0]!r}?" if near else "")
            )
        return value

    @model_validator(mode="after")
    def _something(self) -> "Kind":
        if not self.pattern and not self.values:
            raise ValueError("give a pattern or a list of values")
        return self


class _File(BaseModel):
    model_config = _strict
    kinds: tuple[Kind, ...] = ()


@dataclass(frozen=True)
class Trial:
    """What an example found, beside what it should find."""

    kind: str
    text: str
    expected: tuple[str, ...]
    found: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return self.expected == self.found


def load(path: Path) -> tuple[Kind, ...]:
    """The kinds of a file. Raises `BadInput` naming the file, the place and the nearest valid key."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        raise BadInput("kinds-file", file=path.name, line=mark.line + 1 if mark else 0) from problem
    try:
        return _File.model_validate(raw).kinds
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        near = difflib.get_close_matches(str(first["loc"][-1]), [*Kind.model_fields, "kinds"], 1)
        raise BadInput(
            "kinds-file",
            file=path.name,
            place=place,
            problem=first["msg"],
            nearest=near[0] if near else "",
        ) from problem


_active: tuple[Kind, ...] = ()
_lock = threading.Lock()


def use(kinds: Sequence[Kind]) -> None:
    """Look for these kinds from now on, in every text (the paragraph cache is emptied)."""
    global _active
    from guardrails.detect import pii  # up one level: only to forget what was found without them

    with _lock:
        _active = tuple(kinds)
    pii.forget()


def try_out(kinds: Sequence[Kind]) -> list[Trial]:
    """Every example of every kind, tried on the spot."""
    return [
        Trial(kind.kind, example.text, example.finds,
              tuple(example.text[s:e] for s, e, *_ in _matches(kind, example.text)))
        for kind in kinds
        for example in kind.examples
    ]  # fmt: skip


def find(text: str) -> list[tuple[int, int, str, float, str, str]]:
    """Candidates `(start, end, kind, score, detector, why)` of the active kinds."""
    return [match for kind in _active for match in _matches(kind, text)]


def _matches(kind: Kind, text: str) -> list[tuple[int, int, str, float, str, str]]:
    found = []
    for pattern in _compiled(kind.pattern, kind.values):
        for match in pattern.finditer(text):
            start, end = match.span()
            if end <= start or (kind.check and not CHECKS[kind.check](text[start:end])):
                continue
            near = _near(kind, text, start, end)
            if kind.needs_context and not near:
                continue
            why = kind.why or "It is one of your organisation's own kinds."
            found.append((start, end, kind.kind, 0.95 if near else 0.85, "custom", why))
    return sorted(found)


def _near(kind: Kind, text: str, start: int, end: int) -> bool:
    around = text[max(0, start - 60) : start] + " " + text[end : end + 24]
    return any(
        re.search(rf"(?<!\w){re.escape(word)}(?!\w)", around, re.IGNORECASE)
        for word in kind.context
    )


@cache
def _compiled(pattern: str, values: tuple[str, ...]) -> tuple["re.Pattern[str]", ...]:
    found = [re2.compile(pattern)] if pattern else []
    if values:
        union = "|".join(re.escape(v) for v in sorted(values, key=len, reverse=True))
        found.append(re.compile(rf"(?<!\w)(?:{union})(?!\w)", re.IGNORECASE))
    return tuple(found)
