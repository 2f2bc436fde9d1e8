# ruff: noqa: E501 - tables and patterns read better on one line
"""Fine-tune only the entity recogniser of a medium model: `python -m bench.training.train fr --out DIR`.

Vectors stay in the dependency; the trained component is about 6 MB. One language takes 10 to 20
minutes of one core.
"""

import argparse
import random
import time
from itertools import islice
from pathlib import Path

from bench.scoring import DEV
from bench.training import rehearsal
from bench.training.generate import FRENCH_LABELS, examples
from guardrails.detect import ner

HELD_OUT = 3  # every third labelled row is never trained on
_DEV = {"en": "pii_en_presidio_research.jsonl", "fr": "pii_fr_person_sentences.jsonl"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("language", choices=["en", "fr"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=26000)
    parser.add_argument("--minutes", type=float, default=14)
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--start", type=Path, help="go on from this trained component")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--prose", type=Path, action="append", default=[])
    parser.add_argument("--technical", type=Path, action="append", default=[])
    args = parser.parse_args()

    import spacy
    from spacy.training import Example as SpacyExample
    from spacy.util import fix_random_seed

    fix_random_seed(7)
    spacy.require_cpu()
    language = args.language
    stock = ner.stock(language)
    data = list(examples(args.texts, language, seed=args.seed))
    known = rehearsal.lexicon()
    chooser = random.Random(5)
    for folders, technical, limit in ((args.prose, False, 5000), (args.technical, True, 2500)):
        texts = [t for folder in folders for t in rehearsal.prose(folder)]
        chooser.shuffle(texts)
        rows = list(rehearsal.silver(stock, texts[:limit], known, technical))
        print(
            f"{len(rows)} {'technical' if technical else 'narrative'} texts of {len(texts)}",
            flush=True,
        )
        data += rows
    dev = DEV / _DEV[language]
    if dev.exists():
        rows = rehearsal.labelled(dev, HELD_OUT, part=False)
        if language == "fr":  # only persons are labelled there: the stock model adds the rest
            rows = [_with_silver(stock, row) for row in rows]
        made = list(rehearsal.substituted(rows, 14, language, seed=3))
        print(f"{len(made)} texts from {len(rows)} labelled rows", flush=True)
        data += made
    chooser.shuffle(data)

    nlp = ner.stock(language)
    component = nlp.get_pipe("ner")
    component.add_label("ADDRESS")
    if args.start:
        component.from_disk(args.start)
        component.model.attrs["unseen_classes"] = set()
    optimizer = nlp.resume_training()
    # the running averages do not follow the output layer that grew by a label: with them every
    # address is forgotten (measured), so the last weights are kept and the rate decays instead
    optimizer.averages = None
    rename = FRENCH_LABELS if language == "fr" else {}
    began, seen, epoch = time.time(), 0, 0
    losses: dict[str, float] = {}
    budget = args.minutes * 60
    while time.time() - began < budget:
        stream = iter(data)
        while time.time() - began < budget:
            progress = (time.time() - began) / budget
            size = 600 if progress < 0.25 else 1500
            batch, tokens = [], 0
            for text, spans in stream:
                doc = nlp.make_doc(text)
                entities = [
                    span
                    for s, e, label in spans
                    if (
                        span := doc.char_span(
                            s, e, rename.get(label, label), alignment_mode="expand"
                        )
                    )
                ]
                doc.ents  # noqa: B018
                reference = doc.copy()
                reference.ents = spacy.util.filter_spans(entities)
                batch.append(SpacyExample(doc, reference))
                tokens += len(doc)
                if tokens >= size:
                    break
            if not batch:
                break
            optimizer.learn_rate = args.rate * (1 - 0.95 * min(progress, 1))
            nlp.update(batch, drop=0.2, sgd=optimizer, losses=losses)
            seen += len(batch)
            if seen // 2000 != (seen - len(batch)) // 2000:
                print(
                    f"epoch {epoch} seen {seen} loss {losses.get('ner', 0):.0f} {time.time() - began:.0f}s",
                    flush=True,
                )
                losses = {}
        epoch += 1
        chooser.shuffle(data)
    args.out.mkdir(parents=True, exist_ok=True)
    component.to_disk(args.out)
    print(f"done: {seen} texts, {epoch} epochs, {args.out}")


def _with_silver(
    stock: object, row: tuple[str, list[tuple[int, int, str]]]
) -> tuple[str, list[tuple[int, int, str]]]:
    text, spans = row
    doc = next(islice(stock.pipe([text]), 1))  # type: ignore[attr-defined]
    extra = [
        (ent.start_char, ent.end_char, ent.label_)
        for ent in doc.ents
        if ent.label_ in ("LOC", "ORG", "MISC")
        and all(ent.end_char <= s or e <= ent.start_char for s, e, _ in spans)
    ]
    return text, sorted([*spans, *extra])


if __name__ == "__main__":
    main()
