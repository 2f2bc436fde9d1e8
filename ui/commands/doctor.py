"""`atelier doctor`: is this machine ready, and what to do where it is not."""

from dataclasses import asdict
from typing import Annotated

import typer

from ui.commands.common import FOUND_WANTING, Voice

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
        if as_json:
            voice.json(
                [asdict(check) | {"text": voice(check.key, **check.data)} for check in checks]
            )
        else:
            for check in checks:
                voice.result(f"{MARKS[check.state]} {voice(check.key, **check.data)}")
        if any(check.state == "bad" for check in checks):
            raise typer.Exit(FOUND_WANTING)
