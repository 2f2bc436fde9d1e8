"""An organisation's own kinds in one file: read at start, tried, replaced while the product runs.

Knows the file and what follows a change; what a kind is belongs to `detect.recognizers.custom`.
"""

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

from guardrails.detect.recognizers import custom
from guardrails.detect.recognizers.custom import Kind, Trial
from guardrails.errors import BadInput


class OwnKinds:
    """One file. `changed` is called when other kinds hold, e.g. to forget what was found before."""

    def __init__(self, file: Path, changed: Callable[[], None] = lambda: None) -> None:
        self.file = file
        self._changed = changed
        self._lock = threading.Lock()

    def text(self) -> str:
        """The file as it stands; empty when there is none."""
        return self.file.read_text("utf-8") if self.file.exists() else ""

    def version(self) -> str:
        """Which text that is, for `save`."""
        return digest(self.text())

    def load(self) -> tuple[Kind, ...]:
        """Look for the file's kinds from now on.

        Raises BadInput("kinds-file") when it is broken: going on without them would let through
        what the organisation wants hidden.
        """
        kinds = custom.parse(self.text(), self.file.name)
        self._use(kinds)
        return kinds

    def save(
        self,
        text: str,
        version: str | None = None,
        first: Callable[[tuple[Kind, ...]], None] = lambda _: None,
    ) -> tuple[Kind, ...]:
        """Replace the file by `text`; its kinds hold at once, without a restart.

        `first` is called when nothing stands in the way any more: there the act is recorded.

        Raises BadInput and changes nothing: "kinds-file" when it is broken, "kinds-example" when an
        example does not find what it should, "kinds-changed" when the file is not `version` any
        more. The text before is kept beside the file, as `*.before`.
        """
        with self._lock:
            before = self.text()
            if version is not None and version != digest(before):
                raise BadInput("kinds-changed", file=self.file.name)
            kinds = checked(text, self.file.name)
            first(kinds)
            self.file.parent.mkdir(parents=True, exist_ok=True)
            if before:
                _write(self.file.with_suffix(self.file.suffix + ".before"), before)
            _write(self.file, text)
            self._use(kinds)
        return kinds

    def _use(self, kinds: tuple[Kind, ...]) -> None:
        custom.use(kinds)
        self._changed()


def checked(text: str, name: str = "kinds.yaml") -> tuple[Kind, ...]:
    """The kinds of `text`. Raises BadInput as `OwnKinds.save` does; touches nothing."""
    kinds = custom.parse(text, name)
    wrong = next((trial for trial in custom.try_out(kinds) if not trial.ok), None)
    if wrong is not None:
        raise BadInput("kinds-example", file=name, kind=wrong.kind, n=_number(kinds, wrong))
    return kinds


def _number(kinds: tuple[Kind, ...], wrong: Trial) -> int:
    """Which example of its kind, from 1."""
    texts = [example.text for kind in kinds if kind.kind == wrong.kind for example in kind.examples]
    return texts.index(wrong.text) + 1


def digest(text: str) -> str:
    """A name for exactly this text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _write(file: Path, text: str) -> None:
    """All of it or nothing, for the owner's eyes only: values of a list are personal data."""
    fresh = file.with_name(file.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(text.encode("utf-8"))
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
