"""Names that a conversation has hidden before, found again whole and spelled the same."""

import re

from guardrails.findings import Finding

KINDS = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})  # told by sense, so not always found
_WHY = "It was hidden in this conversation before."
_SHORTEST = 3  # letters of a name that is known again by itself
_WORD = re.compile(r"\w+")


class KnownNames:
    """Values by their first word. Not thread-safe: its vault is."""

    def __init__(self) -> None:
        # first word → length, the longest first → names that begin with it, and their kind: looked
        # up by length, so that a thousand people called Jean cost no more than one
        self._starts: dict[str, dict[int, dict[str, str]]] = {}

    def add(self, kind: str, value: str) -> None:
        """Know a value from now on, where it is a name."""
        first = _WORD.match(value) if kind in KINDS else None
        if first and len(value) >= _SHORTEST and any(map(str.isupper, value)):
            sizes = self._starts.get(first.group(), {})
            if len(value) not in sizes:
                sizes = dict(sorted([*sizes.items(), (len(value), {})], reverse=True))
                self._starts[first.group()] = sizes
            sizes[len(value)][value] = kind

    def find(self, text: str) -> list[Finding]:
        """Where they stand. Linear in the length of the text."""
        found: list[Finding] = []
        at = 0
        for word in _WORD.finditer(text) if self._starts else ():
            if word.start() < at:
                continue
            for size, names in self._starts.get(word.group(), {}).items():
                end = word.start() + size
                kind = names.get(text[word.start() : end])
                if kind is not None and not _WORD.match(text, end):
                    found.append(Finding(word.start(), end, kind, 1.0, "vault", _WHY))
                    at = end
                    break
        return found
