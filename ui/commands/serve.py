"""`atelier serve`: the product in the browser and over HTTP."""

from typing import Annotated

import typer

from ui.commands.common import Voice, settings_now


def add(to: typer.Typer, voice: Voice) -> None:
    """Register the command."""

    @to.command(help=voice("serve.help"))
    def serve(
        host: Annotated[str | None, typer.Option(help=voice("serve.host"))] = None,
        port: Annotated[
            int | None, typer.Option(min=0, max=65535, help=voice("serve.port"))
        ] = None,
    ) -> None:
        from ui.serve import serve as run
        from ui.serve import set_up_logging

        set_up_logging()
        run(
            settings_now(host=host, port=port),
            lambda address: voice.result(voice("serve.ready", address=address)),
        )
        voice.note("serve.stopped")
