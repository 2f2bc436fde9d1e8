"""`atelier run AGENT`: one turn on the command line, through the same door as everywhere."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.commands.common import REFUSED, UNAVAILABLE, Voice, read_text, settings_now, visible

if TYPE_CHECKING:
    from sandbox.events import Reply
    from ui.wiring import App


def add(to: typer.Typer, voice: Voice) -> None:
    """Register the command."""

    @to.command(help=voice("run.help"))
    def run(
        agent: Annotated[str, typer.Argument(help=voice("run.agent"))],
        text: Annotated[str, typer.Option("--input", help=voice("run.input"))] = "",
        file: Annotated[
            list[Path] | None,
            typer.Option(exists=True, dir_okay=False, readable=True, help=voice("run.file")),
        ] = None,
        conversation: Annotated[str | None, typer.Option(help=voice("run.conversation"))] = None,
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        from ui.uploads import MAX_CHARACTERS, clean_text

        given = read_text(MAX_CHARACTERS) if text == "-" else text
        turn = _turn(voice, agent, clean_text(given), file or [], conversation, as_json)
        reply = asyncio.run(turn)
        if reply.status == "blocked":
            raise typer.Exit(REFUSED)
        if reply.status != "done":
            raise typer.Exit(UNAVAILABLE)


async def _turn(
    voice: Voice,
    agent: str,
    text: str,
    files: list[Path],
    conversation: str | None,
    as_json: bool,
) -> "Reply":
    from guardrails.errors import BadInput, GuardrailError
    from ui.lock import ServerLock
    from ui.running import running
    from ui.wiring import build

    settings = settings_now()
    limit = settings.upload_limit_mib
    for file in files:
        if file.stat().st_size > limit * 1024 * 1024:
            raise BadInput("too-large", limit=limit)
    lock = ServerLock(settings.home)
    alone = not lock.held()
    if alone:
        lock.take("atelier run")
    try:
        app = build(settings)
        async with running(app, recover=alone):
            reply = await _follow(voice, app, agent, text, files, conversation, as_json)
    finally:
        lock.free()
    if reply is None:
        raise GuardrailError("run-ended")
    _finish(voice, reply, as_json)
    return reply


async def _follow(
    voice: Voice,
    app: "App",
    agent: str,
    text: str,
    files: list[Path],
    conversation: str | None,
    as_json: bool,
) -> "Reply | None":
    from guardrails.actor import Actor
    from sandbox.events import Delta, Notice, Reply
    from ui.access import ROLES
    from ui.identity import WORKSHOP_ID
    from ui.routes.chat import notice

    # whoever may read the home may do anything in it, so this is the local owner
    owner = Actor(WORKSHOP_ID, roles=frozenset(ROLES))
    reply: Reply | None = None
    async for event in app.sessions.send(
        actor=owner,
        agent=app.catalog.get(agent, owner.id).spec,
        conversation=conversation,
        text=text,
        files={file.name: file for file in files},
        language=voice.language,
    ):
        if isinstance(event, Notice) and not as_json:
            print(visible(str(notice(event, voice.language)["text"])), file=sys.stderr)
        elif isinstance(event, Delta) and not as_json:
            lines = [visible(line) for line in event.text.split("\n")]
            print("\n".join(lines), end="", flush=True)
        elif isinstance(event, Reply):
            reply = event
    return reply


def _finish(voice: Voice, reply: "Reply", as_json: bool) -> None:
    from ui.routes.chat import whole

    shown = whole(reply, voice.language)
    if as_json:
        voice.json(shown)
        return
    print()
    if shown["message"]:
        print(shown["message"], file=sys.stderr)
    voice.note("run.trace", trace=f"tr_{reply.trace_id[:8]}", model=reply.model)
