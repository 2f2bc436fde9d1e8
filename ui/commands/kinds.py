"""`atelier kinds`: the organisation's own kinds of data, tried before they are used."""

from pathlib import Path
from typing import Annotated

import typer

from ui.commands.common import FOUND_WANTING, Voice, settings_now


def add(to: typer.Typer, voice: Voice) -> None:
    """Register the group."""
    group = typer.Typer(help=voice("kinds.help"), no_args_is_help=True)
    to.add_typer(group, name="kinds")

    @group.command("try", help=voice("kinds.try"))
    def attempt(
        file: Annotated[Path | None, typer.Argument(help=voice("kinds.file"))] = None,
        text: Annotated[list[str] | None, typer.Option("--text", help=voice("kinds.text"))] = None,
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        from guardrails.detect.recognizers import custom
        from guardrails.errors import BadInput

        path = file or settings_now().own_kinds
        if not path.is_file():
            raise BadInput("kinds-missing", file=path.name)
        kinds = custom.load(path)
        trials = custom.try_out(kinds)
        rows = [(one.kind, one.text, one.found, one.ok) for one in trials]
        for sample in text or ():
            found = custom.search(kinds, sample)
            names = ", ".join(dict.fromkeys(kind for _, _, kind, *_ in found))
            values = tuple(sample[start:end] for start, end, *_ in found)
            rows.append((names, sample, values, True))
        if as_json:
            keys = ("kind", "text", "found", "ok")
            voice.json([dict(zip(keys, row, strict=True)) for row in rows])
        else:
            voice.table(
                ("kind", "text", "found", "ok"),
                [
                    (kind, sample, " | ".join(found), voice("kinds.ok" if ok else "kinds.wrong"))
                    for kind, sample, found, ok in rows
                ],
            )
        voice.note("kinds.summary", n=len({kind.kind for kind in kinds}))
        if not all(ok for *_, ok in rows):
            raise typer.Exit(FOUND_WANTING)
