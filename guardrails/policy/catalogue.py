"""What each rule says in plain words, and what to do instead. Words only, no decisions."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from guardrails.errors import BadInput
from guardrails.policy.engine import DEFAULT

FIELDS = ("en", "fr", "instead_en", "instead_fr")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule for people, in one language."""

    id: str
    sentence: str
    instead: str


def explain(rule: str, language: Literal["en", "fr"], folder: Path = DEFAULT) -> Rule:
    """The words of a rule. A rule without words gets those of `no-match`, under its own id."""
    words = catalogue(folder)
    entry = words.get(rule) or words["no-match"]
    return Rule(rule, entry[language], entry[f"instead_{language}"])


@cache
def catalogue(folder: Path = DEFAULT) -> dict[str, dict[str, str]]:
    """All entries of `catalogue.yaml`. Raises BadInput("bad-catalogue") naming the entry."""
    file = folder / "catalogue.yaml"
    entries = yaml.safe_load(file.read_text("utf-8"))
    for rule, entry in entries.items():
        if not isinstance(entry, dict) or sorted(entry) != sorted(FIELDS):
            raise BadInput("bad-catalogue", file=str(file), rule=str(rule))
    return dict(entries)
