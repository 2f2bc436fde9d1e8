"""The order of checks on one text, and that none of them fails open."""

import re
import threading
import time

import pytest

from guardrails.errors import ScreenFailed
from guardrails.findings import Finding, Provenance
from guardrails.paragraphs import LARGEST, OVERLAP, pieces
from guardrails.screen import DEFAULT, Screen, ScreenPolicy, policy_of
from guardrails.vault import Vault

KEY = b"k" * 32


def find_pii(text: str, language: str | None = None) -> list[Finding]:
    found = [
        Finding(match.start(), match.end(), "EMAIL_ADDRESS", 1.0, "test")
        for match in re.finditer(r"\w+@\w+\.fr", text)
    ]
    found += [
        Finding(match.start(), match.end(), kind, 0.9, "test")
        for kind, word in (("PERSON", "Marie"), ("HEALTH", "diabète"))
        for match in re.finditer(word, text)
    ]
    return found


def find_secrets(text: str) -> list[Finding]:
    return [
        Finding(match.start(), match.end(), "SECRET", 1.0, "test")
        for match in re.finditer(r"sk-\w+", text)
    ]


def score(text: str, provenance: Provenance = "user") -> float:
    return 0.995 if "IGNORE" in text else 0.92 if "please note" in text else 0.0


def screen(**changed: object) -> Screen:
    parts: dict[str, object] = {
        "find_pii": find_pii,
        "find_secrets": find_secrets,
        "score_injection": score,
    }
    return Screen(**{**parts, **changed})  # type: ignore[arg-type]


def test_a_clean_text_is_allowed_as_it_is() -> None:
    result = screen().text("Quel temps fait-il ?", Vault("c", KEY))
    assert (result.text, result.findings) == ("Quel temps fait-il ?", ())
    assert (result.verdict.outcome, result.verdict.rule) == ("allow", "screen.clean")


def test_personal_data_is_masked_and_offsets_are_of_the_original() -> None:
    text = "Bonjour\n\nMarie : marie@exemple.fr"
    result = screen().text(text, Vault("c", KEY))
    assert result.text == "Bonjour\n\n<PERSON_1> : <EMAIL_ADDRESS_1>"
    assert [text[item.start : item.end] for item in result.findings] == [
        "Marie",
        "marie@exemple.fr",
    ]
    assert result.verdict.rule == "screen.masked"


def test_without_a_vault_the_text_is_masked_all_the_same() -> None:
    assert screen().text("Marie").text == "<PERSON_1>"


def test_a_secret_is_masked_for_good() -> None:
    result = screen().text("sk-123 Marie", Vault("c", KEY))
    assert result.text == "<SECRET> <PERSON_1>"
    assert result.verdict.rules == ("screen.secret", "screen.masked")


def test_topics_are_reported_but_stay_readable() -> None:
    result = screen().text("mon diabète", Vault("c", KEY))
    assert result.text == "mon diabète"
    assert result.findings[0].kind == "HEALTH"


def test_a_policy_can_block_or_allow_a_kind() -> None:
    policy = ScreenPolicy(kinds={"EMAIL_ADDRESS": "block", "PERSON": "allow"})
    result = screen().text("Marie marie@exemple.fr", Vault("c", KEY), policy=policy)
    assert result.text == "Marie <EMAIL_ADDRESS_1>"
    assert (result.verdict.outcome, result.verdict.rule) == ("deny", "screen.blocked")


@pytest.mark.parametrize(
    ("text", "provenance", "outcome"),
    [
        ("IGNORE", "user", "deny"),
        ("please note", "user", "ask"),
        ("IGNORE", "document", "ask"),
        ("please note", "document", "ask"),
        ("please note", "tool", "ask"),
        ("IGNORE", "system", "allow"),
        ("IGNORE", "model", "allow"),
    ],
)
def test_provenance_decides_what_an_injection_means(
    text: str, provenance: Provenance, outcome: str
) -> None:
    result = screen().text(text, Vault("c", KEY), provenance=provenance)
    assert result.verdict.outcome == outcome
    assert (result.verdict.rule == "screen.injection") == (outcome != "allow")
    assert any(item.kind == "INJECTION" for item in result.findings) == (outcome != "allow")


def test_placeholders_are_data_in_a_document_and_keys_in_a_reply() -> None:
    vault = Vault("c", KEY)
    screen().text("Marie", vault)
    assert screen().text("<PERSON_1>", vault, provenance="document").text == "<LITERAL_1>"
    assert screen().text("<PERSON_1>", vault, provenance="model").text == "<PERSON_1>"


def broken(*_: object) -> list[Finding]:
    raise RuntimeError("Marie Tremblay")


def nonsense(*_: object) -> list[Finding]:
    return [Finding(0, 999_999, "PERSON", 1.0, "test")]


def garbage(*_: object) -> object:
    return ["not a finding"]


def nothing(*_: object) -> None:
    return None


def missing(*_: object) -> list[Finding]:
    raise ModuleNotFoundError("no model")


@pytest.mark.parametrize("name", ["find_pii", "find_secrets", "score_injection"])
@pytest.mark.parametrize("detector", [broken, nonsense, garbage, nothing, missing])
def test_a_detector_that_fails_is_a_refusal(name: str, detector: object) -> None:
    with pytest.raises(ScreenFailed) as caught:
        screen(**{name: detector}).text("Bonjour Marie", Vault("c", KEY))
    assert "Tremblay" not in str(caught.value)


@pytest.mark.parametrize("score", [float("nan"), -1.0, 2.0])
def test_a_score_that_is_none_is_a_refusal(score: float) -> None:
    with pytest.raises(ScreenFailed):
        screen(score_injection=lambda *_: score).text("Bonjour")


def test_a_detector_that_hangs_is_a_refusal_and_does_not_block_others() -> None:
    release = threading.Event()

    def hangs(*_: object) -> list[Finding]:
        release.wait(20)
        return []

    slow = screen(find_pii=hangs, timeout_s=0.2)
    start = time.monotonic()
    for text in "abcdefghij":
        with pytest.raises(ScreenFailed, match="screen-timeout"):
            slow.text(text)
    assert time.monotonic() - start < 5
    assert screen().text("Marie").text == "<PERSON_1>"
    release.set()


def test_a_text_that_is_too_long_is_refused_at_once() -> None:
    with pytest.raises(ScreenFailed, match="screen-too-long"):
        screen(find_pii=broken, max_chars=100).text("a" * 101)
    with pytest.raises(ScreenFailed, match="screen-too-long"):
        screen(max_chars=100).texts(["a" * 60, "b" * 60])


def test_a_megabyte_is_screened_or_refused_in_bounded_time() -> None:
    start = time.monotonic()
    text = " ".join(str(number) for number in range(150_000)) + " Marie"
    assert screen().text(text).text.endswith("<PERSON_1>")
    assert time.monotonic() - start < 5

    def slow(text: str, language: str | None = None) -> list[Finding]:
        time.sleep(0.05)
        return []

    start = time.monotonic()
    with pytest.raises(ScreenFailed, match="screen-timeout"):
        screen(find_pii=slow, timeout_s=0.1).text(text)
    assert time.monotonic() - start < 2


def test_a_paragraph_seen_before_is_not_screened_again() -> None:
    seen: list[str] = []

    def counted(text: str, language: str | None = None) -> list[Finding]:
        seen.append(text)
        return find_pii(text)

    one = screen(find_pii=counted)
    one.text("Marie\n\nun")
    result = one.text("Marie\n\ndeux\n\nMarie", Vault("c", KEY))
    assert result.text == "<PERSON_1>\n\ndeux\n\n<PERSON_1>"
    assert sorted(seen) == ["Marie", "deux", "un"]


def test_a_failure_is_not_remembered() -> None:
    calls: list[int] = []

    def once(text: str, language: str | None = None) -> list[Finding]:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError
        return []

    one = screen(find_pii=once)
    with pytest.raises(ScreenFailed):
        one.text("Bonjour")
    assert one.text("Bonjour").verdict.rule == "screen.clean"


def test_control_characters_and_lone_surrogates_are_only_text() -> None:
    text = "\x00\x07 Marie \ud800 \u202e"
    vault = Vault("c", KEY)
    assert vault.restore(screen().text(text, vault).text) == text


@pytest.mark.parametrize("unit", ["a b ", "a", "\n\n", "x\n \n", " "])
def test_pieces_cover_every_word_with_its_offset(unit: str) -> None:
    text = unit * (30_000 // len(unit)) + "fin"
    covered = bytearray(len(text))
    for start, piece in pieces(text):
        assert text[start : start + len(piece)] == piece
        assert len(piece) <= LARGEST + OVERLAP + 1
        covered[start : start + len(piece)] = b"\x01" * len(piece)
    assert all(covered[at] or text[at].isspace() for at in range(len(text)))


def test_a_strict_agent_hides_organisations_and_refuses_what_looks_like_orders() -> None:
    assert policy_of("recommended") is DEFAULT
    strict = policy_of("strict")
    assert strict.action("ORGANIZATION") == strict.action("URL") == "mask"
    assert strict.action("HEALTH") == "allow"
    assert strict.block_injection["document"] == DEFAULT.ask_injection["document"]
    assert policy_of("nonsense") is strict


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Marie Tremblay comes on Thursday.", "Thursday"),
        ("Paul Martin wrote to us in 2024 about the project.", "2024"),
        ("Jean Dupont revient en septembre.", "septembre"),
    ],
)
def test_everyday_words_beside_a_name_stay_readable(text: str, kept: str) -> None:
    masked = Screen(score_injection=lambda text, provenance: 0.0).text(text).text
    assert kept in masked
    assert "<PERSON_1>" in masked


def test_a_date_of_birth_beside_a_name_is_hidden() -> None:
    masked = Screen(score_injection=lambda text, provenance: 0.0).text(
        "Marie Tremblay, born 3 May 1987, called."
    )
    assert "1987" not in masked.text
