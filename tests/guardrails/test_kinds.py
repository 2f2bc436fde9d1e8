"""The organisation's own kinds: parsed strictly, tried, saved whole, in force at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from guardrails.detect import pii
from guardrails.detect.recognizers import custom
from guardrails.errors import BadInput
from guardrails.kinds import OwnKinds, checked, digest
from guardrails.screen import Screen
from guardrails.vault import Vault

FILE = r"""kinds:
  - kind: CUSTOMER_NUMBER
    pattern: 'C-\d{6}'
    context: [customer, client]
    examples:
      - {text: "Cliente é C-123456 called", finds: ["C-123456"]}
      - {text: "Clause C-12 applies", finds: []}
  - kind: PROJECT
    values: [Bluebird, "Operation Nightfall", "Opération Zénith"]
    examples:
      - {text: "OPÉRATION ZÉNITH and bluebirds", finds: ["OPÉRATION ZÉNITH"]}
"""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnKinds]:
    yield OwnKinds(tmp_path / "home" / "kinds.yaml")
    custom.use(())


def test_every_example_of_a_good_file_finds_what_it_says() -> None:
    trials = custom.try_out(custom.parse(FILE))
    assert len(trials) == 3
    assert all(trial.ok for trial in trials)


BROKEN = [
    (FILE.replace("pattern:", "patern:"), 3, "kinds.0.patern", "pattern"),
    (FILE.replace("finds: []", "find: []"), 7, "kinds.0.examples.1.find", "finds"),
    (FILE.replace(r"\d{6}", r"(\d"), 3, "kinds.0.pattern", ""),
    (FILE.replace(r"'C-\d{6}'", r"'\w+'"), 3, "kinds.0.pattern", ""),
    (FILE.replace(r"'C-\d{6}'", r"'(x+)+y\1'"), 3, "kinds.0.pattern", ""),
    (FILE.replace("kind: PROJECT", "kind: SECRET"), 8, "kinds.1.kind", ""),
    (FILE.replace("kind: PROJECT", "kind: project"), 8, "kinds.1.kind", ""),
    (FILE.replace("[Bluebird,", "[ab,"), 9, "kinds.1.values", ""),
    (FILE.replace("    context:", "    check: luhm\n    context:"), 4, "kinds.0.check", ""),
    ("kinds:\n  - kind: EMPTY\n", 2, "kinds.0", ""),
    ("kinds:\n  - [", 2, "", ""),
    ("kindz: []\n", 1, "kindz", "kinds"),
    (FILE.replace("    context:", "    kind: OTHER\n    context:"), 4, "kind", ""),
    ("kinds: &a []\nmore: *a\n", 1, "", ""),
    ("x" * (custom.LONGEST_FILE + 1), 1, "", ""),
]


@pytest.mark.parametrize(("text", "line", "place", "nearest"), BROKEN)
def test_a_broken_file_is_refused_with_file_line_place_and_the_nearest_key(
    text: str, line: int, place: str, nearest: str
) -> None:
    with pytest.raises(BadInput) as refused:
        custom.parse(text, "own.yaml")
    data = refused.value.data
    assert (refused.value.code, data["file"]) == ("kinds-file", "own.yaml")
    assert abs(int(str(data["line"])) - line) <= 1
    assert (data["place"], data["nearest"]) == (place, nearest)


def test_saved_kinds_hold_at_once_even_for_text_that_was_screened_before(own: OwnKinds) -> None:
    screen = Screen(score_injection=lambda text, provenance: 0.0)
    own = OwnKinds(own.file, screen.forget)
    text = "The invoice of C-123456 for bluebird is late"
    assert "C-123456" in screen.text(text).text
    own.save(FILE, digest(""))
    vault = Vault("one", b"k" * 32)
    masked = screen.text(text, vault).text
    assert masked == "The invoice of <CUSTOMER_NUMBER_1> for <PROJECT_1> is late"
    assert vault.restore(masked) == text
    own.save("kinds: []\n", digest(FILE))
    assert "bluebird" in screen.text(text).text


@pytest.mark.parametrize(
    ("text", "version", "code"),
    [
        ("kinds: [", digest(FILE), "kinds-file"),
        (FILE.replace('finds: ["C-123456"]', "finds: []"), digest(FILE), "kinds-example"),
        ("kinds: []", digest("something else"), "kinds-changed"),
    ],
)
def test_what_is_refused_changes_nothing(own: OwnKinds, text: str, version: str, code: str) -> None:
    own.save(FILE, digest(""))
    recorded: list[object] = []
    with pytest.raises(BadInput) as refused:
        own.save(text, version, recorded.append)
    assert refused.value.code == code
    assert own.text() == FILE
    assert [kind.kind for kind in custom.active()] == ["CUSTOMER_NUMBER", "PROJECT"]
    assert not recorded


def test_nothing_is_saved_when_the_act_cannot_be_recorded(own: OwnKinds) -> None:
    def unavailable(kinds: object) -> None:
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        own.save(FILE, digest(""), unavailable)
    assert own.text() == ""
    assert custom.active() == ()


def test_the_file_is_private_and_the_one_before_is_kept(own: OwnKinds) -> None:
    own.save(FILE, digest(""))
    own.save("kinds: []\n", digest(FILE))
    assert own.file.stat().st_mode & 0o777 == 0o600
    assert own.file.with_name("kinds.yaml.before").read_text("utf-8") == FILE


def test_a_broken_file_stops_the_start_rather_than_being_left_out(own: OwnKinds) -> None:
    own.file.parent.mkdir(parents=True)
    own.file.write_text("kinds:\n  - kin: X\n", "utf-8")
    with pytest.raises(BadInput):
        own.load()


def test_an_own_kind_wins_over_a_form_that_it_resembles(own: OwnKinds) -> None:
    own.save(r"kinds: [{kind: BADGE, pattern: '\d{16}'}]" + "\n", digest(""))
    (found,) = pii.find("badge 4111111111111111 lost", "en")
    assert (found.kind, found.detector) == ("BADGE", "custom")


def test_a_check_digit_and_context_decide(own: OwnKinds) -> None:
    kinds = custom.parse(
        "kinds:\n  - {kind: MEMBER, pattern: '\\d{8}', check: luhn, context: [member],"
        " needs_context: true}\n"
    )
    assert custom.search(kinds, "member 12345674 called")
    assert not custom.search(kinds, "member 12345675 called")
    assert not custom.search(kinds, "invoice 12345674 called")


def test_twenty_thousand_values_are_looked_for_word_by_word(own: OwnKinds) -> None:
    values = tuple(f"Client {number} & Söhne" for number in range(20_000))
    kinds = (custom.Kind(kind="CLIENT", values=values),)
    text = "Letter to client 777 & söhne about Client 20001 & Söhne. " * 400
    assert len(custom.search(kinds, text)) == 400


@pytest.mark.parametrize("text", ["İİ bluebird", "ẞ Bluebird.", "bluebird's", "x\u200bBluebird"])
def test_values_keep_their_place_beside_odd_letters(text: str) -> None:
    (found,) = custom.search(custom.parse(FILE), text)
    assert text[found[0] : found[1]].lower() == "bluebird"


def test_the_example_in_the_documentation_is_a_good_file() -> None:
    page = (Path(__file__).parents[2] / "docs" / "screening.md").read_text("utf-8")
    kinds = checked(page.partition("```yaml\n")[2].partition("```")[0])
    assert [kind.kind for kind in kinds] == ["CUSTOMER_NUMBER", "PROJECT"]
