"""`atelier sandbox`: check the seal, or run Python in it as an agent's Python tool would."""

import sys
from typing import Annotated, Any

import typer

from ui.commands.common import FOUND_WANTING, REFUSED, Voice, settings_now
from ui.messages import say

MAX_BYTES = 1024 * 1024


def add(to: typer.Typer, voice: Voice) -> None:
    """Register the group."""
    group = typer.Typer(help=voice("sandbox.help"), no_args_is_help=True)
    to.add_typer(group, name="sandbox")

    @group.command(help=voice("sandbox.check"))
    def check(
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        from sandbox.command import run_check

        found = run_check(settings_now().home)
        if as_json:
            voice.json(found)
        else:
            _tell(voice, found)
        if not found["backend"]:
            raise typer.Exit(FOUND_WANTING)

    @group.command("exec", help=voice("sandbox.exec"))
    def run(
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
        seconds: Annotated[
            float | None, typer.Option("--time", min=0.1, max=600, help=voice("sandbox.time"))
        ] = None,
        memory: Annotated[
            int | None, typer.Option(min=16, max=4096, help=voice("sandbox.memory"))
        ] = None,
    ) -> None:
        from sandbox.command import run_exec

        settings = settings_now()
        code = sys.stdin.buffer.read(MAX_BYTES).decode("utf-8", "replace")
        done = run_exec(code, seconds, memory, settings.unsafe_no_sandbox, settings.home)
        status, message = str(done["status"]), str(done.get("message", ""))
        if message:
            figures: Any = done["figures"]
            done = {**done, "message": _wording(voice, message, **figures)}
        if as_json:
            voice.json(done)
        else:
            sys.stdout.write(str(done["output"]))
            sys.stdout.flush()
            if message:
                voice.note("sandbox.ended", status=status, why=done["message"])
        if status == "refused":
            raise typer.Exit(REFUSED)
        # for programs the status is in the object; the exit code says that the seal did its work
        if status != "ok" and not as_json:
            raise typer.Exit(FOUND_WANTING)


def _tell(voice: Voice, found: dict[str, Any]) -> None:
    for one in found["checks"]:
        mark = "✓" if one["held"] else "✗"
        why = "" if one["held"] else "  " + _wording(voice, one["detail"])
        what = _wording(voice, f"cli.check.{one['name']}")
        voice.result(f"{mark} {one['rung']:10}  {what}{why}")
    if found["backend"]:
        voice.result(voice("sandbox.sealed", backend=found["backend"]))
    else:
        voice.result(voice("sandbox.unsealed", fix=_wording(voice, found["fix"])))


def _wording(voice: Voice, key: str, **data: object) -> str:
    try:
        return say(voice.language, key, **data)
    except KeyError:
        return key
