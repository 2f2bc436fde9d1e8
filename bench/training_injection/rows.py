"""The examples to learn from: made, seen in the wild, and labelled rows that are given.

Knows nothing of models. None of the given rows is kept in the repository.
"""

import json
import random
import re
import sysconfig
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from bench.training_injection import asked, natural, public
from bench.training_injection.generate import Row, Writer, attacks, benign, within
from guardrails.detect.injection_features import Window, windows

FOLDS = 8
DOCUMENTS = ("bipia_indirect", "agentdojo_tool_output")  # given sets whose texts are documents


@dataclass
class Example:
    """A row with what the models see of it."""

    row: Row
    source: str  # `made` or a dev file
    weight: float
    windows: list[Window]

    @property
    def given(self) -> bool:
        """Whether it is a labelled row of a public set."""
        return self.source != "made"


def collect(dev: Path, packages: Path | None, count: int, seed: int = 0) -> list[Example]:
    """`count` made attacks with benign rows in proportion, and all given rows."""
    chance = random.Random(11 + seed)
    writer = Writer(5 + seed)
    clean = natural.documents(dev, chance)
    technical = readmes(900, chance) + natural.code(700, chance) + natural.references(400, chance)
    judging = _judging(dev)
    asks, services = [], []
    if packages:
        asks = _unlike(asked.asks(packages, chance), judging)
        services = _unlike(asked.documents(packages, chance), judging)
    extra = {"en": technical + clean["en"] + services, "fr": clean["fr"]}
    made = attacks(writer, count, extra) + benign(writer, int(count * 1.5), extra)
    for texts in natural.asks().values():
        made += [Row(text, 0, "starter", ((text, "ask"),)) for text in dict.fromkeys(texts)] * 2
    seen = public.attacks(packages, chance) if packages else []
    made += [Row(text, 1, "seen in the wild", ((text, "attack"),)) for text in seen]
    made += [Row(text, 0, "asked in public", ((text, "ask"),)) for text in asks]
    made += [Row(text, 0, "document/public", ((text, "document"),)) for text in services]
    orders = _unlike(public.orders(packages, chance), judging) if packages else []
    made += [within(writer, text, "seen in the wild", extra) for text in orders]
    examples = [Example(row, "made", 1.0, list(windows(row.text))) for row in made]
    for row, source in read_dev(dev):
        document = source in DOCUMENTS and "user_task" not in row.group
        kind = "document" if document else "attack" if row.label else "ask"
        parts = () if document and row.label else ((row.text, kind),)
        # the same few mails carry many attacks: learn the attack, not the mail
        importance = 9.0 if not document else 1.6 if row.label else 16.0
        whole = replace(row, parts=parts)
        examples.append(Example(whole, source, importance, list(windows(row.text))))
    return [example for example in examples if example.windows]


def folds(examples: list[Example], by_source: bool, seed: int = 0) -> list[int]:
    """The fold that judges each example; -1 is always learned.

    Made attacks by template, so that a template is either learned or judged; given rows by text,
    or whole sources together.
    """
    chance = random.Random(23 + seed)
    groups = sorted({one.row.group for one in examples if not one.given})
    chance.shuffle(groups)
    of_group = {group: index % FOLDS for index, group in enumerate(groups)}
    of_group["seen in the wild"] = -1
    sources = sorted({one.source for one in examples if one.given})
    found = []
    for one in examples:
        if one.given and by_source:
            found.append(sources.index(one.source) % FOLDS)
        elif one.given:
            # by the text, so that the figures of two runs can be compared
            found.append(zlib.crc32(one.row.text.encode() + bytes([seed])) % FOLDS)
        else:
            found.append(of_group[one.row.group] if one.row.label else chance.randrange(FOLDS))
    return found


def read_dev(folder: Path) -> list[tuple[Row, str]]:
    """(row, file stem) of every labelled row in `folder`."""
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


def _judging(dev: Path, words: int = 7) -> set[tuple[str, ...]]:
    return {run for row, _ in read_dev(dev) for run in _runs(row.text, words)}


def _unlike(texts: list[str], judging: set[tuple[str, ...]], words: int = 7) -> list[str]:
    """Those that repeat no `words` words of a text that judges."""
    return [text for text in texts if not any(run in judging for run in _runs(text, words))]


def copied(phrases: Path, dev: Path, corpus: Path, words: int = 5) -> list[str]:
    """Where the phrase files repeat `words` words of a text that judges: a given row, ours."""
    judging = [row.text for row, _ in read_dev(dev)]
    for languages in yaml.safe_load(corpus.read_text("utf-8")).values():
        judging += [text for texts in languages.values() for text in texts]
    seen = {run for text in judging for run in _runs(text, words)}
    found = []
    for file in sorted(phrases.glob("*.txt")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            for part in re.split(r"[|()]", line):
                if any(run in seen for run in _runs(part, words)):
                    found.append(f"{file.name}:{number}: {part.strip()[:80]}")
    return found


def _runs(text: str, words: int) -> set[tuple[str, ...]]:
    told = re.findall(r"\w+", text.lower())
    return {tuple(told[at : at + words]) for at in range(len(told) - words + 1)}
