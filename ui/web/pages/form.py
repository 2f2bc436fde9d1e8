"""The builder's form: what its fields hold, and how they become an agent and come back."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from agents.agent_records import AgentRecord
from agents.spec import AgentSpec, Lines, Text
from guardrails.errors import GuardrailError
from ui.identity import Person
from ui.messages import say_error
from ui.web.pages.common import Context

ICONS: dict[str, str] = {
    "everyday": "sparkles", "hr": "users", "finance": "receipt", "legal": "scale",
    "support": "headphones", "operations": "list-checks", "it": "code", "learning": "book-open",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """What the fields hold."""

    title: str
    purpose: str
    instructions: str
    starters: str
    category: str
    tools: tuple[str, ...]
    data_class: str
    guard: str = "recommended"
    model: str = ""
    pseudonyms: str = "placeholders"


JUST = 5.0  # seconds between Undo and what leaving the field keeps, also on a busy server
EMPTY = Form("", "", "", "", "everyday", (), "internal")


def form_of(spec: AgentSpec, language: str) -> Form:
    """A specification as the form shows it."""
    return Form(
        spec.title.to(language),
        spec.purpose.to(language),
        spec.instructions.to(language).rstrip("\n"),
        "\n".join(spec.starters.to(language)),
        spec.category,
        spec.tools,
        spec.data_class,
        spec.guard,
        spec.model,
        spec.pseudonyms,
    )


def save(context: Context, person: Person, form: Form, draft: str, base: str) -> AgentRecord:
    """Keep the form as the person's own draft; the first save makes one. Raises as `_spec`."""
    return context.app.catalog.save(_spec(context, person, form, draft, base), person.id, base)


def taken_back(context: Context, person: Person, form: Form, draft: str) -> bool:
    """Whether this is what the person has just undone: pressing Undo leaves the field that was
    typed in, and that would keep it once more. Raises as `_spec`."""
    undone = context.app.catalog.undone(draft, person.id, JUST)
    return bool(undone) and undone == _spec(context, person, form, draft, "").content_hash()


def _spec(context: Context, person: Person, form: Form, draft: str, base: str) -> AgentSpec:
    """The form as a specification: texts in the page's language, the other keeps what it had.

    Raises ValidationError for what an AgentSpec does not allow.
    """
    catalog = context.app.catalog
    if draft:
        before = catalog.get(draft, person.id).spec
    elif base:
        before = catalog.get(base, person.id).spec.model_copy(update={"cases": ()})
    else:
        before = AgentSpec(id="new", title=Text(), languages=(context.language,))
    return AgentSpec.model_validate(
        {**before.model_dump(), **_changes(before, form, context.language)}
        | {
            "id": draft or f"agent-x{secrets.token_hex(4)}",
            "owner": "" if not draft else before.owner,
        }
    )


def _changes(before: AgentSpec, form: Form, language: str) -> dict[str, object]:
    def text(field: Text, words: str) -> dict[str, str]:
        return {**field.model_dump(), language: words}

    lines = [line.strip() for line in form.starters.splitlines() if line.strip()]
    starters: Mapping[str, object] = {
        **Lines.model_dump(before.starters),
        language: lines[:8],
    }
    return {
        "title": text(before.title, form.title.strip()),
        "purpose": text(before.purpose, form.purpose.strip()),
        "instructions": text(before.instructions, form.instructions),
        "starters": starters,
        "category": form.category,
        "icon": before.icon
        if before.category == form.category and before.id != "new"
        else ICONS[form.category],
        "tools": list(form.tools),
        "data_class": form.data_class,
        "guard": form.guard,
        "model": form.model,
        "pseudonyms": form.pseudonyms,
    }


def problem(context: Context, error: GuardrailError | ValidationError) -> str:
    """What stops the draft from being kept, in words."""
    if isinstance(error, GuardrailError):
        return say_error(context.language, error.code, **error.data)
    field = str(error.errors(include_input=False, include_url=False)[0]["loc"][0])
    return context.say("web.build.too-long", field=context.say(f"web.build.field.{field}"))
