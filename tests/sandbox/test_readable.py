"""A person's own document replaces sample knowledge, and joins real knowledge."""

from dataclasses import dataclass
from typing import Any

import pytest

from agents.tools.base import Passage
from guardrails.findings import Screened, Verdict
from sandbox.attachments import Readable


@dataclass(frozen=True)
class Shelf:
    """One document about leave, or none."""

    name: str = ""

    def names(self) -> list[str]:
        return [self.name] if self.name else []

    def search(self, query: str, k: int = 5) -> list[Passage]:
        return [Passage(self.name, None, f"{self.name}: <PERSON_1>", 0.5)] if self.name else []

    def text(self, name: str) -> str | None:
        return self.name if name == self.name else None


class Reversed:
    """A vault and a screen that show that both were used."""

    def restore(self, text: str) -> str:
        return text.replace("<PERSON_1>", "Ada")

    def text(self, text: str, vault: Any, provenance: str) -> Screened:
        return Screened(text.replace("Ada", "<PERSON_7>"), (), Verdict("allow", "screen.masked"))


def opened(given: Any, sample: bool = False) -> Readable:
    both: Any = Reversed()
    known: Any = Shelf("handbook")
    return Readable(given, known, both, both, both, sample)


@pytest.mark.parametrize(
    ("given", "sample", "found"),
    [
        ("", True, ["handbook"]),
        ("mine", True, ["mine"]),
        ("mine", False, ["mine", "handbook"]),
    ],
)
def test_which_documents_are_searched(given: str, sample: bool, found: list[str]) -> None:
    readable = opened(Shelf(given), sample)
    assert [passage.document for passage in readable.search("leave")] == found
    assert set(readable.names()) == set(found)


def test_what_the_agent_knows_is_masked_anew_for_this_conversation() -> None:
    readable = opened(Shelf())
    assert readable.search("leave")[0].text == "handbook: <PERSON_7>"
