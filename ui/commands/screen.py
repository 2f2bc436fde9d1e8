"""`atelier screen`: what would be masked in a text, and why."""

import sys
from typing import Annotated, Literal

import typer

from ui.commands.common import REFUSED, Voice, read_text, settings_now

MAX_CHARACTERS = 1_000_000


def add(to: typer.Typer, voice: Voice) -> None:
    """Register the command."""

    @to.command(help=voice("screen.help"))
    def screen(
        lang: Annotated[
            Literal["auto", "en", "fr"], typer.Option(help=voice("screen.lang"))
        ] = "auto",
        as_json: Annotated[bool, typer.Option("--json", help=voice("json"))] = False,
    ) -> None:
        text = read_text(MAX_CHARACTERS)
        from dataclasses import asdict

        from guardrails.detect import pii
        from guardrails.kinds import OwnKinds
        from guardrails.screen import Screen

        OwnKinds(settings_now().own_kinds).load()
        # loading may take longer than one screening ever may
        pii.warm()
        screened = Screen(timeout_s=60.0).text(text, language=None if lang == "auto" else lang)
        if as_json:
            voice.json(
                {
                    "text": screened.text,
                    "findings": [asdict(finding) for finding in screened.findings],
                    "outcome": screened.verdict.outcome,
                    "rule": screened.verdict.rule,
                }
            )
        else:
            sys.stdout.write(screened.text)
            sys.stdout.flush()
            if not screened.text.endswith("\n"):
                print()
            for finding in screened.findings:
                print(
                    f"{finding.start}-{finding.end}  {finding.kind}  {finding.score:.2f}  "
                    f"{finding.detector}  {finding.explanation}",
                    file=sys.stderr,
                )
            voice.note("screen.found", n=len(screened.findings))
        if screened.verdict.outcome == "deny":
            raise typer.Exit(REFUSED)
