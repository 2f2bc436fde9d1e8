"""`atelier doctor`: is this machine ready, and what to do where it is not."""

from dataclasses import asdict
from typing import Annotated

import typer

from ui.commands.common import FOUND_WANTING, Voice
from ui.messages import catalogue, say

MARKS = {"ok": "✓", "warning": "!", "bad": "✗"}


def add(to: typer.Typer, voice: Voice) -> None:
    """Register the command."""

    @to.command(help=voice("doctor.help"))
    def doctor(
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        from ui.commands.common import settings_now
        from ui.doctor import examine

        checks = examine(settings_now())
        texts = [voice(check.key, **_worded(voice, check.data)) for check in checks]
        if as_json:
            pairs = zip(checks, texts, strict=True)
            voice.json([asdict(check) | {"text": text} for check, text in pairs])
        else:
            for check, text in zip(checks, texts, strict=True):
                voice.result(f"{MARKS[check.state]} {text}")
        if any(check.state == "bad" for check in checks):
            raise typer.Exit(FOUND_WANTING)


def _worded(voice: Voice, data: dict[str, object]) -> dict[str, object]:
    known = catalogue(voice.language)
    return {
        name: say(voice.language, value) if isinstance(value, str) and value in known else value
        for name, value in data.items()
    }
