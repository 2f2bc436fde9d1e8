"""`atelier user`: the accounts of this installation. Every change is in the ledger first."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ui.commands.common import Voice, settings_now

if TYPE_CHECKING:
    import sqlalchemy as sa

    from guardrails.audit.ledger import Ledger
    from guardrails.keys import Keys
    from ui.identity import Identity
    from ui.people import People


def add(to: typer.Typer, voice: Voice) -> None:
    """Register the group."""
    group = typer.Typer(help=voice("user.help"), no_args_is_help=True)
    to.add_typer(group, name="user")

    @group.command("add", help=voice("user.add"))
    def add_one(
        login: Annotated[str, typer.Argument(help=voice("user.login"))],
        name: Annotated[str, typer.Option(help=voice("user.name"))] = "",
        department: Annotated[str, typer.Option(help=voice("user.department"))] = "",
        role: Annotated[list[str] | None, typer.Option(help=voice("user.role"))] = None,
        language: Annotated[Literal["en", "fr"], typer.Option(help=voice("user.language"))] = "en",
        password_stdin: Annotated[
            bool, typer.Option("--password-stdin", help=voice("user.password-stdin"))
        ] = False,
    ) -> None:
        password = _password(voice, password_stdin)
        with _accounts() as (people, ledger, _identity):
            from guardrails.audit.ledger import Act

            roles = role or ["staff"]
            # the account's own id does not exist yet; its sign-in name must not be in the ledger
            ledger.record(Act("user.add", "system", payload={"roles": sorted(roles)}))
            account = people.add(
                login, password, name=name, department=department, roles=roles, language=language
            )
        voice.result(
            voice("user.added", login=account.login, roles=", ".join(sorted(account.roles)))
        )
        voice.note("user.restart")

    @group.command("list", help=voice("user.list"))
    def show(
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        with _accounts() as (people, _ledger, _identity):
            accounts = people.all()
        if as_json:
            voice.json(
                [
                    {
                        "id": account.id,
                        "login": account.login,
                        "name": account.name,
                        "department": account.department,
                        "roles": sorted(account.roles),
                        "language": account.language,
                    }
                    for account in accounts
                ]
            )
            return
        if not accounts:
            voice.note("user.none")
            return
        voice.table(
            ("login", "name", "department", "roles"),
            [(a.login, a.name, a.department, ", ".join(sorted(a.roles))) for a in accounts],
        )

    @group.command(help=voice("user.confirm"))
    def confirm(login: Annotated[str, typer.Argument(help=voice("user.login"))]) -> None:
        with _accounts() as (people, ledger, _identity):
            from guardrails.audit.ledger import Act
            from guardrails.errors import BadInput

            account = people.find(login)
            if account is None:
                raise BadInput("no-such-account", login=login)
            if not account.rests:
                raise BadInput("nothing-waits")
            ledger.record(Act("duty.confirm", "system", subject=account.id, rule=account.rests))
            people.change(account.id, rests="")
        voice.result(voice("user.confirmed", login=account.login))

    @group.command(help=voice("user.remove"))
    def remove(login: Annotated[str, typer.Argument(help=voice("user.login"))]) -> None:
        with _accounts() as (people, ledger, identity):
            from guardrails.audit.ledger import Act
            from guardrails.errors import BadInput
            from ui import leaving

            account = people.find(login)
            if account is None:
                raise BadInput("no-such-account", login=login)
            ledger.record(Act("user.remove", "system", subject=account.id))
            leaving.remove(people, identity, account)
        voice.result(voice("user.removed", login=account.login))


def _password(voice: Voice, from_stdin: bool) -> str:
    if from_stdin or not sys.stdin.isatty():
        return sys.stdin.readline(4096).rstrip("\r\n")
    return str(
        typer.prompt(
            voice("user.password"), hide_input=True, confirmation_prompt=voice("user.again")
        )
    )


@contextmanager
def opened() -> Iterator[tuple["sa.Engine", "Keys", "Ledger"]]:
    """The store, keys and ledger of the home, without the rest of the product."""
    from guardrails.audit.ledger import Ledger
    from guardrails.keys import load_keys
    from guardrails.migrate import upgrade
    from guardrails.store import open_engine
    from ui import accounts, identity

    _ = (accounts, identity)  # imported for their tables
    settings = settings_now()
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    given = settings.master_key.get_secret_value() if settings.master_key else None
    keys = load_keys(settings.home / "master.key", given)
    engine = open_engine(settings.database_url)
    upgrade(engine)
    checkpoints = settings.checkpoint_file or settings.home / "checkpoints.jsonl"
    ledger = Ledger(engine, keys, checkpoint_file=checkpoints)
    try:
        yield engine, keys, ledger
    finally:
        ledger.close()
        engine.dispose()


@contextmanager
def _accounts() -> Iterator[tuple["People", "Ledger", "Identity"]]:
    from ui.identity import Identity
    from ui.people import People

    with opened() as (engine, keys, ledger):
        people = People(engine)
        # loopback on purpose: managing accounts must work before there are any
        yield people, ledger, Identity(engine, keys, people, host="127.0.0.1")
