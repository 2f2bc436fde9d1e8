# ruff: noqa: E501 - tables and patterns read better on one line
"""The language model's names and places without its known mistakes. Knows no patterns of names."""

import re

from guardrails.detect.recognizers.ordinary import named_after, words_only
from guardrails.detect.recognizers.stoplists import listed, not_names

_TRIM = " \t\r\n.,;:!?()[]{}<>\"“”«»'’*_#|/\\-–—>"
_BAD = re.compile(r"[\d@_=/\\<>{}\[\]#$%^*+|~]|://")
_FROM_TOWN = re.compile(r"([^\W\d_][\w\-]+) (?:de|from|du|d['’])\s?([^\W\d_][\w\-]+)")
_GREETING = re.compile(r"(?i)(?:c['’]est|ici|this is|it['’]s|suis) $")
_TOKEN = re.compile(r"[^\W\d_][\w'’.\-]*")
_ELIDED = re.compile(r"^(?:[dlcjnmts]|qu)['’]")
_OF_WHAT = re.compile(
    r"(?i) (?:du |de la |de l['’]|d['’]|des |de )"
    r"(?:collaborateur|salarié|employé|utilis|qualité|procédure|formation|sécurité|gestion|accueil)"
)


def sift(
    text: str, entities: list[tuple[int, int, str]], language: str
) -> list[tuple[int, int, str, float, str, str]]:
    """The model's spans without its known mistakes: `(start, end, kind, score, detector, why)`."""
    found = []
    for start, end, label in entities:
        if label == "ADDRESS":
            for part in _without_sums(text, start, end):
                place = _edges(text, *part)
                if place and (over := _RUN_ON.search(text, *place)):
                    place = place[0], over.start()
                if place and _address_like(text[place[0] : place[1]]):
                    found.append((*place, "LOCATION", 0.85, "address-model", _ADDRESS_WHY))
            continue
        pieces = _lines(text, start, end) if label == "PERSON" else [(start, end)]
        for piece in pieces:
            kept = _person(text, *piece) if label == "PERSON" else _place(text, *piece, label)
            town = _FROM_TOWN.fullmatch(text, *kept) if kept and label == "PERSON" else None
            if town and _GREETING.search(text[max(0, piece[0] - 12) : piece[0]]):
                # "c'est Alice de Nantes": on the telephone people say where they call from
                kept = town.span(1)
                found.append((*town.span(2), "LOCATION", 0.7, f"ner-{language}", _WHY["LOCATION"]))
            if kept:
                score = 0.85 if label == "PERSON" else 0.8 if label == "LOCATION" else 0.6
                found.append((*kept, label, score, f"ner-{language}", _WHY[label]))
    return found + _again(
        text, [f[:2] for f in found if f[2] == "PERSON"], [e[:2] for e in entities]
    )


def _again(
    text: str, persons: list[tuple[int, int]], taken: list[tuple[int, int]]
) -> list[tuple[int, int, str, float, str, str]]:
    """ "Alice" and "Dupont" alone, in a text that names "Alice Dupont" in full."""
    words: set[str] = set()
    for start, end in persons:
        tokens = [w for w in _TOKEN.findall(text[start:end]) if len(w) >= 3 and w[0].isupper()]
        if len(tokens) >= 2:
            words |= {w for w in tokens if w.lower() not in not_names() and w.rstrip(".") == w}
    if not words:
        return []
    union = "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True)[:200])
    return [
        (
            m.start(),
            m.end(),
            "PERSON",
            0.8,
            "name-again",
            "It is part of a name that stands in full nearby.",
        )
        for m in re.finditer(rf"(?<![\w-])(?:{union})(?![\w-])", text)
        if not any(m.start() < e and s < m.end() for s, e in taken)
    ]


# "12 Main Street at noon": the sentence has gone on
_RUN_ON = re.compile(
    r" (?:at|before|after|by|until|since|and|avant|après|vers)(?: [a-zà-ÿ]{2,12}){0,3}$"
)
_STREET_WORD = re.compile(
    r"(?i)\b(?:corner|street|road|avenue|square|lane|rue|place|boulevard|chemin|allée|route|quai|box)\b"
)


def _address_like(value: str) -> bool:
    """A word of letters, and a number or a street's word: bare digits and bare names are neither."""
    words = re.findall(r"[^\W\d_]{3,}", value)
    if not words or all(w.lower() in not_names() for w in words):
        return False
    if _PRICE.match(value) or (_TRADE.search(value) and not _STREET_WORD.search(value)):
        return False
    # an account number in groups has capitals and digits mixed in one token
    if re.fullmatch(r"[A-Z0-9 .\-]+", value) and re.search(
        r"\b(?=\w*\d)(?=\w*[A-Z])\w{4,}\b", value
    ):
        return False
    if re.fullmatch(r"[A-Z]{2,4}(?: ?\d{2,4}){3,9}", value):
        return False
    # "Convert 12 miles to kilometres", "ISBN 978-3-16"
    if words_only(value) and (
        value.startswith("ISBN") or any(w.islower() and len(w) > 4 for w in words)
    ):
        return bool(_STREET_WORD.search(value))
    return any(c.isdigit() for c in value) or bool(_STREET_WORD.search(value))


_ADDRESS_WHY = "The language model reads it as an address."
_WHY = {
    "PERSON": "The language model reads it as a person's name.",
    "LOCATION": "The language model reads it as a place.",
    "ORGANIZATION": "The language model reads it as an organisation.",
}


def _edges(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start] in _TRIM:
        start += 1
    while end > start and text[end - 1] in _TRIM:
        # an initial keeps its point: "John F."
        if (
            text[end - 1] == "."
            and end - start >= 2
            and text[end - 2].isupper()
            and (end - start == 2 or not text[end - 3].isalnum())
        ):
            break
        end -= 1
    return (start, end) if end > start else None


def _lines(text: str, start: int, end: int) -> list[tuple[int, int]]:
    pieces, at = [], start
    for index in range(start, end):
        if text[index] in "\n\t|;":
            pieces.append((at, index))
            at = index + 1
    pieces.append((at, end))
    return [p for p in pieces if p[1] > p[0]]


_SUM = re.compile(r"[£$€]|\b(?:EUR|USD|GBP|CHF)\b|\d[.,]\d{2}(?!\d)")


# "0.42 euros a kilometre", "31 pounds an hour"
_PRICE = re.compile(
    r"(?i)[£$€]|\d[\d.,\u202f\xa0 ]{0,14}(?:euros?|pounds?|dollars?|francs?|eur|usd|gbp|chf|%)(?!\w)"
)


# "for 40 office chairs, model Arc": a line of an offer
_TRADE = re.compile(r"(?i)\b(?:offer|offre|invoice|facture|order|commande|chairs?|fauteuils?)\b")


def _without_sums(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """An address that runs on into the lines of an invoice ends before them."""
    lines = _lines(text, start, end)
    if len(lines) < 2 or not _SUM.search(text, start, end):
        return [(start, end)]
    return [line for line in lines if not _SUM.search(text, *line)]


def _person(text: str, start: int, end: int) -> tuple[int, int] | None:
    edges = _edges(text, start, end)
    while edges:
        start, end = edges
        words = [(m.start() + start, m.end() + start) for m in _TOKEN.finditer(text[start:end])]
        if not words:
            return None
        first = text[words[0][0] : words[0][1]].rstrip(".'’").lower()
        if first in listed("things"):
            return None
        if first in listed("leading") and len(words) > 1:
            edges = _edges(text, words[1][0], end)
            continue
        last = text[words[-1][0] : words[-1][1]].rstrip(".'’").lower()
        if len(words) > 1 and last in not_names() and text[words[-1][0]].islower():
            edges = _edges(text, start, words[-1][0])
            continue
        break
    if not edges:
        return None
    value = text[start:end]
    # "d'accueil" is judged by "accueil"
    tokens = [_ELIDED.sub("", w.rstrip(".").lower()) for w in _TOKEN.findall(value)]
    after = text[end : end + 2]
    if (
        after.startswith(":")
        and (after.endswith("\n") or after == ":")
        and not any(c == "," for c in value)
    ):
        return None  # a heading
    if text[max(0, start - 1) : start] in ("'", '"', "«") and re.search(
        r"(?i)\b(?:projet|project|programme?|code|opération|operation|mission) ?['\"«]$",
        text[:start][-16:],
    ):
        return None  # what stands in quotes after "project" is its code name
    if " - " in value or (value.isupper() and len(tokens) > 3):
        return None  # a heading in capitals
    if value == "Manuel" and _OF_WHAT.match(text, end):
        return None  # a manual, not a man
    if _BAD.search(value) or words_only(value) or len(value) > 60:
        return None
    if named_after(text, start, end):
        return None
    if len(tokens) == 1 and (
        len(value) < 2 or value.lower().endswith((".com", ".fr", ".py", ".php"))
    ):
        return None
    return start, end


def _place(text: str, start: int, end: int, label: str) -> tuple[int, int] | None:
    edges = _edges(text, start, end)
    if not edges:
        return None
    value = text[edges[0] : edges[1]]
    tokens = [w.rstrip(".").lower() for w in _TOKEN.findall(value)]
    if (
        not tokens
        or all(t in not_names() for t in tokens)
        or (label == "LOCATION" and words_only(value))
        or (label == "LOCATION" and named_after(text, *edges))
        or re.search(r"[@_={}<>\[\]\\]|://", value)
    ):
        return None
    if (" " not in value and any(c.isdigit() for c in value)) or re.fullmatch(r"\w+ [A-Z]", value):
        return None  # a cell, a case number, a protocol
    if len(value) < 3 and value not in ("US", "UK", "UE", "EU"):
        return None
    return edges
