"""`atelier policy`: read the rules, check a text, rehearse it on past turns, export a version.

Works on the store of this home, also beside a running server. Drafting and approving need people
with accounts: they are on the page and in the API.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.commands.common import FOUND_WANTING, Voice, settings_now
from ui.messages import say

if TYPE_CHECKING:
    from ui.wiring import App

Rules = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]


def add(to: typer.Typer, voice: Voice) -> None:
    """Register the group."""
    group = typer.Typer(help=voice("policy.help"), no_args_is_help=True)
    to.add_typer(group, name="policy")
    number_help = voice("policy.number")

    @group.command("list", help=voice("policy.list"))
    def show_all(
        versions: Annotated[
            bool, typer.Option("--versions", help=voice("policy.versions"))
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        from ui.rulebook import rulebook

        with _open() as app:
            if versions:
                rows = [
                    {"number": v.number, "state": v.state, "hash": v.hash, "note": v.note}
                    for v in app.rules.all()
                ]
                if as_json:
                    voice.json(rows)
                    return
                voice.table(
                    ("version", "state", "hash", "note"),
                    [(r["number"], r["state"], str(r["hash"])[:12], r["note"]) for r in rows],
                )
                return
            active = app.rules.active()
            views = rulebook(app, active.text if active else "", voice.language)
        if as_json:
            kept = ("id", "subject", "sentence", "why", "instead", "on", "source")
            voice.json([{name: getattr(view, name) for name in kept} for view in views])
            return
        state = {on: voice(f"policy.{'on' if on else 'off'}") for on in (True, False)}
        voice.table(("rule", "state", "title"), [(v.id, state[v.on], v.sentence) for v in views])

    @group.command(help=voice("policy.show"))
    def show(
        rule: Annotated[str, typer.Argument(help=voice("policy.rule"))],
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        from guardrails.errors import BadInput
        from ui.rulebook import rulebook

        with _open() as app:
            active = app.rules.active()
            views = rulebook(app, active.text if active else "", voice.language)
        found = next((view for view in views if view.id == rule.upper()), None)
        if found is None:
            raise BadInput("no-such-rule", rule=rule)
        if as_json:
            kept = ("id", "subject", "sentence", "why", "instead", "on", "source", "text")
            voice.json({name: getattr(found, name) for name in kept})
            return
        for line in (f"{found.id}  {found.sentence}", found.why, found.instead, "", found.text):
            voice.result(line)

    @group.command(help=voice("policy.validate"))
    def validate(
        file: Rules,
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        from guardrails.policy.diagnose import diagnose
        from guardrails.policy.engine import DEFAULT, SCHEMA_FILE
        from ui.rulebook import told

        schema = (DEFAULT / SCHEMA_FILE).read_text("utf-8")
        problems = diagnose(_text(file), schema)
        if as_json:
            voice.json([asdict(problem) for problem in problems])
        else:
            for problem in problems:
                voice.result(f"{file}:{problem.line}: {told(problem, voice.language)}")
        if any(problem.level == "error" for problem in problems):
            raise typer.Exit(FOUND_WANTING)
        voice.note("policy.valid")

    @group.command(help=voice("policy.rehearse"))
    def rehearse(
        file: Rules,
        days: Annotated[int, typer.Option(min=1, max=366, help=voice("policy.days"))] = 30,
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        from datetime import UTC, datetime, timedelta

        from guardrails.actor import SYSTEM
        from guardrails.audit.ledger import Act
        from guardrails.audit.trace_rows import TraceFilter
        from guardrails.policy.rehearse import rehearse as decide_again

        with _open() as app:
            proposed = app.rules.check(_text(file))
            app.ledger.record(Act("policy.rehearse", SYSTEM, payload={"policy": proposed.hash}))
            since = datetime.now(UTC) - timedelta(days=days)
            found = decide_again(app.traces, app.policy, proposed, filter=TraceFilter(since=since))
        if as_json:
            voice.json({**asdict(found), "rules": dict(found.rules)})
            return
        voice.result(voice("policy.looked-at", n=found.looked_at))
        whom = say(voice.language, "count.people", n=found.people)
        voice.result(voice("policy.blocked", n=found.blocked, people=whom))
        voice.result(voice("policy.stopped", n=len(found.agents), agents=", ".join(found.agents)))
        for rule, count in found.rules.items():
            voice.result(f"  {rule}  {count}")

    @group.command(help=voice("policy.export"))
    def export(
        number: Annotated[int, typer.Argument(min=0, help=number_help)] = 0,
    ) -> None:
        from guardrails.actor import SYSTEM
        from guardrails.audit.ledger import Act
        from guardrails.errors import GuardrailError

        with _open() as app:
            found = app.rules.get(number) if number else app.rules.active()
            if found is None:
                raise GuardrailError("no-rules")
            payload = {"version": found.number, "policy": found.hash}
            app.ledger.record(Act("policy.export", SYSTEM, payload=payload))
        voice.result(found.text)


def _text(file: Path) -> str:
    from guardrails.errors import BadInput

    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput("not-utf8") from error


@contextmanager
def _open() -> "Iterator[App]":
    import asyncio

    from ui.running import close
    from ui.wiring import build

    app = build(settings_now())
    try:
        yield app
    finally:
        close(app)
        asyncio.run(app.models.stop())
