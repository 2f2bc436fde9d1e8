"""Describe-to-build: the model drafts, the person sees the difference, Apply or Discard.

The description takes the product's own door; its conversation is deleted once it is read, so that
it is nobody's history. The ledger and the trace stay, as for every turn.
"""

import asyncio
import difflib
from dataclasses import replace

from agents.drafting import Draft, drafter, read_draft
from guardrails.errors import BadInput, GuardrailError
from sandbox.events import Reply
from ui.identity import Person
from ui.messages import say_error
from ui.routes.common import actor
from ui.routes.conversations import forget
from ui.web.markup import Markup, icon, joined
from ui.web.pages.common import Context
from ui.web.pages.form import Form

SHORTEST = 12  # characters: less is a word, not a description
FIELDS = ("title", "purpose", "category", "tools", "instructions", "starters")


async def propose(context: Context, person: Person, description: str) -> Draft:
    """The model's draft for `description`, real values put back.

    Raises BadInput("description-too-short", "draft-unreadable") and what a turn may raise or end
    with (policy, budget, model), as GuardrailError.
    """
    if len(description.strip()) < SHORTEST:
        raise BadInput("description-too-short")
    app, spec, reply = context.app, drafter(context.language), None
    conversation = await asyncio.to_thread(
        app.conversations.start, spec.id, person.id, spec.version
    )
    try:
        async for event in app.sessions.send(
            actor=actor(person),
            agent=spec,
            text=description[:4000],
            conversation=conversation,
            language=context.language,
            purpose="try-out",
        ):
            if isinstance(event, Reply):
                reply = event
    finally:
        # also when the page went away meanwhile: the turn is stopped before it is forgotten
        await asyncio.shield(forget(app, conversation, person.id))
    if reply is None:
        raise GuardrailError("internal")
    if reply.status != "done":
        raise GuardrailError(reply.error or "draft-unreadable", **dict(reply.error_data))
    return read_draft(reply.text)


def applied(form: Form, draft: Draft) -> Form:
    """The form with what the draft proposes; what it left out stays as it was."""
    keep = "CATEGORY" in draft.left_out
    return replace(
        form,
        title=draft.title or form.title,
        purpose=draft.purpose or form.purpose,
        category=form.category if keep else draft.category,
        tools=draft.tools or form.tools,
        instructions=draft.instructions or form.instructions,
        starters="\n".join(draft.starters) or form.starters,
    )


def difference(context: Context, before: Form, draft: Draft) -> Markup:
    """What Apply would change, field by field, and what the model could not say."""
    after = applied(before, draft)
    parts = []
    for field in FIELDS:
        old, new = _lines(context, before, field), _lines(context, after, field)
        if old == new:
            continue
        rows = joined(
            Markup('<div data-line="{}">{} {}</div>').format(kind, sign, text)
            for kind, sign, text in _marked(old, new)
        )
        parts.append(
            Markup('<h3 class="atl-h3">{}</h3><div class="atl-diff">{}</div>').format(
                context.say(f"web.build.field.{field}"), rows
            )
        )
    missing = [
        context.say(f"build.heading.{name.lower()}")
        for name in draft.left_out
        if name not in ("TOOLS",)
    ]
    note = (
        Markup('<p class="atl-small">{}</p>').format(
            context.say("build.describe.left-out", fields=", ".join(missing))
        )
        if missing
        else ""
    )
    return Markup(
        '<section class="atl-page atl-proposal" aria-label="{}"><div class="atl-ribbon"'
        ' data-kind="ok">{}<div><b>{}</b><p>{}</p></div></div>{}{}</section>'
    ).format(
        context.say("build.describe.proposal"),
        icon("wand-sparkles"),
        context.say("build.describe.proposal"),
        context.say("build.describe.check"),
        joined(parts) or Markup("<p>{}</p>").format(context.say("build.describe.same")),
        note,
    )


def refused(context: Context, error: GuardrailError) -> Markup:
    """Why there is no proposal, and what to do next."""
    return Markup(
        '<div class="atl-ribbon" data-kind="error" role="alert">{}<p>{}</p></div>'
    ).format(icon("triangle-alert"), say_error(context.language, error.code, **error.data))


def _lines(context: Context, form: Form, field: str) -> list[str]:
    if field == "tools":
        from ui.web.pages.playground import tool_name

        return [tool_name(context, name) for name in form.tools]
    if field == "category":
        return [context.say(f"web.category.{form.category}")]
    return [line for line in str(getattr(form, field)).splitlines() if line.strip()]


def _marked(old: list[str], new: list[str]) -> list[tuple[str, str, str]]:
    marks = {"+ ": ("added", "+"), "- ": ("removed", "−")}
    return [(*marks[line[:2]], line[2:]) for line in difflib.ndiff(old, new) if line[:2] in marks]
