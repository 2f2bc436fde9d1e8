"""English or French, per paragraph. Knows nothing else."""

import re
from functools import cache
from typing import Literal

Language = Literal["en", "fr"]

# Function words that only one of the two languages has: cheaper and surer than a model on one line.
_EN = frozenset(
    [
        "the",
        "and",
        "of",
        "to",
        "is",
        "are",
        "was",
        "were",
        "with",
        "for",
        "you",
        "your",
        "my",
        "we",
        "they",
        "this",
        "that",
        "have",
        "has",
        "had",
        "not",
        "from",
        "at",
        "by",
        "it",
        "be",
        "will",
        "would",
        "can",
        "could",
        "should",
        "please",
        "thanks",
        "hello",
        "his",
        "her",
        "he",
        "she",
        "i'm",
        "i've",
        "don't",
        "what",
        "how",
        "which",
        "who",
        "when",
        "where",
        "there",
        "here",
        "but",
        "been",
        "do",
        "does",
        "did",
        "an",
        "its",
        "their",
        "our",
        "if",
    ]
)
_FR = frozenset(
    [
        "le",
        "la",
        "les",
        "des",
        "du",
        "de",
        "et",
        "est",
        "sont",
        "avec",
        "pour",
        "vous",
        "votre",
        "vos",
        "mon",
        "ma",
        "mes",
        "nous",
        "ils",
        "cette",
        "ce",
        "ces",
        "que",
        "qui",
        "dans",
        "sur",
        "une",
        "un",
        "au",
        "aux",
        "ne",
        "pas",
        "plus",
        "par",
        "il",
        "elle",
        "je",
        "tu",
        "être",
        "avoir",
        "ont",
        "merci",
        "bonjour",
        "mais",
        "ou",
        "où",
        "donc",
        "son",
        "sa",
        "ses",
        "leur",
        "leurs",
        "en",
        "se",
        "été",
        "chez",
        "sans",
        "notre",
        "nos",
        "comme",
        "très",
        "suis",
        "êtes",
        "monsieur",
        "madame",
    ]
)
_WORDS = re.compile(r"[^\W\d_]+(?:'(?:m|ve|t|re|ll|d|s)\b)?")


def of(text: str, default: Language = "en") -> Language:
    """The likelier of the two for one paragraph; `default` when nothing tells."""
    sample = text[:1000].lower().replace("’", "'")
    english = french = 0
    for word in _WORDS.findall(sample):
        if word in _EN:
            english += 1
        if word in _FR:
            french += 1
    if english != french and max(english, french) >= 2:
        return "en" if english > french else "fr"
    if sum(c in "éèêàçùôîœ" for c in sample) >= 2 and french >= english:
        return "fr"
    if english != french:
        return "en" if english > french else "fr"
    if len(sample) < 40:
        return default
    name = _identifier().classify(sample)[0]
    return "fr" if name == "fr" else "en" if name == "en" else default


@cache
def _identifier():  # type: ignore[no-untyped-def]
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # slow import, rarely needed

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(["en", "fr"])
    return identifier
