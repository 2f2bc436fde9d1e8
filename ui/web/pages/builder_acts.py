"""What the builder does when somebody arrives, types, asks for a draft or takes a change back.

Every handler checks the person again: Gradio's own doors are no access control.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr
from pydantic import ValidationError

from agents.agent_records import AgentRecord
from agents.catalog import templates
from agents.drafting import Draft
from guardrails.errors import GuardrailError
from ui.identity import Person
from ui.rates import Rate
from ui.routes.common import limited
from ui.web.components.seen import seen_by_model
from ui.web.pages import describe
from ui.web.pages.builder_beside import card, delete, head, knowledge, test
from ui.web.pages.builder_choices import models_offered, tools_offered
from ui.web.pages.common import Context, refusal
from ui.web.pages.form import EMPTY, Form, form_of, problem, save, taken_back
from ui.web.pages.playground import tryout

PAUSE = 0.4  # seconds between two saves while somebody types; the last state always wins
KEPT = 6  # what `_shown` gives
# the fields of the form, in the order in which handlers get and give them
FIELDS = (
    "title", "purpose", "instructions", "starters", "category", "tools", "data_class", "guard",
    "pseudonyms", "model",
)  # fmt: skip


class Acts:
    """The builder's handlers in one language. `KEPT` values follow from what is kept: the draft's
    id, the card, undo, the chat, the test step, the documents."""

    def __init__(self, context: Context) -> None:
        self._context = context
        # for each person: a model's work, a screening
        self._drafts, self._looks = Rate(12, 600), Rate(120, 60)

    def arrive(self, request: gr.Request) -> list[object]:
        """The form as the address asks for it: head, fields, base, kept, what the model sees."""
        context = self._context
        person = context.person(request, "agents.build")
        try:
            record = _asked(context, person, dict(request.query_params))
        except GuardrailError as error:
            raise refusal(context.language, error) from error
        form = form_of(record.spec, context.language) if record else EMPTY
        own = record if record is not None and record.status == "draft" else None
        start = (record.base if own else record.id) if record else ""
        values = dict(zip(FIELDS, values_of(form), strict=True))
        values["tools"] = gr.update(
            choices=tools_offered(context, form.tools), value=list(form.tools)
        )
        values["model"] = gr.update(
            choices=models_offered(context, person, form.data_class, form.model), value=form.model
        )
        sample = context.say("web.build.try.sample")
        return [
            str(head(context, record)),
            *values.values(),
            start,
            *self._shown(form, own, record.id if record else ""),
            seen_by_model(context, sample, form.guard, form.pseudonyms),
        ]

    async def keep(self, request: gr.Request, *given: Any) -> list[object]:
        """Keep the fields as they are after a moment's pause: kept."""
        *values, draft, base = given
        context, person = self._context, self._context.person(request, "agents.build")
        form = form_from(values)
        await asyncio.sleep(PAUSE)
        untouched = form_of(templates()[base], context.language) if base in templates() else EMPTY
        if not draft and form == untouched:
            return self._shown(form, None, base)
        with contextlib.suppress(GuardrailError, ValidationError):  # `_keep` tells what is wrong
            if draft and await asyncio.to_thread(taken_back, context, person, form, draft):
                return [gr.skip()] * KEPT
        return await self._keep(person, form, draft, base)

    async def propose(self, request: gr.Request, wish: str, *values: Any) -> list[object]:
        """A model's draft of what somebody wishes: proposal, the draft, whether there is one."""
        context, person = self._context, self._context.person(request, "agents.build")
        form = form_from(values)
        try:
            limited(self._drafts, person)
            found = await describe.propose(context, person, wish)
        except GuardrailError as error:
            return [str(describe.refused(context, error)), None, gr.update(visible=False)]
        return [str(describe.difference(context, form, found)), found, gr.update(visible=True)]

    async def accept(self, request: gr.Request, *given: Any) -> list[object]:
        """Take the proposal into the form and keep it: fields, kept, no proposal."""
        found, draft, base, *values = given
        person = self._context.person(request, "agents.build")
        if not isinstance(found, Draft):
            raise gr.Error(self._context.say("build.describe.gone"), print_exception=False)
        form = describe.applied(form_from(values), found)
        rest = await self._keep(person, form, draft, base)
        return [*values_of(form), *rest, "", None, gr.update(visible=False)]

    def drop(self, request: gr.Request) -> list[object]:
        """No proposal any more."""
        self._context.person(request, "agents.build")
        return ["", None, gr.update(visible=False)]

    def take_back(self, draft: str, base: str, request: gr.Request) -> list[object]:
        """The version before the last change: fields, kept."""
        context, person = self._context, self._context.person(request, "agents.build")
        try:
            record = context.app.catalog.undo(draft, person.id)
        except GuardrailError as error:
            raise refusal(context.language, error) from error
        form = form_of(record.spec, context.language)
        return [*values_of(form), *self._shown(form, record, base)]

    def judge(self, data_class: str, model: str, request: gr.Request) -> object:
        """The models that data of this class may go to."""
        person = self._context.person(request, "agents.build")
        offered = models_offered(self._context, person, data_class, model)
        return gr.update(choices=offered, value=model)

    def look(self, text: str, guard: str, pseudonyms: str, request: gr.Request) -> str:
        """What the model would see of `text`."""
        person = self._context.person(request, "screen.try")
        try:
            limited(self._looks, person)
        except GuardrailError as error:
            raise refusal(self._context.language, error) from error
        return seen_by_model(self._context, text, guard, pseudonyms)

    def _shown(
        self, form: Form, record: AgentRecord | None, base: str, wrong: str = ""
    ) -> list[object]:
        """What beside the fields follows from them; `record` is the draft as kept."""
        context = self._context
        return [
            record.id if record else "",
            card(context, form, record, base, wrong),
            gr.update(visible=record is not None and record.number > 1),
            str(tryout(context, record) + delete(context, record)),
            str(test(context, record)),
            str(knowledge(context, record)),
        ]

    async def _keep(self, person: Person, form: Form, draft: str, base: str) -> list[object]:
        try:
            record = await asyncio.to_thread(save, self._context, person, form, draft, base)
        except (GuardrailError, ValidationError) as error:
            rest = self._shown(form, None, base, problem(self._context, error))
            # what is kept stays kept: only the card says what is wrong
            return [draft, rest[1], *[gr.skip()] * (len(rest) - 2)]
        return self._shown(form, record, base)


def form_from(values: Sequence[Any]) -> Form:
    """The values of FIELDS as a form."""
    given = dict(zip(FIELDS, values, strict=True))
    return Form(**{**given, "tools": tuple(given["tools"])})


def values_of(form: Form) -> list[object]:
    """A form as the values of FIELDS."""
    return [list(form.tools) if name == "tools" else getattr(form, name) for name in FIELDS]


def _asked(context: Context, person: Person, asked: Mapping[str, str]) -> AgentRecord | None:
    wanted = asked.get("agent") or asked.get("template") or ""
    return context.app.catalog.get(wanted, person.id) if wanted else None
