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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import re2
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from guardrails.detect.recognizers import checks
from guardrails.errors import BadInput
from guardrails.placeholders import LITERAL, kind_name

CHECKS: dict[str, Callable[[str], bool]] = {
    "luhn": checks.luhn, "card": checks.card, "nir": checks.nir, "siret": checks.siret,
    "siren": checks.siren, "iban": checks.stdnum("iban"), "ean": checks.stdnum("ean"),
    "isbn": checks.stdnum("isbn"), "imei": checks.stdnum("imei"), "lei": checks.stdnum("lei"),
    "verhoeff": checks.stdnum("verhoeff"), "damm": checks.stdnum("damm"),
    "mod97": checks.stdnum("iso7064.mod_97_10"), "vat": checks.stdnum("eu.vat"),
}  # fmt: skip
_strict = ConfigDict(extra="forbid", frozen=True)
LONGEST_FILE = 400_000  # characters
_LONGEST_PATTERN = 400
_RESERVED = frozenset({"SECRET", "INJECTION", "DATA", LITERAL})
# a pattern that finds one of these would mask ordinary sentences
_ORDINARY = ("the", "and", "hello", "le", "les", "bonjour", "merci", "1", "2026", "M.", "-", " ")


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

    @field_validator("kind")
    @classmethod
    def _placeholder(cls, value: str) -> str:
        if value in _RESERVED or kind_name(value) != value:
            raise ValueError("cannot stand in a placeholder: at most five words of 15 letters")
        return value

    @field_validator("pattern")
    @classmethod
    def _linear(cls, value: str) -> str:
        # RE2 guarantees linear time; patterns from files get no other engine
        if len(value) > _LONGEST_PATTERN:
            raise ValueError(f"longer than {_LONGEST_PATTERN} characters")
        try:
            compiled = re2.compile(value, _quiet())
        except re2.error as problem:
            said = problem.args[0].decode() if isinstance(problem.args[0], bytes) else str(problem)
            raise ValueError(f"not a pattern that RE2 accepts: {said}") from problem
        if value and (compiled.fullmatch("") or any(map(compiled.fullmatch, _ORDINARY))):
            raise ValueError("it finds ordinary words too: make it narrower")
        return value

    @field_validator("values")
    @classmethod
    def _telling(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if short := [value for value in values if len(value.strip()) < 3]:
            raise ValueError(f"{len(short)} values have fewer than three characters")
        return values

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
    """The kinds of a file; see `parse`. Raises OSError when it cannot be read."""
    return parse(path.read_text(encoding="utf-8"), path.name)


def parse(text: str, name: str = "kinds.yaml") -> tuple[Kind, ...]:
    """The kinds that `text` describes.

    Raises `BadInput("kinds-file")` with `file`, `line` (from 1), `place` (`kinds.0.patern`),
    `problem`, and `nearest`: the valid key nearest to one that is not.
    """
    if len(text) > LONGEST_FILE:
        raise _bad(name, 1, "", f"longer than {LONGEST_FILE} characters")
    try:
        # aliases could make a small file endless
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise _bad(name, 1, "", "anchors and aliases (& and *) are not allowed")
        raw = yaml.safe_load(text)
        if twice := _twice(yaml.compose(text, Loader=yaml.SafeLoader)):
            raise _bad(name, twice[1], twice[0], "this key stands here twice")
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        said = getattr(problem, "problem", None) or "not YAML"
        raise _bad(name, mark.line + 1 if mark else 1, "", str(said)) from problem
    try:
        return _File.model_validate({} if raw is None else raw).kinds
    except ValidationError as problem:
        first = problem.errors()[0]
        place = tuple(first["loc"])
        unknown = first["type"] == "extra_forbidden"
        # the keys of the level where the unknown one stands
        levels = {1: ["kinds"], 3: list(Kind.model_fields), 5: list(Example.model_fields)}
        valid = levels.get(len(place), [])
        near = difflib.get_close_matches(str(place[-1]), valid, 1) if unknown and place else []
        raise _bad(
            name,
            _line(text, place),
            ".".join(map(str, place)),
            "there is no such key" if unknown else first["msg"].removeprefix("Value error, "),
            near[0] if near else "",
        ) from problem


def _bad(file: str, line: int, place: str, problem: str, nearest: str = "") -> BadInput:
    hint = f" ({nearest}?)" if nearest else ""
    return BadInput(
        "kinds-file",
        file=file,
        line=line,
        place=place,
        problem=f"{place}: {problem}{hint}" if place else problem,
        nearest=nearest,
    )


def _twice(node: yaml.Node | None) -> tuple[str, int] | None:
    """A key that one mapping has twice, with its line: YAML would quietly take the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if str(key.value) in seen:
                return str(key.value), key.start_mark.line + 1
            seen.add(str(key.value))
            if found := _twice(value):
                return found
    for item in node.value if isinstance(node, yaml.SequenceNode) else ():
        if found := _twice(item):
            return found
    return None


def _line(text: str, place: Sequence[int | str]) -> int:
    """The line, from 1, of what `place` names; of the nearest thing around it that exists."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line = 1
    for step in place:
        if isinstance(node, yaml.MappingNode):
            pair = next((p for p in node.value if p[0].value == str(step)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            if step >= len(node.value):
                break
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


_active: tuple[Kind, ...] = ()
_lock = threading.Lock()


def use(kinds: Sequence[Kind]) -> None:
    """Look for these kinds from now on, in every text (the paragraph cache is emptied)."""
    global _active
    from guardrails.detect import pii  # up one level: only to forget what was found without them

    with _lock:
        _active = tuple(kinds)
    pii.forget()


def active() -> tuple[Kind, ...]:
    """The kinds that are looked for now."""
    return _active


def try_out(kinds: Sequence[Kind]) -> list[Trial]:
    """Every example of every kind, tried on the spot."""
    return [
        Trial(kind.kind, example.text, example.finds,
              tuple(example.text[s:e] for s, e, *_ in _matches(kind, example.text)))
        for kind in kinds
        for example in kind.examples
    ]  # fmt: skip


def search(kinds: Sequence[Kind], text: str) -> list[tuple[int, int, str, float, str, str]]:
    """What these kinds find in `text`, whether or not they are active: see `find`."""
    return sorted(match for kind in kinds for match in _matches(kind, text))


def find(text: str) -> list[tuple[int, int, str, float, str, str]]:
    """Candidates `(start, end, kind, score, detector, why)` of the active kinds."""
    return [match for kind in _active for match in _matches(kind, text)]


def _matches(kind: Kind, text: str) -> list[tuple[int, int, str, float, str, str]]:
    found = []
    for start, end in _spans(kind, text):
        if kind.check and not CHECKS[kind.check](text[start:end]):
            continue
        near = _near(kind, text, start, end)
        if kind.needs_context and not near:
            continue
        why = kind.why or "It is one of your organisation's own kinds."
        found.append((start, end, kind.kind, 0.95 if near else 0.85, "custom", why))
    return sorted(found)


def _spans(kind: Kind, text: str) -> Iterator[tuple[int, int]]:
    if kind.pattern:
        for match in _compiled(kind.pattern).finditer(text):
            if match.end() > match.start():
                yield match.span()
    if kind.values:
        yield from _values(_index(kind.values), text)


_TOKEN = re.compile(r"\w+|[^\w\s]")


def _values(index: dict[str, list[str]], text: str) -> Iterator[tuple[int, int]]:
    """Whole words, whatever their case, the longest value first; linear for any number of them."""
    lower = _lowered(text)
    at = 0
    for token in _TOKEN.finditer(lower):
        start = token.start()
        if start < at:
            continue
        for value in index.get(token.group(), ()):
            end = start + len(value)
            if lower.startswith(value, start) and not (
                _wordy(lower[start - 1 : start], value[:1])
                or _wordy(value[-1:], lower[end : end + 1])
            ):
                yield start, end
                at = end
                break


def _wordy(one: str, other: str) -> bool:
    """Whether two characters belong to one word."""
    return bool(_WORDS.fullmatch(one)) and bool(_WORDS.fullmatch(other))


_WORDS = re.compile(r"\w")


def _lowered(text: str) -> str:
    """Lower case of the same length, so that offsets hold."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


@lru_cache(maxsize=256)
def _index(values: tuple[str, ...]) -> dict[str, list[str]]:
    """First token → the values that begin with it, longest first."""
    index: dict[str, list[str]] = {}
    for value in {_lowered(value.strip()) for value in values}:
        first = _TOKEN.search(value)
        if first is not None:
            index.setdefault(first.group(), []).append(value)
    return {first: sorted(found, key=len, reverse=True) for first, found in index.items()}


def _near(kind: Kind, text: str, start: int, end: int) -> bool:
    around = text[max(0, start - 60) : start] + " " + text[end : end + 24]
    return any(
        re.search(rf"(?<!\w){re.escape(word)}(?!\w)", around, re.IGNORECASE)
        for word in kind.context
    )


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> "re.Pattern[str]":
    compiled: re.Pattern[str] = re2.compile(pattern, _quiet())
    return compiled


@cache
def _quiet() -> "re2.Options":
    """A broken pattern is said to the person who wrote it, not to the server's log."""
    options = re2.Options()
    options.log_errors = False
    return options
