"""Provider keys from a file of NAME=value lines that only its owner may read."""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from guardrails.errors import BadInput


class Secrets(Mapping[str, str]):
    """Names and values whose representation shows names only, so that no log holds a value."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self._values))})"


def load_secrets(file: Path | None, environment: Mapping[str, str] | None = None) -> Secrets:
    """The environment, overlaid by the file's `NAME=value` lines (# and blank lines are skipped).

    Raises BadInput: `secrets-file-missing`, `secrets-file-open` when anyone but the owner may read
    or write it (mode 0600 or stricter is asked for), `secrets-file-line` with the line's number.
    """
    values = dict(os.environ if environment is None else environment)
    if file is None:
        return Secrets(values)
    try:
        # not blocking: a named pipe in this place must not hang the start
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        raise BadInput("secrets-file-missing", file=str(file)) from None
    # the opened file itself is asked, not its name: it cannot be swapped in between
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise BadInput("secrets-file-missing", file=str(file))
    with open(descriptor, encoding="utf-8") as source:
        if found.st_mode & 0o077:
            raise BadInput("secrets-file-open", file=str(file))
        for number, line in enumerate(source, 1):
            name, equals, value = line.strip().partition("=")
            name = name.removeprefix("export ").strip()
            if not name or name.startswith("#"):
                continue
            if not equals or not name.isidentifier():
                raise BadInput("secrets-file-line", file=str(file), line=number)
            values[name] = value.strip().strip("\"'")
    return Secrets(values)
