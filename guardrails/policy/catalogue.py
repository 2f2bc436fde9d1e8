"""What each rule says in plain words, why, and what to do instead. Words only, no decisions.

The product's rules have theirs in `catalogue.yaml`; a rule that an organisation writes carries its
own as annotations: `@en("…") @fr("…") @why_en("…") @why_fr("…") @instead_en("…") @instead_fr("…")`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from guardrails.errors import BadInput
from guardrails.policy.engine import DEFAULT, WORDS

FIELDS = ("en", "fr", "instead_en", "instead_fr")
Subject = Literal["models", "data", "tools", "files", "publishing", "budgets", "own"]
SUBJECTS: dict[str, Subject] = {
    "MD": "models",
    "DP": "data",
    "TL": "tools",
    "FI": "files",
    "PB": "publishing",
    "BU": "budgets",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule for people, in one language. `why` may be empty."""

    id: str
    sentence: str
    instead: str
    why: str = ""


def explain(
    rule: str,
    language: Literal["en", "fr"],
    folder: Path = DEFAULT,
    own: Mapping[str, Mapping[str, str]] | None = None,
) -> Rule:
    """The words of a rule; `own` are those of the rules in force (`PolicySet.words`).

    A rule without words gets those of `no-match`, under its own id. What a rule says in one
    language only is shown in that one.
    """
    words = catalogue(folder)
    entry: Mapping[str, str] = words.get(rule) or (own or {}).get(rule) or words["no-match"]
    other = "en" if language == "fr" else "fr"
    instead = entry.get(f"instead_{language}") or entry.get(f"instead_{other}")
    return Rule(
        rule,
        entry.get(language) or entry.get(other) or words["no-match"][language],
        instead or words["no-match"][f"instead_{language}"],
        entry.get(f"why_{language}") or entry.get(f"why_{other}") or "",
    )


def subject(rule: str) -> Subject:
    """What a rule is about, by the beginning of its id; "own" for an organisation's."""
    return SUBJECTS.get(rule[:2], "own") if rule[2:3] == "-" else "own"


@cache
def catalogue(folder: Path = DEFAULT) -> dict[str, dict[str, str]]:
    """All entries of `catalogue.yaml`. Raises BadInput("bad-catalogue") naming the entry."""
    file = folder / "catalogue.yaml"
    entries = yaml.safe_load(file.read_text("utf-8"))
    for rule, entry in entries.items():
        known = isinstance(entry, dict) and set(FIELDS) <= set(entry) <= set(WORDS)
        if not known:
            raise BadInput("bad-catalogue", file=str(file), rule=str(rule))
    return dict(entries)
