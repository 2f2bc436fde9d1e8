"""Per-conversation pseudonyms: `restore(mask(x)) == x`. Knows nothing of detectors or models.

A value becomes `<KIND_N>`; another spelling of the same thing `<KIND_NB>`, `<KIND_NC>`, so that
every form comes back exactly as typed while the model still sees one number for one person. A
string of the input that merely looks like a placeholder becomes `<LITERAL_N>`.
Secrets become `<SECRET>` and never come back.
"""

import hashlib
import hmac
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from guardrails.errors import VaultError
from guardrails.findings import Finding
from guardrails.identities import Name, People, canonical
from guardrails.known_names import KnownNames
from guardrails.placeholders import (
    LITERAL,
    SECRET,
    VARIANTS,
    Candidate,
    kind_name,
    scan,
    suffix,
)
from guardrails.surrogates import Surrogates

_ATTEMPTS = 5  # other processes may add to the same conversation at the same time
_PLAIN = "PLAIN"  # kind of a record that a plain form ("personne 1") stood in the input


@dataclass(frozen=True, slots=True)
class Entry:
    """One surface form of one value. `value` is None once it was erased or has expired."""

    kind: str
    number: int
    variant: int
    value: str | None

    @property
    def name(self) -> str:
        """The placeholder without its brackets."""
        return f"{self.kind}_{self.number}{suffix(self.variant)}"


class VaultConflict(Exception):
    """Another vault took the same placeholder first: read again and retry."""


class VaultStore(Protocol):
    """Keeps entries encrypted. `add` is all or nothing and raises VaultConflict."""

    def load(self, conversation: str, key: bytes) -> list[Entry]: ...

    def add(self, conversation: str, key: bytes, entries: Sequence[Entry]) -> None: ...


@dataclass(slots=True)
class _Kind:
    """The numbers given out for one kind."""

    variants: list[int] = field(default_factory=list)  # surface forms per number - 1
    by_canonical: dict[str, int] = field(default_factory=dict)
    people: People = field(default_factory=People)


class Vault:
    """The pseudonyms of one conversation; thread-safe. Without `rows` they live in memory only."""

    def __init__(self, conversation: str, key: bytes, rows: VaultStore | None = None) -> None:
        self.conversation = conversation
        self._key = key
        self._rows = rows
        self._lock = threading.RLock()
        self._closed = False
        self._reset()
        if rows is not None:
            self.refresh()

    def __repr__(self) -> str:
        return f"Vault({self.conversation!r}, {len(self._values)} placeholders)"

    def close(self) -> None:
        """Keep nothing more: a turn that outlives its conversation must not fill it again."""
        with self._lock:
            self._closed = True

    def mask(self, text: str, findings: Sequence[Finding], *, masked: bool = False) -> str:
        """`text` with every finding replaced by its placeholder.

        `masked=True` says that `text` has been through this vault before (a model's reply, a frame
        from the seal): known placeholders are keys and stay; otherwise they are data and are
        escaped. Raises VaultError when a finding lies outside the text or entries cannot be kept.
        """
        with self._lock:
            spans = _merge(text, findings)
            if masked:
                spans = self._around_keys(text, spans)
            for _attempt in range(_ATTEMPTS):
                fresh: list[Entry] = []
                result = self._write(text, spans, masked, fresh)
                if not fresh or self._rows is None:
                    return result
                if self._closed:
                    self._forget(fresh)
                    raise VaultError("vault-failed", why="forgotten")
                try:
                    self._rows.add(self.conversation, self._key, fresh)
                except VaultConflict:
                    self.refresh()
                except BaseException:
                    self._forget(fresh)
                    raise
                else:
                    return result
        raise VaultError("vault-failed", why="conflict")

    def restore(self, text: str, start: int = 0) -> str:
        """`text` from `start` with every known placeholder replaced by exactly what stood there.

        Reads the forms that models make of placeholders too (case, brackets, spacing, escapes,
        French words). One pass: values are never read as placeholders. Unknown ones stay.
        """
        pieces: list[str] = []
        at = start
        with self._lock:
            for found in scan(text, start):
                value = self._read(found)
                if value is not None:
                    pieces += (text[at : found.start], value)
                    at = found.end
        pieces.append(text[at:])
        return "".join(pieces)

    def known(self, text: str) -> list[Finding]:
        """Where names stand that this conversation has hidden before, whole and spelled the same.

        A detector finds a name by the words around it: hidden in a question and left in the
        document, it would be two things to a model, and the question could not be answered.
        Linear in the length of the text.
        """
        with self._lock:
            return self._known.find(text)

    def placeholders(self) -> Mapping[str, str]:
        """Placeholder → kind, in order of appearance. Never values."""
        with self._lock:
            return MappingProxyType(
                {f"<{name}>": kind for name, (kind, value) in self._values.items() if value}
            )

    def surrogates(self, language: str) -> Surrogates:
        """Stand-ins for this conversation's placeholders; the same ones at every call."""
        name = f"surrogates\0{self.conversation}".encode()
        key = hmac.new(self._key or b"memory", name, hashlib.sha256).digest()
        return Surrogates(key, "fr" if language == "fr" else "en")

    def refresh(self) -> None:
        """Read the entries again: another process may have added or erased some."""
        if self._rows is None:
            return
        with self._lock:
            entries = self._rows.load(self.conversation, self._key)
            self._reset()
            for entry in sorted(entries, key=lambda item: (item.kind, item.number, item.variant)):
                self._keep(entry)

    def _forget(self, fresh: Iterable[Entry]) -> None:
        """Drop entries that could not be kept: half-known names would never come back."""
        lost = set(fresh)
        kept = [entry for entry in self._entries if entry not in lost]
        self._reset()
        for entry in kept:
            self._keep(entry)

    def _reset(self) -> None:
        self._entries: list[Entry] = []
        self._values: dict[str, tuple[str, str | None]] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._kinds: dict[str, _Kind] = {}
        self._plain: set[str] = set()
        self._known = KnownNames()

    def _keep(self, entry: Entry) -> None:
        self._entries.append(entry)
        if entry.kind == _PLAIN:
            self._plain.add(entry.value or "")
            kind = self._kinds.setdefault(_PLAIN, _Kind())
            kind.variants += [1] * (entry.number - len(kind.variants))
            return
        self._values[entry.name] = (entry.kind, entry.value)
        kind = self._kinds.setdefault(entry.kind, _Kind())
        while len(kind.variants) < entry.number:
            kind.variants.append(0)
        kind.variants[entry.number - 1] = max(kind.variants[entry.number - 1], entry.variant + 1)
        if entry.value is None:
            return
        self._names[entry.kind, entry.value] = entry.name
        self._known.add(entry.kind, entry.value)
        kind.by_canonical.setdefault(canonical(entry.kind, entry.value), entry.number)
        if entry.kind == "PERSON":
            kind.people.add(entry.number, Name.read(entry.value))

    def _write(
        self, text: str, spans: list[tuple[int, int, str]], masked: bool, fresh: list[Entry]
    ) -> str:
        pieces: list[str] = []
        at = 0
        # read in the whole text: what stands around it decides whether a word is a placeholder
        keys = list(scan(text)) if masked else []
        # keys are those known now: a number given out below must not turn older words into one
        live = frozenset(key.name for key in keys if self._read(key) is not None)
        for start, end, kind in spans:
            self._escape(text[at:start], live, pieces, fresh)
            value = text[start:end]
            if kind == "SECRET":
                pieces.append(SECRET)
            else:
                # in masked text a finding may enclose a placeholder; its value is what it stood for
                whole = self._restored(text, start, end, keys, live) if masked else value
                pieces.append(f"<{self._name(kind_name(kind), whole, fresh)}>")
            at = end
        self._escape(text[at:], live, pieces, fresh)
        return "".join(pieces)

    def _restored(
        self, text: str, start: int, end: int, keys: Sequence[Candidate], live: frozenset[str]
    ) -> str:
        pieces: list[str] = []
        at = start
        for key in keys:
            inside = start <= key.start and key.end <= end
            value = self._read(key) if inside and key.name in live else None
            if value is not None:
                pieces += (text[at : key.start], value)
                at = key.end
        pieces.append(text[at:end])
        return "".join(pieces)

    def _around_keys(
        self, text: str, spans: list[tuple[int, int, str]]
    ) -> list[tuple[int, int, str]]:
        """Findings inside a known placeholder are none; those that cut one take it in whole."""
        keys = [(key.start, key.end) for key in scan(text) if self._read(key) is not None]
        result: list[tuple[int, int, str]] = []
        at = 0
        for start, end, kind in spans:
            while at < len(keys) and keys[at][1] <= start:
                at += 1
            inside = at < len(keys) and keys[at][0] <= start and end <= keys[at][1]
            index = at
            while not inside and index < len(keys) and keys[index][0] < end:
                start, end = min(start, keys[index][0]), max(end, keys[index][1])
                index += 1
            if inside:
                continue
            if result and start < result[-1][1]:
                first, last, other = result[-1]
                result[-1] = (
                    first,
                    max(end, last),
                    "SECRET" if "SECRET" in (kind, other) else other,
                )
            else:
                result.append((start, end, kind))
        return result

    def _escape(
        self, text: str, live: frozenset[str], pieces: list[str], fresh: list[Entry]
    ) -> None:
        at = 0
        for found in scan(text):
            if found.name in live and self._read(found) is not None:
                continue
            if found.plain:
                if found.plain not in self._plain:
                    number = len(self._kinds.setdefault(_PLAIN, _Kind()).variants) + 1
                    self._add(Entry(_PLAIN, number, 0, found.plain), fresh)
                continue
            name = self._name(LITERAL, text[found.start : found.end], fresh)
            pieces += (text[at : found.start], f"<{name}>")
            at = found.end
        pieces.append(text[at:])

    def _read(self, found: Candidate) -> str | None:
        if found.plain and found.plain in self._plain:
            return None
        return self._values.get(found.name, ("", None))[1]

    def _name(self, kind: str, value: str, fresh: list[Entry]) -> str:
        known = self._names.get((kind, value))
        if known is not None:
            return known
        group = self._kinds.setdefault(kind, _Kind())
        number = self._number(kind, value, group)
        if number is None or group.variants[number - 1] >= VARIANTS:
            number = len(group.variants) + 1
        variant = group.variants[number - 1] if number <= len(group.variants) else 0
        entry = Entry(kind, number, variant, value)
        self._add(entry, fresh)
        return entry.name

    def _number(self, kind: str, value: str, group: _Kind) -> int | None:
        if kind == LITERAL:
            return None
        if kind == "PERSON":
            return group.people.find(Name.read(value))
        return group.by_canonical.get(canonical(kind, value))

    def _add(self, entry: Entry, fresh: list[Entry]) -> None:
        if entry.number > 99_999:
            raise VaultError("vault-full", kind=entry.kind)
        self._keep(entry)
        fresh.append(entry)


def _merge(text: str, findings: Sequence[Finding]) -> list[tuple[int, int, str]]:
    """Disjoint spans in order. Overlaps are covered whole: a remainder would leak."""
    spans: list[tuple[int, int, str]] = []
    strength: list[tuple[bool, int]] = []
    for item in sorted(findings, key=lambda finding: (finding.start, -finding.end)):
        if not 0 <= item.start <= item.end <= len(text):
            raise VaultError("vault-failed", why="offsets", kind=item.kind)
        if item.start == item.end:
            continue
        weight = (item.kind == "SECRET", item.end - item.start)
        if spans and item.start < spans[-1][1]:
            start, end, kind = spans[-1]
            if weight > strength[-1]:
                kind, strength[-1] = item.kind, weight
            spans[-1] = (start, max(end, item.end), kind)
        else:
            spans.append((item.start, item.end, item.kind))
            strength.append(weight)
    return spans
