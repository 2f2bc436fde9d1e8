"""From a description to a draft: the agent that writes it, and how its answer is read.

The description takes the same door as any message (screened, decided, recorded, sealed); the
answer is text with headings, because a small model keeps to headings better than to JSON.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from agents.spec import AgentSpec, Category, Limits, Text
from agents.tools.registry import TOOLS
from guardrails.errors import BadInput

HEADINGS = ("NAME", "PURPOSE", "CATEGORY", "TOOLS", "INSTRUCTIONS", "STARTERS")
_HEADING = re.compile(
    rf"^[#*\s]{{0,6}}({'|'.join(HEADINGS)})[*\s]{{0,4}}:[*]{{0,2}}[ \t]*(.*)$", re.I
)
_BULLET = re.compile(r"^\s{0,8}(?:[-*•]|\d{1,2}[.)])\s{0,4}")

_ASK = """You design office assistants. The person describes an assistant; you write its draft.
Answer with exactly these headings and nothing else:

NAME: two to four words
PURPOSE: one sentence, what it does for the person
CATEGORY: one of {categories}
TOOLS: none, or some of {tools}
INSTRUCTIONS:
- four to six short orders to the assistant: what to do, how to answer, what to leave alone
STARTERS:
- two messages that a person could begin with

Write {language}. Keep to what the person described. Choose tools only when they are needed:
{choices}"""
_WORDS = {"en": "in English", "fr": "in French (the headings stay in English)"}
_CHOICES = {
    "search_documents": "search_documents to look up answers in the person's documents",
    "python": "python to compute with tables and draw charts",
    "calculator": "calculator for sums",
    "current_date": "current_date when today's date matters",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What the model proposed. `left_out` names headings it left empty or wrote unusably."""

    title: str
    purpose: str
    category: str
    tools: tuple[str, ...]
    instructions: str
    starters: tuple[str, ...]
    left_out: tuple[str, ...]


def drafter(language: str) -> AgentSpec:
    """The agent that drafts agents, for one language. It has no tool and no document."""
    offered = [name for name in _CHOICES if name in TOOLS]
    ask = _ASK.format(
        categories=", ".join(get_args(Category)),
        tools=", ".join(offered),
        language=_WORDS[language],
        choices="; ".join(_CHOICES[name] for name in offered) + ".",
    )
    return AgentSpec(
        id="agent-drafter",
        icon="wand-sparkles",
        title=Text(en="Agent drafter", fr="Rédacteur d’agents"),
        instructions=Text(en=ask, fr=ask),
        limits=Limits(model_calls=2, tool_calls=0, answer_tokens=500, wall_s=180),
    )


def read_draft(answer: str) -> Draft:
    """The proposal in the model's answer.

    Raises BadInput("draft-unreadable") when not even a name or instructions can be found.
    """
    parts = _parts(answer)
    left_out = []
    category = parts.get("CATEGORY", "").strip(" .*`").lower()
    if category not in get_args(Category):
        category = "everyday"
        left_out.append("CATEGORY")
    named = re.findall(r"[a-z_]{3,40}", parts.get("TOOLS", "").lower())
    tools = tuple(dict.fromkeys(name for name in named if name in TOOLS))
    title = _line(parts.get("NAME", ""))[:80]
    instructions = parts.get("INSTRUCTIONS", "").strip()[:8000]
    starters = tuple(filter(None, map(_line, parts.get("STARTERS", "").splitlines())))[:8]
    purpose = _line(" ".join(parts.get("PURPOSE", "").split()))[:400]
    found: Mapping[str, object] = {
        "NAME": title, "PURPOSE": purpose, "INSTRUCTIONS": instructions, "STARTERS": starters,
    }  # fmt: skip
    left_out += [name for name, value in found.items() if not value]
    if "NAME" in left_out and "INSTRUCTIONS" in left_out:
        raise BadInput("draft-unreadable")
    return Draft(title, purpose, category, tools, instructions, starters, tuple(left_out))


def _parts(answer: str) -> dict[str, str]:
    parts: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in answer[:20_000].splitlines():
        if heading := _HEADING.match(line.replace("\u00a0", " ")):
            current = parts.setdefault(heading[1].upper(), [])
            current.append(heading[2])
        elif current is not None and not line.strip().startswith("```"):
            current.append(line)
    return {name: "\n".join(lines).strip() for name, lines in parts.items()}


def _line(text: str) -> str:
    return _BULLET.sub("", text).strip().strip('"*«»“”').strip()[:400]
