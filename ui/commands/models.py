"""`atelier model`: fetch the practice model, or tell which model answers."""

import asyncio
import sys
from typing import Annotated

import typer

from ui.commands.common import Voice, settings_now


def add(to: typer.Typer, voice: Voice) -> None:
    """Register the group."""
    group = typer.Typer(help=voice("model.help"), no_args_is_help=True)
    to.add_typer(group, name="model")

    @group.command(help=voice("model.fetch"))
    def fetch(
        fallback: Annotated[bool, typer.Option(help=voice("model.fallback"))] = False,
    ) -> None:
        from sandbox.broker.model_fetch import fetch as bring
        from sandbox.broker.model_pins import folders, locate, pinned

        settings = settings_now()
        model = pinned("fallback" if fallback else "practice")
        where = folders(settings.home, settings.model_cache)
        present = locate(model, where)
        if present is not None:
            voice.result(voice("model.present", file=str(present)))
            return
        voice.note("model.fetching", mb=model.size // 1_000_000)
        file = bring(model, where[0], _progress)
        print(file=sys.stderr)
        voice.result(voice("model.fetched", file=str(file)))

    @group.command(help=voice("model.status"))
    def status(
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        from dataclasses import asdict

        from ui.running import close
        from ui.wiring import build

        app = build(settings_now())
        try:
            info = app.models.info()
        finally:
            close(app)
            asyncio.run(app.models.stop())
        if as_json:
            voice.json(asdict(info))
            return
        voice.result(voice("model.is", label=info.label, kind=info.kind, state=info.state))


def _progress(done: int, total: int) -> None:
    share = done / total if total else 0.0
    bar = "█" * round(share * 30)
    megabytes = f"{done // 1_000_000} / {total // 1_000_000} MB"
    if sys.stderr.isatty():
        print(f"\r{bar:<30} {share:4.0%}  {megabytes}", end="", file=sys.stderr, flush=True)
