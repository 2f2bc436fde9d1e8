"""`atelier agent`: list, check, bring in and hand out, test, ask to publish, go back.

Whoever may read the home may do anything in it, so that these act as the local owner; with accounts
`--as` names the person whose agent it is. Nobody's own work is approved from here either.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ui.commands.common import FOUND_WANTING, Voice, settings_now

if TYPE_CHECKING:
    from ui.identity import Person
    from ui.wiring import App


def add(to: typer.Typer, voice: Voice) -> None:
    """Register the group."""
    group = typer.Typer(help=voice("agent.help"), no_args_is_help=True)
    to.add_typer(group, name="agent")
    _reading(group, voice)
    _packages(group, voice)
    _publishing(group, voice)


def _reading(group: typer.Typer, voice: Voice) -> None:
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


def _packages(group: typer.Typer, voice: Voice) -> None:
    @group.command("export", help=voice("agent.export"))
    def export(
        agent: Annotated[str, typer.Argument(help=voice("run.agent"))],
        out: Annotated[Path | None, typer.Option(help=voice("agent.out"), dir_okay=False)] = None,
        login: Annotated[str, typer.Option("--as", help=voice("agent.as"))] = "",
    ) -> None:
        from ui.routes.packages import packed

        with _opened() as app:
            data = packed(app, _person(app, voice, login), agent)
        file = out or Path(f"{agent}.agent.zip")
        file.write_bytes(data)
        voice.result(str(file))

    @group.command("import", help=voice("agent.import"))
    def bring(
        file: Annotated[Path, typer.Argument(help=voice("agent.package"), exists=True)],
        login: Annotated[str, typer.Option("--as", help=voice("agent.as"))] = "",
    ) -> None:
        from agents.package import MAX_PACKAGE
        from ui.routes.packages import bring_in

        with file.open("rb") as package:
            data = package.read(MAX_PACKAGE + 1)
        with _opened() as app:
            made = bring_in(app, _person(app, voice, login), data)
        claims = ", ".join(f"{key}: {value}" for key, value in made.claims.items()) or "–"
        voice.result(made.id)
        voice.note("agent.imported", digest=made.digest[:12], claims=claims)


def _publishing(group: typer.Typer, voice: Voice) -> None:
    @group.command(help=voice("agent.test"))
    def test(
        agent: Annotated[str, typer.Argument(help=voice("run.agent"))],
        which: Annotated[str, typer.Option(help=voice("agent.which"))] = "all",
        repeats: Annotated[int, typer.Option(min=1, max=5, help=voice("agent.repeats"))] = 1,
        login: Annotated[str, typer.Option("--as", help=voice("agent.as"))] = "",
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        found = asyncio.run(_tested(voice, agent, which, repeats, login))
        if as_json:
            from dataclasses import asdict

            voice.json([asdict(result) for result in found])
        else:
            rows = [
                (
                    one.case,
                    voice("agent.passed" if one.passed else "agent.failed"),
                    f"{one.passes}/{one.runs}",
                    f"{one.seconds:.1f}",
                    one.error or ", ".join(check.key for check in one.failures),
                )
                for one in found
            ]
            voice.table(("case", "result", "runs", "seconds", "why"), rows)
        if not all(one.passed for one in found):
            raise typer.Exit(FOUND_WANTING)

    @group.command(help=voice("agent.publish"))
    def publish(
        agent: Annotated[str, typer.Argument(help=voice("run.agent"))],
        audience: Annotated[str, typer.Option(help=voice("agent.audience"))] = "everyone",
        bump: Annotated[str, typer.Option(help=voice("agent.bump"))] = "minor",
        notes: Annotated[str, typer.Option(help=voice("agent.notes"))] = "",
        login: Annotated[str, typer.Option("--as", help=voice("agent.as"))] = "",
    ) -> None:
        request = asyncio.run(_asked(voice, agent, audience, bump, notes, login))
        voice.result(request)
        voice.note("agent.asked")

    @group.command(help=voice("agent.rollback"))
    def rollback(
        agent: Annotated[str, typer.Argument(help=voice("run.agent"))],
        version: Annotated[str, typer.Argument(help=voice("agent.version"))],
        login: Annotated[str, typer.Option("--as", help=voice("agent.as"))] = "",
    ) -> None:
        from ui.routes.common import actor

        with _opened() as app:
            person = _person(app, voice, login)
            live = app.desk.publishing.rollback(agent, version, actor(person))
        voice.result(f"{live.agent} {live.version}")


async def _tested(voice: Voice, agent: str, which: Any, repeats: int, login: str) -> Any:
    from guardrails.errors import BadInput
    from ui.routes.common import actor

    if which not in ("own", "safety", "all"):
        raise BadInput("bad-field", field="--which")
    async with _started() as app:
        person = _person(app, voice, login)
        record = app.catalog.get(agent, person.id)
        run = await app.desk.evaluations.start(
            record.spec, actor(person), which=which, repeats=repeats
        )
        await app.desk.evaluations.wait(run.id)
        return app.desk.evaluations.results(run.id)


async def _asked(voice: Voice, agent: str, audience: str, bump: Any, notes: str, login: str) -> str:
    from guardrails.errors import BadInput
    from ui.routes.common import actor
    from ui.routes.publishing import resolved

    if bump not in ("major", "minor", "patch"):
        raise BadInput("bad-field", field="--bump")
    async with _started() as app:
        by = actor(_person(app, voice, login))
        request = app.desk.publishing.request(
            agent, by, audience=resolved(app, audience), bump=bump, notes=notes
        )
        if request.state == "checking":
            await app.desk.checked(request, by)
        return str(request.id)


def _person(app: "App", voice: Voice, login: str) -> "Person":
    from guardrails.errors import BadInput
    from ui.access import ROLES
    from ui.identity import WORKSHOP_ID, Person

    if not login:
        if app.identity.mode == "accounts":
            raise BadInput("no-such-account", login="--as")
        return Person(
            WORKSHOP_ID, "", "", frozenset(ROLES), voice.language, frozenset(ROLES), workshop=True
        )
    account = app.people.find(login)
    if account is None:
        raise BadInput("no-such-account", login=login)
    return Person(
        account.id, account.name, account.department, account.roles, voice.language, account.roles
    )


class _opened:
    """The house for an act without a turn: nothing is started but what it needs."""

    def __enter__(self) -> "App":
        from ui.wiring import build

        self._app = build(settings_now())
        return self._app

    def __exit__(self, *_: object) -> None:
        from ui.running import close

        close(self._app)


class _started:
    """The whole house, as for `atelier run`."""

    async def __aenter__(self) -> "App":
        from ui.lock import ServerLock
        from ui.running import running
        from ui.wiring import build

        settings = settings_now()
        self._lock = ServerLock(settings.home)
        alone = not self._lock.held()
        if alone:
            self._lock.take("atelier agent")
        try:
            self._running = running(build(settings), recover=alone)
            return await self._running.__aenter__()
        except BaseException:
            self._lock.free()
            raise

    async def __aexit__(self, *error: Any) -> None:
        try:
            await self._running.__aexit__(*error)
        finally:
            self._lock.free()
