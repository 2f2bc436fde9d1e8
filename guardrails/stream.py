"""Screening and restoring of a text that arrives in pieces. Knows nothing of who sends it.

Nothing that could still become part of a finding or of a placeholder leaves; what is held back
is at most `HOLD` characters.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace

from guardrails.placeholders import SECRET, open_tail, scan
from guardrails.screen import DEFAULT, Screen, ScreenPolicy
from guardrails.vault import Vault

HOLD = 128  # characters that may wait
CONTEXT = 240  # characters already sent that detectors see again: "my name is" before the name
PAUSE_S = 0.1  # between two passes of the detectors once the first words are out
SHARE = 12  # and as many times as long as a pass takes: a machine with much to do makes fewer
MOST_PAUSE_S = 0.4
_WORD = re.compile(r"\S+\s+")
# Words that may stand between two parts of one finding ("Jean de la Tour", "jean at example").
_JOINING = (
    "de du des la le les d' l' von van der den of the and et at dot arobase point chez rue avenue"
    " boulevard place street road no n° tel tél bis ter st saint mr mrs ms dr m. mme mlle je"
    " m'appelle suis i am i'm my name is nom monsieur madame plus"
)
_JOINS = frozenset(_JOINING.split())
# Capitalised words that begin answers and never names: they need not wait for company.
_OPENING = (
    "Bonjour Bonsoir Merci Voici Voilà Oui Non Il Elle Ils Elles Nous Vous Je Ce Cette Ces Cela"
    " Les Des Un Une Pour Dans Sur Selon Hello Hi Yes No Sure Here There This That These Those I"
    " You We They It An A In On To For If As With Based According Thanks Thank Please Certainly"
    " Sorry Of Your Our His Her Its My"
)
_OPENERS = frozenset(_OPENING.split())
# And these as the very first word: "12 The Avenue" is an address, "The" alone tells nothing.
_FIRST_WORDS = frozenset(("The", "Dear", "Subject", "Objet"))
# "Bonjour," at the very beginning need not wait for the blank: no address, link or key of any kind
# goes on behind a comma or an exclamation mark. "Bonjour" alone must wait: "bonjour@example.fr".
_FIRST = re.compile(r"\s*(\w+)[,!]")
_PLAIN = re.compile(r"[a-zà-öø-ÿœ'’]+[,;:.!?]*")
_RUN = re.compile(rf"[A-Za-z0-9+/=_\-.%~]{{{HOLD - 8},}}")
_RUN_END = re.compile(r"[^A-Za-z0-9+/=_\-.%~]")
_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY")
_KEY_END = re.compile(r"-----END [A-Z ]{0,40}PRIVATE KEY[A-Z ]{0,20}-----")


async def restore_stream(chunks: AsyncIterator[str], vault: Vault) -> AsyncIterator[str]:
    """The chunks with real values; a placeholder never shows half-way."""
    waiting, seen = "", 0  # `seen`: one character that has left, for what stands before a word
    async for chunk in chunks:
        waiting += chunk
        cut = open_tail(waiting, seen)
        if cut > seen:
            yield vault.restore(waiting[:cut], start=seen)
            waiting, seen = waiting[cut - 1 :], 1
    if len(waiting) > seen:
        yield vault.restore(waiting, start=seen)


async def screen_stream(
    chunks: AsyncIterator[str], screen: Screen, vault: Vault, policy: ScreenPolicy = DEFAULT
) -> AsyncIterator[str]:
    """The chunks masked through `vault`. Raises ScreenFailed; what was held then never leaves."""
    window = _Window(screen, vault, policy)
    due = 0.0
    async for chunk in chunks:
        window.add(chunk)
        began = time.monotonic()
        if (began < due and len(window) <= HOLD) or not window.ready():
            continue
        if text := await asyncio.to_thread(window.release):
            now = time.monotonic()
            due = now + min(max(PAUSE_S, SHARE * (now - began)), MOST_PAUSE_S)
            yield text
    if text := await asyncio.to_thread(window.release, True):
        yield text


class _Window:
    """Raw text that has not left yet, with a little of what has."""

    def __init__(self, screen: Screen, vault: Vault, policy: ScreenPolicy) -> None:
        self._screen = screen
        self._vault = vault
        self._policy = policy
        self._before = ""
        self._held = ""
        self._swallow: re.Pattern[str] | None = None  # inside a secret: drop until this

    def __len__(self) -> int:
        return len(self._held)

    def add(self, chunk: str) -> None:
        self._held += chunk

    def ready(self) -> bool:
        """Whether a pass of the detectors may let something go. Costs next to nothing."""
        held = self._held
        if self._swallow is not None or len(held) > HOLD or _KEY_BEGIN.search(held):
            return True
        return _safe(held, not self._before) > 0

    def release(self, last: bool = False) -> str:
        """Masked text that can go now."""
        out: list[str] = []
        while self._held:
            if self._swallow is not None and not self._skip():
                break
            if key := _KEY_BEGIN.search(self._held):
                # a private key is longer than any hold-back: what precedes it goes, it does not
                rest = self._held[key.end() :]
                self._held = self._held[: key.start()]
                out += (self._send(len(self._held)), SECRET)
                self._held, self._swallow = rest, _KEY_END
                continue
            size = len(self._held)
            cut = size if last else _safe(self._held, not self._before)
            if not last and not cut and size <= HOLD:
                break
            before = size
            out.append(self._send(cut, last))
            if len(self._held) in (before, 0) or len(self._held) <= HOLD:
                break
        return "".join(out)

    def _skip(self) -> bool:
        """Drop the rest of a secret; False while it may go on."""
        end = self._swallow.search(self._held) if self._swallow else None
        if end is None:
            self._held = self._held[-HOLD:] if self._swallow is _KEY_END else ""
            return False
        self._held = self._held[end.end() if self._swallow is _KEY_END else end.start() :]
        self._swallow = None
        return True

    def _send(self, cut: int, last: bool = True) -> str:
        if not self._held:
            return ""
        base, held = len(self._before), self._held
        found = [
            replace(item, start=max(item.start - base, 0), end=item.end - base)
            for item in self._screen.findings(self._before + held)
            if item.end > base and self._policy.action(item.kind) != "allow"
        ]
        if not last:
            whole = [(item.start, item.end) for item in found]
            whole += [(key.start, key.end) for key in scan(held)]
            cut = _clear(sorted(whole), cut, len(held.rstrip()))
            if len(held) - cut > HOLD:
                cut = self._forced(held, sorted(whole))
        if not cut:
            return ""
        inside = [replace(item, end=min(item.end, cut)) for item in found if item.start < cut]
        part = held[:cut]
        self._before = (self._before + part)[-CONTEXT:]
        self._held = held[cut:]
        if self._swallow is _RUN_END:
            return SECRET
        return self._vault.mask(part, inside, masked=True)

    def _forced(self, held: str, whole: list[tuple[int, int]]) -> int:
        """Where to cut when something must go: never inside a finding or placeholder."""
        least = len(held) - HOLD
        limit = open_tail(held)
        for word in _WORD.finditer(held):
            cut = word.end()
            if least <= cut <= limit and not any(start < cut < end for start, end in whole):
                return cut
        for start, end in whole:
            if start < least < end:
                return end
        run = _RUN.match(held)
        if run and len(set(run[0])) > 3:
            # an unbroken run longer than the hold-back cannot be judged in time: treat as secret
            self._swallow = _RUN_END
            return run.end()
        return least


def _safe(held: str, beginning: bool) -> int:
    """How much of `held` ends in plain words, so that nothing after can change what it means."""
    limit = open_tail(held)
    cut = 0
    if beginning and (alone := _FIRST.fullmatch(held)) and alone[1] in _OPENERS:
        return len(held)
    for word in _WORD.finditer(held):
        if word.end() > limit:
            break
        token = word[0].rstrip()
        bare = token.rstrip(",;:.!?")
        first = beginning and not held[: word.start()].strip() and bare in _FIRST_WORDS
        if first or (_PLAIN.fullmatch(token) and bare not in _JOINS) or bare in _OPENERS:
            cut = word.end()
    return cut


def _clear(whole: list[tuple[int, int]], cut: int, end: int) -> int:
    """`cut` moved before everything that it would split, or that more text might lengthen."""
    for start, stop in reversed(whole):
        if start < cut <= stop + 1 or (start < cut and stop >= end):
            cut = start
    return cut
