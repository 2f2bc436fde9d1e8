"""What an agent is: one strict, frozen file. Knows nothing of who runs it, or where.

A person writes it by hand (YAML), the builder saves it as it is typed, a package carries it.
Texts may be empty while somebody types; `AgentSpec.missing()` says what a usable agent lacks.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Language = Literal["en", "fr"]
DataClass = Literal["public", "internal", "confidential", "restricted"]
Category = Literal["everyday", "hr", "finance", "legal", "support", "operations", "it", "learning"]

Identifier = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64)
]
Version = Annotated[str, StringConstraints(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]
FileName = Annotated[
    str,  # no part begins with a dot, so that ".." cannot be written
    StringConstraints(
        pattern=r"^[A-Za-z0-9À-ÿ][A-Za-z0-9À-ÿ _-]*([./][A-Za-z0-9À-ÿ_-][A-Za-z0-9À-ÿ _-]*)*$",
        max_length=120,
    ),
]
Line = Annotated[str, StringConstraints(max_length=400)]
Paragraphs = Annotated[str, StringConstraints(max_length=8000)]


class Strict(BaseModel):
    """Frozen, and no key that is not declared."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(Strict):
    """The same words in each language; an empty one falls back to the other."""

    en: Paragraphs = ""
    fr: Paragraphs = ""

    def to(self, language: str) -> str:
        """The words in `language`, or in the other one when that is empty."""
        return (self.fr or self.en) if language == "fr" else (self.en or self.fr)


class Lines(Strict):
    """A list of short lines in each language."""

    en: tuple[Line, ...] = Field(default=(), max_length=8)
    fr: tuple[Line, ...] = Field(default=(), max_length=8)

    def to(self, language: str) -> tuple[str, ...]:
        """The lines in `language`, or in the other one when there are none."""
        return (self.fr or self.en) if language == "fr" else (self.en or self.fr)


class Sample(Strict):
    """A file to try the agent with, in each language; names below `templates/samples`."""

    en: FileName
    fr: FileName

    def to(self, language: str) -> str:
        """The sample's name in `language`."""
        return self.fr if language == "fr" else self.en


class Number(Strict):
    """A number that the answer must contain, give or take `within`."""

    value: float = Field(allow_inf_nan=False)
    within: float = Field(default=0.0, ge=0, allow_inf_nan=False)


class Expected(Strict):
    """What a good answer shows: every key given holds. Case and accents do not count."""

    contains: tuple[Line, ...] = Field(
        default=(), description="Every one of these stands in the answer."
    )
    any_of: tuple[Line, ...] = Field(
        default=(), description="At least one of these stands in the answer."
    )
    omits: tuple[Line, ...] = Field(default=(), description="None of these stands in the answer.")
    matches: tuple[Line, ...] = Field(default=(), description="Every regular expression is found.")
    number: Number | None = Field(default=None, description="A number found in the answer.")
    cites: tuple[Line, ...] = Field(
        default=(), description="Documents among the sources of the answer."
    )
    masked: tuple[Line, ...] = Field(
        default=(), description="Kinds masked before the model saw them."
    )
    calls: tuple[Line, ...] = Field(default=(), description="Tools that were called.")
    refuses: bool = Field(
        default=False, description="The agent declines and says what to do instead."
    )
    json_schema: dict[str, Any] | None = Field(
        default=None, description="The answer holds JSON that this schema accepts."
    )
    rubric: Annotated[str, StringConstraints(max_length=2000)] = Field(
        default="", description="What a good answer is, in words; the model judges it three times."
    )


class Case(Strict):
    """One test: a message, files, and what a good answer shows."""

    id: Identifier
    language: Language = "en"
    input: Annotated[str, StringConstraints(min_length=1, max_length=8000)]
    files: tuple[FileName, ...] = Field(default=(), max_length=5)
    expect: Expected


class Saves(Strict):
    """Expected time saved per use, in minutes, and how that was or would be measured."""

    minutes: float = Field(default=0, ge=0, le=480)
    measured: Text = Field(default_factory=Text)


class Limits(Strict):
    """The most that one turn may use; the sandbox's own ceilings hold as well."""

    wall_s: float = Field(default=120, gt=0, le=600)
    model_calls: int = Field(default=8, ge=1, le=40)
    tool_calls: int = Field(default=8, ge=0, le=40)
    answer_tokens: int = Field(default=700, ge=16, le=4096)


class AgentSpec(Strict):
    """One agent. Equal specs have equal `content_hash()`."""

    id: Identifier = Field(description="Lower-case words joined by hyphens.")
    version: Version = "1.0.0"
    icon: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")] = Field(
        default="bot", description="Name of a Lucide icon."
    )
    category: Category = "everyday"
    title: Text
    purpose: Text = Text()
    not_for: Text = Field(default=Text(), description="What it must not be used for.")
    instructions: Text = Text()
    starters: Lines = Field(default_factory=Lines, description="Prompts a person can begin with.")
    tools: tuple[Identifier | Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")], ...] = (
        Field(default=(), max_length=16)
    )
    knowledge: tuple[FileName, ...] = Field(
        default=(),
        max_length=20,
        description="Documents it always reads; names below `templates/samples`.",
    )
    sample: Sample | None = Field(default=None, description="A document to try it with.")
    data_class: DataClass = "internal"
    guard: Literal["recommended", "strict"] = "recommended"
    pseudonyms: Literal["placeholders", "surrogates"] = Field(
        default="placeholders",
        description="What the model sees instead of a person: `<PERSON_1>`, or an invented name.",
    )
    model: Annotated[str, StringConstraints(max_length=120)] = Field(
        default="", description="Empty: the model the operator chose."
    )
    languages: tuple[Language, ...] = Field(default=("en", "fr"), min_length=1)
    limits: Limits = Field(default_factory=Limits)
    cases: tuple[Case, ...] = Field(default=(), max_length=200)
    owner: Line = ""
    licence: Line = ""
    saves: Saves = Field(default_factory=Saves)

    @model_validator(mode="after")
    def _no_doubles(self) -> "AgentSpec":
        for name, values in (
            ("tools", self.tools),
            ("knowledge", self.knowledge),
            ("languages", self.languages),
            ("cases", tuple(case.id for case in self.cases)),
        ):
            if len(set(values)) != len(values):
                raise ValueError(f"{name} lists something twice")
        return self

    def knowledge_for(self, language: str) -> tuple[str, ...]:
        """The documents it reads in `language`: those not filed under another language."""
        others = {"en/", "fr/"} - {f"{language}/"}
        return tuple(name for name in self.knowledge if not name.startswith(tuple(others)))

    @property
    def saves_minutes(self) -> float:
        """Expected minutes saved per use."""
        return self.saves.minutes

    def content_hash(self) -> str:
        """SHA-256 (64 hex characters) over canonical JSON: keys sorted, no spaces, UTF-8.

        Keys that hold their default are left out, so that a new optional key of a later release
        changes no hash and packages stay whole.
        """
        values = self.model_dump(mode="json", exclude_defaults=True)
        body = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(body.encode()).hexdigest()

    def missing(self) -> tuple[str, ...]:
        """Keys a usable agent still lacks in a language it claims, e.g. `instructions.fr`."""
        lacking = []
        for language in self.languages:
            for key in ("title", "purpose", "instructions"):
                if not getattr(getattr(self, key), language).strip():
                    lacking.append(f"{key}.{language}")
        return tuple(lacking)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of an agent file, for editors."""
    schema = AgentSpec.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def load_spec(path: Path) -> AgentSpec:
    """The agent in a YAML file; see `agents.specfile.read_spec` for the errors."""
    from agents.specfile import read_spec  # the reader needs this module's schema

    return read_spec(path)
