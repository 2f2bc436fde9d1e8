"""Presidio's analyzer with our recognisers, our context rules and our own NLP engine.

Knows nothing of offsets, caches or findings. `analyzer()` gives a working Presidio
`AnalyzerEngine`: whoever has a Presidio recogniser can add it to its registry.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from guardrails.detect import ner
from guardrails.detect.recognizers import custom, moments, phone, shipped, sifting
from guardrails.detect.recognizers.catalogue import SHAPES
from guardrails.detect.recognizers.shape import Shape, words_of

LANGUAGES = ("en", "fr")


class NameEngine(NlpEngine):  # type: ignore[misc]  # presidio is untyped here
    """Entities only: no tokens, lemmas or tags are computed, nobody needs them here."""

    engine_name = "atelier"
    is_available = True

    def load(self) -> None:
        for language in LANGUAGES:
            ner.pipeline(language)

    def is_loaded(self) -> bool:
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        return next(self.artifacts([text], language))

    def process_batch(
        self, texts: Iterable[str], language: str, batch_size: int = 1, n_process: int = 1, **_: Any
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        listed = list(texts)
        yield from zip(listed, self.artifacts(listed, language), strict=True)

    def artifacts(self, texts: list[str], language: str) -> Iterator[NlpArtifacts]:
        for entities in ner.entities(texts, language):
            yield NlpArtifacts(entities, [], [], [], self, language)

    def is_stopword(self, word: str, language: str) -> bool:
        return False

    def is_punct(self, word: str, language: str) -> bool:
        return not any(c.isalnum() for c in word)

    def get_supported_entities(self) -> list[str]:
        return ["PERSON", "LOCATION", "ORGANIZATION"]

    def get_supported_languages(self) -> list[str]:
        return list(LANGUAGES)


class _Ours(EntityRecognizer):  # type: ignore[misc]
    def load(self) -> None:
        """Nothing to load: patterns compile at first use."""

    def result(
        self, start: int, end: int, kind: str, score: float, name: str, why: str
    ) -> RecognizerResult:
        return RecognizerResult(
            kind, start, end, score,
            recognition_metadata={RecognizerResult.RECOGNIZER_NAME_KEY: name, "why": why},
        )  # fmt: skip


class Shapes(_Ours):
    """Every `Shape`, behind its gate."""

    def __init__(self, shapes: tuple[Shape, ...], language: str) -> None:
        self.shapes = tuple(s for s in shapes if language in s.languages)
        super().__init__(
            sorted({s.kind for s in self.shapes}), name="shapes", supported_language=language
        )

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts
    ) -> list[RecognizerResult]:
        features = features_of(text)
        words = words_of(text)
        return [
            self.result(start, end, shape.kind, score, shape.name, shape.why)
            for shape in self.shapes
            if features.issuperset(shape.needs)
            and not (shape.gate and shape.gate.isdisjoint(words))
            for start, end, score in shape.matches(text)
        ]


class Phones(_Ours):
    def __init__(self, language: str) -> None:
        super().__init__(["PHONE_NUMBER"], name="phone", supported_language=language)

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts
    ) -> list[RecognizerResult]:
        return [
            self.result(
                start, end, "PHONE_NUMBER", score, "phone", "It is a valid telephone number."
            )
            for start, end, score in phone.find(text, self.supported_language)
        ]


class Shipped(_Ours):
    """Presidio's national identifiers, ranked."""

    def __init__(self, language: str) -> None:
        kinds = sorted({entry.kind for entry in shipped.catalogue()})
        super().__init__(kinds, name="shipped", supported_language=language)

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts
    ) -> list[RecognizerResult]:
        return [
            self.result(start, end, kind, score, name, "It has the form of this identifier.")
            for start, end, kind, score, name in shipped.find(text)
        ]


class Names(_Ours):
    """What the language model reads as names and places, after the stop-lists."""

    def __init__(self, language: str) -> None:
        super().__init__(
            ["PERSON", "LOCATION", "ORGANIZATION"], name="names", supported_language=language
        )

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts
    ) -> list[RecognizerResult]:
        entities_found: Any = nlp_artifacts.entities
        results = [
            self.result(*found)
            for found in sifting.sift(text, entities_found, self.supported_language)
        ]
        return results + [
            self.result(
                start, end, "DATE_TIME", score, name, "It is a moment in a text about somebody."
            )
            for start, end, score, name in moments.weak(text)
        ]


class Customs(_Ours):
    """The organisation's own kinds, as they stand now."""

    def __init__(self, language: str) -> None:
        super().__init__(["CUSTOM"], name="custom", supported_language=language)

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts
    ) -> list[RecognizerResult]:
        return [
            self.result(start, end, kind, score, name, why)
            for start, end, kind, score, name, why in custom.find(text)
        ]


def features_of(text: str) -> frozenset[str]:
    """The characters that gates ask for; one scan each, in C."""
    found = {c for c in "@:./-" if c in text}
    if any(c in text for c in "0123456789"):
        found.add("0")
    return frozenset(found)


class LeanAnalyzer(AnalyzerEngine):  # type: ignore[misc]
    """Presidio's engine without its tracing, quadratic deduplication and substring context boost.

    The recognisers rank themselves by whole words near the match, so nothing is enhanced
    afterwards; overlaps are resolved by `guardrails.detect.resolve`.
    """

    names: NameEngine

    def candidates(
        self, text: str, language: str, artifacts: NlpArtifacts
    ) -> list[RecognizerResult]:
        """Every recogniser's results, overlapping."""
        return [
            result
            for recognizer in self._by_language(language)
            for result in recognizer.analyze(text, recognizer.supported_entities, artifacts)
        ]

    def structured(self, text: str, language: str) -> list[RecognizerResult]:
        """Results of the patterns alone, for second readings of a text."""
        return [
            result
            for recognizer in self._by_language(language)
            if isinstance(recognizer, Shapes | Phones | Customs)
            for result in recognizer.analyze(text, recognizer.supported_entities, _NOTHING)
        ]

    def _by_language(self, language: str) -> list[EntityRecognizer]:
        return [r for r in self.registry.recognizers if r.supported_language == language]


_NOTHING = NlpArtifacts([], [], [], [], None, "en")


@cache
def analyzer() -> LeanAnalyzer:
    """The one engine; models load at its first use."""
    recognizers: list[EntityRecognizer] = []
    for language in LANGUAGES:
        recognizers += [
            Shapes(SHAPES, language), Phones(language), Shipped(language), Names(language),
            Customs(language),
        ]  # fmt: skip
    registry = RecognizerRegistry(recognizers=recognizers, supported_languages=list(LANGUAGES))
    names = NameEngine()
    engine = LeanAnalyzer(registry=registry, nlp_engine=names, supported_languages=list(LANGUAGES))
    engine.names = names
    return engine
