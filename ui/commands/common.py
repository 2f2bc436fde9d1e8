"""What every command shares: language, exit codes, output, settings. Imports nothing heavy."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ui.messages import Language, say

if TYPE_CHECKING:
    from ui.settings import Settings

DONE = 0
FOUND_WANTING = 1  # a check ran and something is wrong, or the code that was run failed
WRONG_USE = 2  # usage, settings or input
REFUSED = 3  # a guard, a role or the seal said no
UNAVAILABLE = 4  # disk, model, ledger or network could not serve
INTERRUPTED = 130


def spoken(environment: Mapping[str, str] = os.environ) -> Language:
    """The person's language: ATELIER_LANGUAGE, else the locale variables in POSIX's order."""
    for name in ("ATELIER_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name, "")
        if value:
            return "fr" if value.lower().startswith("fr") else "en"
    return "en"


class Voice:
    """Says things in one language: results to standard output, everything else to error."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, /, **data: object) -> str:
        """The wording of `cli.<key>`."""
        return say(self.language, f"cli.{key}", **data)

    def result(self, text: str) -> None:
        """A line of the result."""
        print(text, flush=True)

    def note(self, key: str, /, **data: object) -> None:
        """A line about what happens."""
        print(self(key, **data), file=sys.stderr, flush=True)

    def json(self, value: Any) -> None:
        """The result for programs: one JSON value."""
        print(json.dumps(value, ensure_ascii=False, indent=2, default=str), flush=True)

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Columns under their heads, as wide as needed."""
        cells = [[self(f"column.{head}") for head in heads]]
        cells += [[visible(str(cell)) for cell in row] for row in rows]
        widths = [max(len(row[at]) for row in cells) for at in range(len(heads))]
        for row in cells:
            padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            print("  ".join(padded).rstrip(), flush=True)


def visible(text: str) -> str:
    """Text that cannot steer a terminal: control characters become visible marks."""
    return "".join(c if c.isprintable() else "�" for c in text)


def settings_now(**changes: object) -> "Settings":
    """The settings of this environment, with what was given on the command line on top."""
    from ui.settings import Settings, load_settings

    settings = load_settings()
    given = {name: value for name, value in changes.items() if value is not None}
    if not given:
        return settings
    return Settings.model_validate({**settings.model_dump(exclude_unset=True), **given})


def read_text(limit: int) -> str:
    """All of standard input as UTF-8. Raises BadInput("text-too-long" or "not-utf8")."""
    from guardrails.errors import BadInput

    data = sys.stdin.buffer.read(limit * 4 + 1)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(data) > limit * 4:
            raise BadInput("text-too-long", most=limit) from error
        raise BadInput("not-utf8") from error
    if len(text) > limit:
        raise BadInput("text-too-long", most=limit)
    return text
