"""English or French, per paragraph. Knows nothing else; its words lie in `words/spoken-*.txt`."""

import re
from functools import cache
from typing import Literal

from guardrails.detect.recognizers.stoplists import listed

Language = Literal["en", "fr"]

_ELISION = re.compile(r"(?<!\w)(?:[dlcjnmtsDLCJNMTS]|[Qq]u)['’](?=[a-zà-ÿœ]{2})")
_SENTENCE_CASE = re.compile(r"\W*[A-ZÀ-ÞŒ][^\n]* [a-zà-ÿœ]{4,}")
_WORDS = re.compile(r"[^\W\d_]+(?:'(?:m|ve|t|re|ll|d|s)\b)?")


def of(text: str, default: Language = "en") -> Language:
    """The likelier of the two for one paragraph; `default` when nothing tells."""
    sample = text[:1000].lower().replace("’", "'")
    only_english, only_french = listed("spoken-en"), listed("spoken-fr")
    english = french = 0
    for word in _WORDS.findall(sample):
        if word in only_english:
            english += 1
        if word in only_french:
            french += 1
    if english != french and max(english, french) >= 2:
        return "en" if english > french else "fr"
    if sum(c in "éèêàçùôîœ" for c in sample) >= 2 and french >= english:
        return "fr"
    if english != french:
        return "en" if english > french else "fr"
    office = listed("spoken-fr-office")
    if len(sample) < 80 and (
        _ELISION.search(text) or any(word in office for word in _WORDS.findall(sample))
    ):
        return "fr"
    # names and English titles have capitals throughout, and the identifier is no judge of names
    if len(sample) < 40 and not _SENTENCE_CASE.match(text):
        return default
    name = _identifier().classify(sample)[0]
    return "fr" if name == "fr" else "en" if name == "en" else default


@cache
def _identifier():  # type: ignore[no-untyped-def]
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # slow import, rarely needed

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(["en", "fr"])
    identifier._full_model = ()  # kept to choose other languages, which never happens: 19 MB
    return identifier


def warm() -> None:
    """Load what a short text may need: 0.5 s that the first message should not wait."""
    _identifier()
