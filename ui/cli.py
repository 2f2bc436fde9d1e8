"""The command `atelier`: assembles the commands of `ui/commands` in the person's language.

Exit codes: 0 done; 1 a check found something wrong, or the code that was run failed; 2 wrong use,
settings or input; 3 a guard, a role or the seal refused; 4 a part is not available (disk, model,
ledger, network); 130 interrupted. Every command imports what it needs when it runs.
"""

import sys
from typing import TYPE_CHECKING, NoReturn

import typer

from ui.commands import (
    agents,
    audit,
    backup,
    doctor,
    kinds,
    models,
    people,
    policy,
    run,
    sandbox,
    screen,
    serve,
)
from ui.commands.common import INTERRUPTED, REFUSED, UNAVAILABLE, WRONG_USE, Voice, spoken
from ui.messages import Language

if TYPE_CHECKING:
    from guardrails.errors import GuardrailError

COMMANDS = (
    *(serve, run, screen, kinds, audit, sandbox, people, models, policy, agents, backup),
    doctor,
)


def build(language: Language) -> typer.Typer:
    """The whole command with its help in one language."""
    voice = Voice(language)
    atelier = typer.Typer(
        name="atelier",
        help=voice("help"),
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for command in COMMANDS:
        command.add(atelier, voice)
    return atelier


def main() -> None:
    """Run the command; every error becomes one sentence and an exit code."""
    from guardrails.errors import GuardrailError

    language = spoken()
    try:
        build(language)()
    except GuardrailError as error:
        fail(language, error)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # `atelier audit list | head` is no error; nothing more can be printed
        sys.stdout = None
        sys.exit(0)
    except Exception as error:
        # the last resort: one sentence for the person, and where it happened, without the
        # error's own text, for whoever mends it
        from ui.faults import translated

        fail(language, translated(error))


def fail(language: Language, error: "GuardrailError") -> NoReturn:
    """Say what happened and end with the code for it."""
    from guardrails.errors import BadInput, NotPermitted, PolicyDenied
    from ui.faults import worded

    print(worded(error, language), file=sys.stderr)
    if isinstance(error, BadInput) or error.code in CONFIGURATION:
        sys.exit(WRONG_USE)
    if isinstance(error, PolicyDenied | NotPermitted) or error.code == "no-seal":
        sys.exit(REFUSED)
    sys.exit(UNAVAILABLE)


# errors about how the product is set up or started, which the person at the keyboard can mend
CONFIGURATION = frozenset(
    {"accounts-needed", "already-running", "port-in-use", "port-not-allowed", "address-not-here"}
    | {"bad-key", "key-readable-by-others", "model-unknown", "model-file-missing"}
)

if __name__ == "__main__":
    main()
