# ruff: noqa: E501 - tables and patterns read better on one line
"""Find personal data in one text. Knows nothing of models that answer, users or storage."""

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from guardrails.detect import disguises
from guardrails.detect import language as languages
from guardrails.detect.recognizers import moments
from guardrails.detect.resolve import resolve
from guardrails.findings import Finding
from guardrails.normalize import normalize

if TYPE_CHECKING:
    from presidio_analyzer import RecognizerResult

    from guardrails.detect.analyzer import LeanAnalyzer

_CACHE_SIZE = 8192  # paragraphs; a few hundred bytes each
_MAX_PARAGRAPH = 4000  # characters; longer ones are cut at a line or sentence end
_SURE = 0.6  # a second reading reports only what is this sure
_TOGETHER = 400  # characters up to which neighbouring paragraphs are read as one
_BREAK = re.compile(r"\n[ \t\r]*\n\s*")
_cache: OrderedDict[bytes, tuple[Finding, ...]] = OrderedDict()
_cache_lock = threading.Lock()
_cache_age = 0  # how often it was emptied


def find(text: str, language: str | None = None, *, organizations: bool = False) -> list[Finding]:
    """Personal data in `text`, sorted, non-overlapping, offsets into `text` as given.

    `language` is "en", "fr" or None (told per paragraph). `organizations` adds the kind
    ORGANIZATION. Dates count only where `recognizers.moments` finds them personal. Loads the language models at first use.
    Linear in the length of the text.
    """
    given: languages.Language | None = "fr" if language == "fr" else "en" if language else None
    default = given or languages.of(text)
    pending: dict[languages.Language, list[tuple[int, str, bytes]]] = {}
    results: list[Finding] = []
    age = _cache_age
    for start, paragraph, spoken in _spoken(text, given, default):
        key = hashlib.blake2b(
            f"{spoken}\0{paragraph}".encode("utf-8", "surrogatepass"), digest_size=16
        ).digest()
        with _cache_lock:
            known = _cache.get(key)
            if known is not None:
                _cache.move_to_end(key)
        if known is None:
            pending.setdefault(spoken, []).append((start, paragraph, key))
        else:
            results.extend(_moved(known, start))
    for spoken, rows in pending.items():
        once = {
            key: paragraph for _, paragraph, key in rows
        }  # the same paragraph twice is read once
        fresh = dict(zip(once, _analyse(list(once.values()), spoken), strict=True))
        with _cache_lock:
            if age == _cache_age:
                _cache.update(fresh)
            while len(_cache) > _CACHE_SIZE:
                _cache.popitem(last=False)
        for start, _, key in rows:
            results.extend(_moved(fresh[key], start))
    if not organizations:
        results = [f for f in results if f.kind != "ORGANIZATION"]
    return sorted(results)


def warm() -> None:
    """Load everything now, so that the first message does not wait."""
    languages.warm()
    find("Marie Tremblay, 12 rue de la Paix, 75002 Paris", "fr")
    find("Mary Jones lives at 12 Main Street, Boston", "en")


def forget() -> None:
    """Empty the paragraph cache (after the organisation's own kinds changed)."""
    global _cache_age
    with _cache_lock:
        _cache_age += 1
        _cache.clear()


def _spoken(
    text: str, given: languages.Language | None, default: languages.Language
) -> Iterator[tuple[int, str, languages.Language]]:
    """Paragraphs with their language; short neighbours of one language stay together.

    An address or a signature often has blank lines inside: its pieces need each other.
    """
    held: tuple[int, int, languages.Language] | None = None
    for start, paragraph in _paragraphs(text):
        spoken = given or languages.of(paragraph, default)
        end = start + len(paragraph)
        if held and held[2] == spoken and end - held[0] <= _TOGETHER:
            held = (held[0], end, spoken)
            continue
        if held:
            yield held[0], text[held[0] : held[1]], held[2]
        held = (start, end, spoken)
    if held:
        yield held[0], text[held[0] : held[1]], held[2]


def _moved(findings: tuple[Finding, ...], by: int) -> Iterator[Finding]:
    for f in findings:
        yield Finding(f.start + by, f.end + by, f.kind, f.score, f.detector, f.explanation)


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Pieces with their start; whitespace-only pieces are left out."""
    start = 0
    for match in _BREAK.finditer(text):
        yield from _pieces(text, start, match.start())
        start = match.end()
    yield from _pieces(text, start, len(text))


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    while end - start > _MAX_PARAGRAPH:
        limit = start + _MAX_PARAGRAPH
        cut = max(text.rfind("\n", start + 1, limit), text.rfind(". ", start + 1, limit) + 1, start)
        if cut <= start + _MAX_PARAGRAPH // 4:
            cut = max(text.rfind(" ", start + 1, limit), start)
        if cut <= start + _MAX_PARAGRAPH // 4:
            cut = limit
        yield start, text[start:cut]
        start = cut
    if text[start:end].strip():
        yield start, text[start:end]


def _analyse(paragraphs: list[str], language: languages.Language) -> list[tuple[Finding, ...]]:
    from guardrails.detect import analyzer  # presidio takes a second to import

    engine = analyzer.analyzer()
    plain = [normalize(paragraph) for paragraph in paragraphs]
    results = []
    for normalized, artifacts in zip(
        plain, engine.names.artifacts([n.text for n in plain], language), strict=True
    ):
        candidates = [_finding(r) for r in engine.candidates(normalized.text, language, artifacts)]
        candidates += _disguised(normalized.text, engine, language)
        kept = resolve(candidates, normalized.text)
        if not moments.personal(normalized.text, [f.kind for f in kept]):
            kept = [f for f in kept if f.kind != "DATE_TIME" or f.score >= moments.BIRTH]
        results.append(
            tuple(
                Finding(
                    *normalized.span(f.start, f.end), f.kind, f.score, f.detector, f.explanation
                )
                for f in kept
            )
        )
    return results


def _disguised(
    text: str, engine: "LeanAnalyzer", language: languages.Language
) -> Iterator[Finding]:
    """What stands in the text spelled out, spaced out or encoded."""
    for reading in disguises.readings(text):
        for result in engine.structured(reading.text, language):
            if result.entity_type in disguises.KINDS_LEFT_OUT or result.score < max(
                _SURE, reading.sure
            ):
                continue
            start, end = reading.span(result.start, result.end)
            found = _finding(result)
            why = f"{found.explanation} It was spelled, spaced out or encoded."
            yield Finding(start, end, found.kind, found.score, found.detector, why)


def _finding(result: "RecognizerResult") -> Finding:
    about = result.recognition_metadata or {}
    return Finding(
        result.start,
        result.end,
        result.entity_type,
        result.score,
        str(about.get(result.RECOGNIZER_NAME_KEY, "presidio")),
        str(about.get("why", "A Presidio recogniser found it.")),
    )
