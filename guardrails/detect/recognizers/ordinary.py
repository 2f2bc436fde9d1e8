# ruff: noqa: E501 - tables and patterns read better on one line
"""What a name model takes for a name and is none, by class: everyday words, products, labels.

The words are in `words/*.txt` (`bench.training.common_words` says where they are from). Knows
nothing of findings.
"""

import re
from functools import cache

from guardrails.detect.recognizers.stoplists import listed, not_names

_TOKEN = re.compile(r"[^\W\d_][\w'’.\-]*")
_ELIDED = re.compile(r"^(?:[dlcjnmts]|qu)['’]")
_PART = re.compile(r"[-.'’]+")
_SMALL = frozenset(
    [
        "de",
        "du",
        "des",
        "la",
        "le",
        "les",
        "l",
        "d",
        "en",
        "et",
        "au",
        "aux",
        "à",
        "sur",
        "sous",
        "pour",
        "par",
        "of",
        "the",
        "and",
        "in",
        "on",
        "for",
        "with",
        "to",
        "a",
        "an",
    ]
)
# "the Hamilton path": named after somebody who is long dead
_THING_AFTER = re.compile(
    r"(?:['’]s)? (?:algorithm|theorem|law|path|paradox|transform|distribution|simulation|principle|font|typeface|"
    r"curve|constant|equation|inequality|conjecture|matrix|blur|scale|diagram|chart)s?\b",
    re.I,
)
_THING_BEFORE = re.compile(
    r"(?i)\b(?:(?:théorème|loi|méthode|algorithme|diagramme|matrice|courbe|constante|équation|paradoxe|échelle)"
    r" (?:de |d['’])|police |typeface |font )$"
)
# what stands alone after these is what a thing is called
_CALLED = re.compile(
    r"(?i)\b(?:projet|project|programme|opération|operation|module|version|salle|room|theme|thème|logiciel|"
    r"software|plugin|application|cluster|namespace|wi-?fi(?: is called)?) $"
)


@cache
def _labels() -> frozenset[str]:
    """The words of all names of identifiers: "carta d'identità", "DOB", "Versichertennummer"."""
    from guardrails.detect.recognizers import american, asian, european, french, money, shipped

    phrases = {word for entry in shipped.catalogue() for word in entry.recognizer.context or ()}
    for shapes in (american.SHAPES, asian.SHAPES, european.SHAPES, french.SHAPES, money.SHAPES):
        phrases |= {word for shape in shapes for word in shape.context}
    found = {word for phrase in phrases for word in re.findall(r"[^\W\d_]{2,}", phrase.lower())}
    return frozenset(found) - _PLACES


# context words of shipped recognisers that are places
_PLACES = frozenset(
    [
        "ontario",
        "quebec",
        "québec",
        "alberta",
        "canada",
        "british",
        "columbia",
        "nigeria",
        "ireland",
        "singapore",
        "africa",
        "united",
        "states",
        "toronto",
        "montréal",
        "montreal",
        "vancouver",
        "ottawa",
        "thailand",
        "korea",
        "luxembourg",
        "london",
        "paris",
    ]
)


def _is_ordinary(token: str) -> bool:
    if token in not_names() or token in _SMALL:
        return True
    if any(token in listed(name) for name in ("en", "fr", "products")) or token in _labels():
        return True
    parts = [part for part in _PART.split(token) if part]
    return len(parts) > 1 and all(_is_ordinary(part) for part in parts)


def words_only(value: str) -> bool:
    """Whether a span that a model took for a name or a place consists of everyday words alone."""
    tokens = [_ELIDED.sub("", token.rstrip(".").lower()) for token in _TOKEN.findall(value)]
    if not tokens:
        return False
    if len(tokens) > 1 and tokens[0] in listed("products"):
        return True  # "Cegid Loop", "Quiche Lorraine": the second word is the product's
    return all(_is_ordinary(token) for token in tokens)


def named_after(text: str, start: int, end: int) -> bool:
    """Whether the words around say that it is a thing: a theorem, a font, a project, a room."""
    if _THING_AFTER.match(text, end) or _THING_BEFORE.search(text[max(0, start - 24) : start]):
        return True
    return " " not in text[start:end] and bool(_CALLED.search(text[max(0, start - 24) : start]))
