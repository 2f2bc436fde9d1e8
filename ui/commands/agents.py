"""`atelier agent`: list the agents, check an agent file."""

from pathlib import Path
from typing import Annotated

import typer

from ui.commands.common import Voice


def add(to: typer.Typer, voice: Voice) -> None:
    """Register the group."""
    group = typer.Typer(help=voice("agent.help"), no_args_is_help=True)
    to.add_typer(group, name="agent")

    @group.command("list", help=voice("agent.list"))
    def show(
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        from agents.catalog import templates

        rows = [
            (spec.id, spec.version, spec.data_class, spec.title.to(voice.language))
            for spec in templates().values()
        ]
        if as_json:
            keys = ("id", "version", "data_class", "title")
            voice.json([dict(zip(keys, row, strict=True)) for row in rows])
            return
        voice.table(("agent", "version", "data-class", "title"), rows)

    @group.command(help=voice("agent.validate"))
    def validate(
        file: Annotated[Path, typer.Argument(help=voice("agent.file"), dir_okay=False)],
    ) -> None:
        from agents.specfile import read_spec

        spec = read_spec(file)
        voice.result(voice("agent.valid", id=spec.id, hash=spec.content_hash()[:12]))
