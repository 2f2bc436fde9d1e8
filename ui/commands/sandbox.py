"""`atelier sandbox`: check the seal, or run Python in it as an agent's Python tool would."""

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ui.commands.common import FOUND_WANTING, REFUSED, Voice, settings_now

if TYPE_CHECKING:
    from sandbox.execute import Execution


@dataclass(frozen=True)
class Wanted:
    """What a person asked for; None means the usual limit."""

    seconds: float | None
    memory_mib: int | None


def add(to: typer.Typer, voice: Voice) -> None:
    """Register the group."""
    group = typer.Typer(help=voice("sandbox.help"), no_args_is_help=True)
    to.add_typer(group, name="sandbox")

    @group.command(help=voice("sandbox.check"))
    def check(
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        _check(voice, as_json)

    @group.command("exec", help=voice("sandbox.exec"))
    def run(
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
        seconds: Annotated[
            float | None, typer.Option("--time", min=0.1, max=600, help=voice("sandbox.time"))
        ] = None,
        memory: Annotated[
            int | None, typer.Option(min=16, max=4096, help=voice("sandbox.memory"))
        ] = None,
        file: Annotated[
            list[Path] | None,
            typer.Option(exists=True, dir_okay=False, readable=True, help=voice("sandbox.file")),
        ] = None,
    ) -> None:
        _run(voice, as_json, Wanted(seconds, memory), file or [])


def _check(voice: Voice, as_json: bool) -> None:
    from sandbox.launch.self_check import self_check

    report = asyncio.run(self_check(settings_now().home))
    if as_json:
        voice.json(report.as_dict())
    else:
        for line in report.lines(voice.language):
            voice.result(line)
    if not report.ok:
        raise typer.Exit(FOUND_WANTING)


def _run(voice: Voice, as_json: bool, wanted: Wanted, files: list[Path]) -> None:
    from guardrails.errors import GuardrailError
    from ui.messages import say_error

    code = sys.stdin.buffer.read(1024 * 1024).decode("utf-8", "replace")
    try:
        done: Execution = asyncio.run(_sealed(code, wanted, files))
    except GuardrailError as error:
        if not as_json:
            raise
        message = say_error(voice.language, error.code, **error.data)
        voice.json({"status": "refused", "output": message, "wall_s": 0.0, "backend": "none"})
        raise typer.Exit(REFUSED) from error
    if as_json:
        voice.json(_shown(done, voice))
    else:
        sys.stdout.write(done.output)
        if done.message:
            voice.note("sandbox.ended", status=done.status, why=_wording(done, voice))
    if done.status == "refused":
        raise typer.Exit(REFUSED)
    if done.status != "ok" and not as_json:
        raise typer.Exit(FOUND_WANTING)


async def _sealed(code: str, wanted: Wanted, files: list[Path]) -> "Execution":
    from sandbox.execute import execute
    from sandbox.launch.choose import choose
    from sandbox.limits import Limits
    from sandbox.pool import Pool

    usual = Limits()
    seconds = usual.wall_s if wanted.seconds is None else wanted.seconds
    limits = Limits(
        wall_s=seconds,
        cpu_s=usual.cpu_s if wanted.seconds is None else seconds,
        memory_mib=wanted.memory_mib or usual.memory_mib,
    )
    launcher = choose(settings_now().unsafe_no_sandbox)
    # a folder of its own: the usual one belongs to the server, which sweeps it
    with tempfile.TemporaryDirectory(prefix="atelier-exec-") as folder:
        # none kept warm: the one that is needed starts when it is asked for
        pool = Pool(launcher, {"data": 0}, limits, runs=Path(folder, "runs"))
        Path(folder).chmod(0o711)
        await pool.start()
        try:
            return await execute(
                pool, code, files={file.name: file for file in files}, limits=limits
            )
        finally:
            await pool.close()


def _shown(done: "Execution", voice: Voice) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "status": done.status,
        "output": done.output,
        "wall_s": round(done.wall_s, 3),
        "backend": done.backend,
        "artefacts": [
            {"name": each.name, "media_type": each.media_type, "size": len(each.data)}
            for each in done.artefacts
        ],
    }
    if done.message:
        shown["message"] = _wording(done, voice)
    return shown


def _wording(done: "Execution", voice: Voice) -> str:
    from ui.messages import say

    try:
        return say(voice.language, done.message)
    except KeyError:
        return done.message
