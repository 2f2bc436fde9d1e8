"""`atelier backup` and `atelier restore`: one file with everything, and the way back."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ui.commands.common import Voice, settings_now


def add(to: typer.Typer, voice: Voice) -> None:
    """Register both commands."""
    passphrase_option = typer.Option(
        "--passphrase-file", exists=True, dir_okay=False, help=voice("backup.passphrase-file")
    )

    @to.command(help=voice("backup.help"))
    def backup(
        file: Annotated[Path, typer.Argument(help=voice("backup.file"), dir_okay=False)],
        with_keys: Annotated[
            bool, typer.Option("--with-keys", help=voice("backup.with-keys"))
        ] = False,
        passphrase_file: Annotated[Path | None, passphrase_option] = None,
    ) -> None:
        from guardrails.audit.ledger import Act
        from guardrails.errors import BadInput, GuardrailError
        from ui.backup import make
        from ui.commands.people import opened

        settings = settings_now()
        if not (settings.home / "master.key").exists() and settings.master_key is None:
            raise BadInput("no-such-home", home=str(settings.home))
        wanted = with_keys or passphrase_file is not None
        passphrase = _passphrase(voice, passphrase_file, again=True) if wanted else ""
        with opened() as (_engine, keys, ledger):
            payload = {"keys": bool(passphrase)}
            intent = ledger.intent(Act("backup.make", "system", payload=payload))
            try:
                made = make(settings, keys, file, passphrase=passphrase)
            except GuardrailError as error:
                ledger.outcome(intent, "failed", {"code": error.code})
                raise
            ledger.outcome(intent, "allow", {"parts": made.parts})
        voice.result(voice("backup.made", file=str(file), n=made.parts))
        if not made.keys:
            voice.note("backup.without-keys")

    @to.command(help=voice("restore.help"))
    def restore(
        file: Annotated[
            Path, typer.Argument(help=voice("restore.file"), exists=True, dir_okay=False)
        ],
        replace: Annotated[bool, typer.Option("--replace", help=voice("restore.replace"))] = False,
        passphrase_file: Annotated[Path | None, passphrase_option] = None,
    ) -> None:
        from guardrails.errors import BadInput
        from ui import restore as way

        settings = settings_now()
        given = _passphrase(voice, passphrase_file) if passphrase_file else ""
        try:
            done = way.restore(settings, file, passphrase=given, replace=replace)
        except BadInput as error:
            if error.code != "backup-no-key" or given or not sys.stdin.isatty():
                raise
            given = _passphrase(voice, None)
            done = way.restore(settings, file, passphrase=given, replace=replace)
        voice.result(voice("restore.done", home=str(settings.home), made=done.made, n=done.rows))
        if done.aside is not None:
            voice.note("restore.aside", folder=str(done.aside))


def _passphrase(voice: Voice, file: Path | None, *, again: bool = False) -> str:
    if file is not None:
        return file.read_text("utf-8").splitlines()[0] if file.stat().st_size else ""
    if not sys.stdin.isatty():
        return sys.stdin.readline(4096).rstrip("\r\n")
    return str(
        typer.prompt(
            voice("backup.passphrase"),
            hide_input=True,
            confirmation_prompt=voice("backup.again") if again else False,
        )
    )
