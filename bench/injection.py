"""Figures of the injection detector: true positives at 1 % and 5 % false positives, and its cost.

Measured live on `tests/corpus/injection.yaml`, which training never saw, and on any labelled rows
given with `--rows FOLDER` (`injection_*.jsonl`). The validation figures of training, out of fold on
rows that cannot be kept here, are shown beside them; see bench/training_injection/MODEL_CARD.md.
"""

import argparse
import json
import re
import time
from pathlib import Path

import numpy as np
import yaml

from bench.table import Row, show
from guardrails.detect import injection

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "tests" / "corpus" / "injection.yaml"
LATER = ("en", "fr", "de", "it")
SOURCES = "by source, attacks and benign above the 5 % mark"  # key of training's figures
FIGURES = Path(__file__).parent / "training_injection" / "figures.json"


def at(attacks: list[float], benign: list[float], rate: float) -> float:
    """The share of `attacks` scored above the threshold that `rate` of `benign` exceed."""
    limit = sorted(benign, reverse=True)[int(rate * len(benign))]
    return sum(score > limit for score in attacks) / len(attacks)


def cpu_ms(text: str, times: int = 200) -> float:
    """Median CPU milliseconds per text."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        injection.score(text)
        spent.append(time.process_time() - start)
    return float(np.median(spent)) * 1000


def corpus_rows() -> list[Row]:
    corpus = yaml.safe_load(CORPUS.read_text("utf-8"))
    scores = {
        (kind, language): [injection.score(text) for text in texts]
        for kind, languages in corpus.items()
        for language, texts in languages.items()
    }

    def of(kind: str, *languages: str) -> list[float]:
        return [one for language in languages or ("en", "fr") for one in scores[kind, language]]

    attacks, alike, clean = of("attacks"), of("lookalikes"), of("clean")
    later, peaceful = of("attacks_later", *LATER), of("benign_later", *LATER)
    french = of("lookalikes", "fr") + of("clean", "fr")
    return [
        Row("own corpus: true at 1 %, look-alikes", at(attacks, alike, 0.01), "", 0.85, True),
        Row("own corpus: true at 5 %, look-alikes", at(attacks, alike, 0.05), "", 0.93, True),
        Row(
            "own corpus: true at 1 %, with clean", at(attacks, alike + clean, 0.01), "", 0.72, True
        ),
        Row(
            "own corpus: true at 5 %, with clean", at(attacks, alike + clean, 0.05), "", 0.88, True
        ),
        Row(
            "own corpus: French, true at 5 %", at(of("attacks", "fr"), french, 0.05), "", 0.75, True
        ),
        Row("own corpus: clean documents flagged (0.5)", sum(s >= 0.5 for s in clean) / len(clean)),
        Row("written later: true at 1 %", at(later, peaceful, 0.01)),
        Row("written later: true at 5 %", at(later, peaceful, 0.05)),
        Row(
            "written later: benign asked about (0.88)",
            sum(s >= 0.88 for s in peaceful) / len(peaceful),
        ),
    ]


def handbook_rows() -> list[Row]:
    """False alarms on the two handbooks: real prose of this product that training left out."""
    rows = []
    for language in ("en", "fr"):
        text = (ROOT / "examples" / "samples" / f"handbook.{language}.md").read_text("utf-8")
        parts = [part for part in re.split(r"\n\s*\n", text) if len(part) > 60]
        flagged = sum(injection.score(part, "document") >= 0.8 for part in parts) / len(parts)
        rows.append(Row(f"handbook, {language}: paragraphs flagged (0.8)", flagged, "", 0.05))
    return rows


def validation_rows() -> list[Row]:
    """Figures of training, each with how far another draw of the rows would move it."""
    figures = json.loads(FIGURES.read_text("utf-8"))
    rows = []
    for key, label, judged in (
        ("dev", "validation", True),
        ("dev, whole sources held out", "sources held out", False),
    ):
        for name in ("look-alikes", "with clean documents"):
            targets = ((0.85, 0.93) if name == "look-alikes" else (0.72, 0.88)) if judged else ()
            for at_, rate in enumerate(("1 %", "5 %")):
                mean, spread = (figures[key][name][part][at_] for part in ("mean", "spread"))
                title = f"{label}: true at {rate} (±{spread:.2f}), {name}"
                rows.append(Row(title, mean, "", targets[at_] if targets else None, True))
    for source, (found, wrong) in figures["dev, whole sources held out"][SOURCES].items():
        for what, value in (("attacks found", found), ("benign flagged", wrong)):
            if value is not None:
                rows.append(Row(f"  {source}, never seen: {what} at 5 %", value))
    french = figures["made, French"]["look-alikes"]["mean"][1]
    rows.append(Row("validation: French, made, true at 5 %", french, "", 0.75, True))
    return rows


def given_rows(folder: Path) -> list[Row]:
    items = [
        json.loads(line)
        for file in sorted(folder.glob("injection_*.jsonl"))
        for line in file.read_text("utf-8").splitlines()
    ]
    scores = [(item["label"], injection.score(item["text"])) for item in items]
    attacks = [score for label, score in scores if label]
    benign = [score for label, score in scores if not label]
    return [
        Row("given rows: true at 1 %", at(attacks, benign, 0.01), "", 0.72, True),
        Row("given rows: true at 5 %", at(attacks, benign, 0.05), "", 0.88, True),
    ]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=Path, help="folder with labelled injection_*.jsonl")
    given = parser.parse_args(arguments or [])
    injection.warm()
    text = ("Please find attached the report on the budget; let me know what you think. " * 8)[:500]
    rows = corpus_rows() + handbook_rows() + validation_rows()
    if given.rows:
        rows += given_rows(given.rows)
    rows.append(Row("CPU per 500-character text, p50", cpu_ms(text), "ms", 5.0))
    rows.append(Row("CPU per 3,000-character document, p50", cpu_ms(text * 6, 60), "ms", 5.0))
    show("Injection", rows)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
