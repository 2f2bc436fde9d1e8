"""Long texts: screened whole in bounded slices, or refused before any work begins."""

import random

import pytest

from guardrails.errors import ScreenFailed
from guardrails.findings import Finding, Provenance
from guardrails.paragraphs import LARGEST, OVERLAP
from guardrails.screen import Screen

MARK = "marie.tremblay@example.org"


def finder(seen: list[int]):  # type: ignore[no-untyped-def]
    def find(text: str, language: str | None) -> list[Finding]:
        seen.append(len(text))
        found, at = [], text.find(MARK)
        while at >= 0:
            found.append(Finding(at, at + len(MARK), "EMAIL_ADDRESS", 1.0, "test"))
            at = text.find(MARK, at + 1)
        return found

    return find


def quiet(text: str, provenance: Provenance) -> float:
    return 0.0


@pytest.mark.parametrize("at", [0, LARGEST - 10, LARGEST, LARGEST + OVERLAP - 5, 2 * LARGEST - 13])
@pytest.mark.parametrize("filler", ["x", "x ", "word and "])
def test_a_finding_on_the_edge_of_a_slice_is_found_whole(at: int, filler: str) -> None:
    around = (filler * 40_000)[: 30_000 - len(MARK)]
    text = around[:at] + " " + MARK + " " + around[at:]
    seen: list[int] = []
    screened = Screen(finder(seen), lambda _: [], quiet).text(text)
    assert [text[f.start : f.end] for f in screened.findings] == [MARK]
    assert MARK not in screened.text
    assert max(seen) <= LARGEST + 2 * OVERLAP


def test_a_text_that_is_too_long_is_refused_before_any_work_begins() -> None:
    seen: list[int] = []
    with pytest.raises(ScreenFailed) as refused:
        Screen(finder(seen), lambda _: [], quiet).text("a " * 500_001)
    assert (refused.value.code, refused.value.data["limit"]) == ("screen-too-long", 1_000_000)
    assert seen == []


def test_the_longer_a_text_the_more_time_it_has() -> None:
    screen = Screen(timeout_s=10.0)
    assert screen.seconds_for(0) == 10.0
    assert screen.seconds_for(1_000_000) == 50.0


@pytest.mark.heavy
def test_a_megabyte_of_prose_is_screened_by_the_real_detectors_within_its_time() -> None:
    chance = random.Random(4)  # noqa: S311  (the same text each time)
    said = (
        "the team met on site and agreed that Paul Martin sends the offer to the office in Leeds"
        " before the end of the month because le client attend une réponse de notre service"
    )
    words = said.split()
    parts: list[str] = []
    size = 0
    while size < 990_000:
        parts.append(" ".join(chance.choices(words, k=chance.randint(40, 160))))
        size += len(parts[-1]) + 2
    parts[len(parts) // 2] += " " + MARK
    text = "\n\n".join(parts)[: 1_000_000 - len(MARK) - 2] + "\n\n" + MARK
    screened = Screen().text(text, provenance="document")
    assert sum(f.kind == "EMAIL_ADDRESS" for f in screened.findings) == 2
    assert MARK not in screened.text
