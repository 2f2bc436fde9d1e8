# ruff: noqa: E501 - tables and patterns read better on one line
"""Texts that keep the models' knowledge alive: prose labelled by the stock model, and labelled rows.

Prose comes from folders given on the command line (public-domain speeches, mailing-list mail,
technical handbooks); nothing of it is kept. Names that the stock model believes in but no name list
knows are taken out of technical prose: they are its false positives.
"""

import html
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

from bench.training import forms
from bench.training.generate import Example
from bench.training.pools import LOCALES, Draw, pool

_TAGS = re.compile(r"<(script|style)[\s\S]*?</\1>|<[^>]{0,500}>")
_KEEP = {"PERSON", "GPE", "LOC", "FAC", "ORG", "PER", "MISC"}


def prose(folder: Path) -> list[str]:
    """Paragraphs of 60 to 900 characters."""
    found: list[str] = []
    for path in sorted(folder.rglob("*")):
        if (
            not path.is_file()
            or path.stat().st_size > 400_000
            or path.suffix in (".json", ".js", ".css", ".png")
        ):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path.suffix in (".html", ".xhtml"):
            text = html.unescape(re.sub(r"\n\s*\n\s*", "\n\n", _TAGS.sub("\n\n", text)))
            blocks = [re.sub(r"\s+", " ", b).strip() for b in re.split(r"\n\n", text)]
        else:
            blocks = [b.strip() for b in re.split(r"\n\s*\n", text)]
        found += [
            b for b in blocks if 60 <= len(b) <= 900 and sum(c.isalpha() for c in b) > 0.6 * len(b)
        ]
    return found


def lexicon() -> frozenset[str]:
    """Lower-case given and family names of every locale."""
    names: set[str] = set()
    for locale, weight in LOCALES.items():
        if weight:
            p = pool(locale)
            names |= {w.lower() for name in (*p.given, *p.family) for w in name.split()}
    return frozenset(names)


def silver(
    nlp: object, texts: list[str], known: frozenset[str], technical: bool
) -> Iterator[Example]:
    """The stock model's own labels; doubtful persons dropped or their text skipped."""
    for doc in nlp.pipe(texts, batch_size=64):  # type: ignore[attr-defined]
        spans, doubtful = [], False
        for ent in doc.ents:
            if ent.label_ not in _KEEP:
                continue
            if ent.label_ in ("PERSON", "PER") and not any(t.lower_ in known for t in ent):
                doubtful = True
                continue
            spans.append((ent.start_char, ent.end_char, ent.label_))
        if not doubtful or technical:
            yield doc.text, spans


def labelled(path: Path, held_out: int, part: bool) -> list[Example]:
    """Rows of a labelled file: every `held_out`-th row (part=True) or the others; pieces joined."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        if (number % held_out == 0) != part:
            continue
        raw = json.loads(line)
        names = {
            "PERSON": "PERSON",
            "LOCATION": "GPE",
            "ADDRESS": "ADDRESS",
            "ZIP": "ADDRESS",
            "ORG": "ORG",
        }
        spans = sorted(
            (s["start"], s["end"], names[s["type"]]) for s in raw["spans"] if s["type"] in names
        )
        rows.append((raw["text"], _joined(raw["text"], spans)))
    return rows


def _joined(text: str, spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Pieces of one address (number, street, town, country) become one ADDRESS."""
    out: list[tuple[int, int, str]] = []
    for start, end, label in spans:
        if out and label in ("ADDRESS", "GPE") and out[-1][2] in ("ADDRESS", "GPE"):
            gap = text[out[-1][1] : start]
            near = len(gap) <= 8 and not any(c.isalnum() for c in gap)
            if near and "ADDRESS" in (label, out[-1][2]):
                out[-1] = (out[-1][0], end, "ADDRESS")
                continue
        out.append((start, end, label))
    return out


def substituted(rows: list[Example], times: int, language: str, seed: int) -> Iterator[Example]:
    """The rows as they are, and again with other names, towns and addresses in the spans."""
    d = Draw(seed, language)
    r = random.Random(seed)
    for text, spans in rows:
        yield text, spans
        for _ in range(times):
            out, made, at = "", [], 0
            same: dict[str, str] = {}
            for start, end, label in spans:
                old = text[start:end]
                out += text[at:start]
                value = same.get(old) or _other(d, old, label)
                same[old] = value
                if old.islower():
                    value = value.lower()
                elif old.isupper() and len(old) > 3:
                    value = value.upper()
                made.append((len(out), len(out) + len(value), label))
                out, at = out + value, end
            out += text[at:]
            if r.random() < 0.06 and len(out.lower()) == len(out):
                out = out.lower()
            yield out, made


def _other(d: Draw, old: str, label: str) -> str:
    if label == "PERSON":
        if " " not in old.strip():
            return d.given() if d.r.random() < 0.6 else d.family()
        return forms.person(d)
    if label == "ADDRESS":
        return forms.address(d)
    if label == "ORG":
        return d.org()
    return d.town() if d.r.random() < 0.7 else old
