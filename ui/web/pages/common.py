"""What every page shares: who asks (checked on the server in every handler), times, page shells."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr
from babel.dates import format_datetime, format_timedelta

from guardrails.errors import GuardrailError
from ui.access import Permission, require
from ui.identity import Person
from ui.messages import Language, say, say_error
from ui.web.markup import Markup

if TYPE_CHECKING:
    from ui.wiring import App

LOCALES = {"en": "en_GB", "fr": "fr_FR"}


@dataclass(frozen=True)
class Context:
    """One language of the pages over one house."""

    app: "App"
    language: Language

    def say(self, key: str, **data: object) -> str:
        """The wording in this page's language."""
        return say(self.language, key, **data)

    def person(self, request: gr.Request, permission: Permission) -> Person:
        """Who asks, when the table says they may; else a message the page shows.

        Gradio's `api_visibility="private"` is no access control: a handler can be called by its
        index, so each one comes through here first.
        """
        try:
            return require(self.app.identity.person(request.request), permission)
        except GuardrailError as error:
            raise refusal(self.language, error) from error

    def ago(self, when: dt.datetime) -> str:
        """`2 hours ago`, `il y a 2 heures`."""
        past = when - dt.datetime.now(dt.UTC)
        return format_timedelta(past, add_direction=True, locale=LOCALES[self.language])

    def at(self, when: dt.datetime, pattern: str = "d MMM HH:mm") -> str:
        """A moment in the server's own time zone, e.g. `22 Nov 17:42`."""
        return format_datetime(when.astimezone(), pattern, locale=LOCALES[self.language])


def refusal(language: Language, error: GuardrailError) -> gr.Error:
    """A refusal as Gradio shows it: our words, no stack trace."""
    return gr.Error(say_error(language, error.code, **error.data), print_exception=False)


def html(value: object = "", **given: object) -> gr.HTML:
    """A Gradio HTML part without Gradio's own styles, padding and click script."""
    return gr.HTML(
        str(value),
        apply_default_css=False,
        padding=False,
        container=False,
        js_on_load=None,
        **given,
    )


def filled(page: gr.Blocks, part: gr.HTML, fill: Callable[[gr.Request], Markup]) -> None:
    """Fill one HTML part when the page opens, for the person who opens it."""

    def load(request: gr.Request) -> str:
        return str(fill(request))

    page.load(load, None, part, queue=False, show_progress="hidden", api_visibility="private")
