# ruff: noqa: E501 - tables and patterns read better on one line
"""One value's shape: a pattern, a check and the words that make it likely. Pure data, no engine."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

_WORD = re.compile(r"\w+")


def words_of(text: str) -> frozenset[str]:
    """The words of a text in lower case, for `Shape.gate`."""
    return frozenset(_WORD.findall(text.lower()))


def first_word(phrase: str) -> str:
    """The first word of a phrase in lower case, "" when it has none."""
    match = _WORD.search(phrase.lower())
    return match.group() if match else ""


@dataclass(frozen=True)
class Shape:
    """A kind's written form.

    `pattern` is bounded (no unbounded quantifier) and matched without case unless `cased`; a group
    named `v` narrows the span. `check` gets the matched text and says whether the digits hold.
    `score` is for a match alone, `near` for one with a word of `context` within `reach` characters
    before (or 24 after); a score of 0 drops the match.
    """

    kind: str
    name: str
    pattern: str
    why: str
    score: float = 0.9
    near: float = 0.95
    check: Callable[[str], bool] | None = None
    context: tuple[str, ...] = ()
    cased: bool = False
    reach: int = 60
    languages: tuple[str, ...] = ("en", "fr")
    shrinks: bool = False  # the next word may look like one more group of the value
    needs: str = ""  # characters without which the pattern cannot match; "0" stands for any digit
    words: tuple[str, ...] = ()  # the pattern cannot match without one of these (lower case)

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return re.compile(self.pattern, 0 if self.cased else re.IGNORECASE)

    @cached_property
    def context_regex(self) -> re.Pattern[str] | None:
        if not self.context:
            return None
        # whole words: "public" must not count as "lic"
        words = "|".join(re.escape(word) for word in self.context)
        return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)

    @cached_property
    def gate(self) -> frozenset[str]:
        """One of these words must stand in the text; empty when nothing can be told beforehand.

        A shape that counts only beside its context counts nothing in a text without it, and asking
        a set is far cheaper than running the pattern.
        """
        phrases = self.words or (() if self.score else self.context)
        firsts = [first_word(phrase) for phrase in phrases]
        return frozenset(firsts) if all(firsts) else frozenset()

    def _checked_end(self, text: str, start: int, end: int) -> int | None:
        """Where the value ends for the check to hold, or None. Groups may be given up from the end."""
        if self.check is None:
            return end
        while not self.check(text[start:end]):
            cut = max(text.rfind(" ", start, end), text.rfind("-", start, end))
            if not self.shrinks or cut <= start:
                return None
            end = cut
        return end

    def matches(self, text: str) -> list[tuple[int, int, float]]:
        """Spans and scores, in order."""
        found: list[tuple[int, int, float]] = []
        if not self.score and self.context_regex and not self.context_regex.search(text):
            return found  # without a word of its context this shape counts nothing
        for match in self.regex.finditer(text):
            start, end = match.span("v") if "v" in self.regex.groupindex else match.span()
            if start < 0:
                continue
            checked = self._checked_end(text, start, end)
            if checked is None:
                continue
            end = checked
            if self.kind == "LOCATION":  # the full stop after an address ends the sentence
                end = start + len(text[start:end].rstrip(" .,;:\n"))
            score = self.score
            if self.context_regex is not None and self.near != score:
                before = text[max(0, start - self.reach) : start]
                after = text[end : end + 24]
                if self.context_regex.search(before) or self.context_regex.search(after):
                    score = self.near
            if score > 0:
                found.append((start, end, score))
        return found
