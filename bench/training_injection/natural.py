"""Clean text as people write it, from what is at hand: the product's own samples and wording, the
machine's translated messages, labelled rows without attacks. Nothing of it is kept here.

The two handbooks in `examples/samples` are left out on purpose: they are what `python -m
bench.injection` shows false alarms on.
"""

import gettext
import json
import random
import re
import sysconfig
from pathlib import Path
from pydoc_data import topics
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


def asks() -> dict[str, list[str]]:
    """What people ask agents: starters and test cases of the templates."""
    found: dict[str, list[str]] = {"en": [], "fr": []}
    for file in sorted((ROOT / "agents" / "templates").glob("*.yaml")):
        spec: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
        for language in found:
            found[language] += (spec.get("starters") or {}).get(language, [])
        for case in spec.get("cases") or []:
            text = str(case.get("input") or case.get("message") or "")
            if text and len(text) < 400:
                found["fr" if case.get("language") == "fr" else "en"].append(text)
    return found


def documents(dev: Path, chance: random.Random) -> dict[str, list[str]]:
    """Clean documents per language: whole samples, and runs of neighbouring sentences."""
    sentences = {language: _sentences(language, dev) for language in ("en", "fr")}
    found: dict[str, list[str]] = {}
    for language, pool in sentences.items():
        texts = []
        for file in sorted((ROOT / "agents/templates/samples" / language).glob("*.md")):
            body = file.read_text("utf-8")
            parts = re.split(r"\n\s*\n", body)
            texts += [body, *parts, *("\n".join(parts[at : at + 2]) for at in range(len(parts)))]
        if language == "en":
            for file in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]:
                body = file.read_text("utf-8")
                parts = [part for part in re.split(r"\n\s*\n", body) if len(part) > 60]
                texts += [body[:12_000], body[:5_000], *parts]
        while len(texts) < 2000:
            at = chance.randrange(len(pool))
            joint = chance.choice([" ", " ", "\n", "\n- "])
            texts.append(joint.join(pool[at : at + chance.randint(1, 7)]))
        found[language] = texts
    return found


def code(limit: int, chance: random.Random) -> list[str]:
    """Stretches of Python with its comments, fenced or not, some with a line of prose around."""
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    pieces = []
    for file in chance.sample(files, min(len(files), 150)):
        lines = file.read_text("utf-8", "replace").splitlines()
        for at in range(0, min(len(lines), 600), 40):
            body = "\n".join(lines[at : at + chance.randint(6, 30)]).strip()
            if len(body) < 120:
                continue
            if chance.random() < 0.6:
                body = f"```{chance.choice(['', 'python'])}\n{body}\n```"
            before, after = chance.choice(_AROUND)
            pieces.append(f"{before}{body}{after}")
    chance.shuffle(pieces)
    return pieces[:limit]


_AROUND = (
    ("", ""), ("", ""), ("You need to close the file first:\n", ""),
    ("Here is what works for me:\n\n", "\n\nHope this helps."),
    ("", "\nThe loop stops when nothing is left."),
    ("As noted above, the order matters. Replace the last part:\n", "\nRun it again afterwards."),
    ("If you want to skip empty rows, do this:\n", "\nSee the manual for the other options."),
)  # fmt: skip


def references(limit: int, chance: random.Random) -> list[str]:
    """Stretches of Python's own manual: prose full of rules and of words such as `ignore`."""
    pieces = []
    for body in topics.topics.values():
        parts = [part.strip() for part in re.split(r"\n\s*\n", body) if len(part) > 60]
        pieces += ["\n\n".join(parts[at : at + 2])[:1500] for at in range(0, len(parts), 2)]
    chance.shuffle(pieces)
    return pieces[:limit]


def _sentences(language: str, dev: Path) -> list[str]:
    texts: list[str] = []
    for file in sorted((ROOT / "ui" / "locales" / language).glob("*.json")):
        for value in json.loads(file.read_text("utf-8")).values():
            texts += [value] if isinstance(value, str) else list(value.values())
    for file in sorted(dev.glob("pii_*.jsonl")):
        rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        texts += [row["text"] for row in rows if row.get("lang") == language] * 3
    for file in sorted(Path("/usr/share/locale/fr/LC_MESSAGES").glob("*.mo")):
        with file.open("rb") as handle:
            # the public interface looks up one message; the whole table is only here
            table: dict[Any, str] = gettext.GNUTranslations(handle)._catalog  # type: ignore[attr-defined]
        pairs = [(key, value) for key, value in table.items() if isinstance(key, str)]
        texts += [value if language == "fr" else key for key, value in pairs][:150]
    texts = [re.sub(r"\s+", " ", text).strip() for text in texts]
    return [text for text in texts if 25 < len(text) < 900]
