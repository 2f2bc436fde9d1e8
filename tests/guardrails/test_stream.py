"""A text in pieces: nothing personal and no half placeholder crosses the edge, at any cut."""

import asyncio
import itertools
import random
import re
import time
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.errors import ScreenFailed
from guardrails.findings import Finding
from guardrails.placeholders import LONGEST, open_tail
from guardrails.screen import Screen
from guardrails.stream import HOLD, restore_stream, screen_stream
from guardrails.vault import Vault

KEY = b"k" * 32
NAMES = re.compile(r"\b(?:Marie|Jean|Paul)(?: (?:de |la )*[A-Z][a-z]+(?:-[A-Z][a-z]+)?)?")
PATTERNS = {
    "PERSON": NAMES,
    "EMAIL_ADDRESS": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "PHONE_NUMBER": re.compile(r"(?:\+33 ?|0)[1-9](?:[ .]?\d\d){4}"),
    "IBAN_CODE": re.compile(r"\bFR\d\d(?: ?\d{4}){5} ?\d{3}"),
}
SECRETS = re.compile(r"\bsk-[A-Za-z0-9]{20,400}|AKIA[A-Z0-9]{16}")


def find_pii(text: str, language: str | None = None) -> list[Finding]:
    return [
        Finding(match.start(), match.end(), kind, 1.0, "test")
        for kind, pattern in PATTERNS.items()
        for match in pattern.finditer(text)
    ]


def find_secrets(text: str) -> list[Finding]:
    return [
        Finding(match.start(), match.end(), "SECRET", 1.0, "test")
        for match in SECRETS.finditer(text)
    ]


SCREEN = Screen(find_pii, find_secrets, lambda *_: 0.0)


async def chunks(parts: Iterable[str], pause: float = 0.0) -> AsyncIterator[str]:
    for part in parts:
        if pause:
            await asyncio.sleep(pause)
        yield part


async def gather(stream: AsyncIterator[str]) -> list[str]:
    return [part async for part in stream]


def known() -> Vault:
    vault = Vault("c", KEY)
    for kind, value in (("PERSON", "Zoé"), ("EMAIL_ADDRESS", "z@ex.fr"), ("PERSON", "Luc Roy")):
        vault.mask(value, [Finding(0, len(value), kind, 1.0, "t")])
    return vault


RESTORED = (
    "Bonjour <PERSON_1>, [person 2] et personne 1 : **<EMAIL_ADDRESS_1>** ou &lt;PERSON_1&gt;"
    " {{PERSON\\_2}} PERSON_12 xPERSON_1 <PERSON_9> <b>a</b> email address 1. PERSON_2"
)


async def test_placeholders_are_restored_at_every_split_point() -> None:
    vault = known()
    expected = vault.restore(RESTORED)
    for at in range(len(RESTORED) + 1):
        got = await gather(restore_stream(chunks([RESTORED[:at], RESTORED[at:]]), vault))
        assert "".join(got) == expected, at
    assert "".join(await gather(restore_stream(chunks(RESTORED), vault))) == expected


nasty = st.lists(
    st.sampled_from(
        [
            "<",
            ">",
            "[",
            "]",
            "{",
            "}",
            "&lt;",
            "&gt;",
            "&",
            "_",
            "\\_",
            " ",
            "-",
            "1",
            "2",
            "1B",
            "x",
            "PERSON",
            "person",
            "Personne",
            "EMAIL_ADDRESS",
            "email",
            "address",
            "<PERSON_1>",
            "nom ",
            "[person 2]",
            "PERSON_1",
            "\xa0",
            "é",
            "lt;",
            "adresse e-mail 1",
        ]
    ),
    max_size=20,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(nasty, st.lists(st.integers(0, 60), max_size=6))
def test_restoring_a_stream_is_restoring_the_text(text: str, cuts: list[int]) -> None:
    vault = known()
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    parts = [text[start:end] for start, end in itertools.pairwise(edges)]
    got = asyncio.run(gather(restore_stream(chunks(parts), vault)))
    assert "".join(got) == vault.restore(text)


@settings(max_examples=200, deadline=None)
@given(nasty)
def test_what_may_become_a_placeholder_is_never_longer_than_the_longest(text: str) -> None:
    assert len(text) - open_tail(text) <= LONGEST


TEXTS = [
    "Bonjour, voici Marie Tremblay (marie.tremblay@exemple.fr), tél. 06 12 34 56 78, merci.",
    "le compte de Jean de la Fontaine est FR14 2004 1010 0505 0001 3006 061 et le mien non",
    "la clé sk-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ est à changer, dit Paul Durand-Roy",
    "Marie\nJean\n\nPaul Martin\n- Marie Roy\n| Jean Petit | a@b.fr |\nfin",
    "et <PERSON_1> écrit à [person 2], puis à Marie Curie : personne 1",
    "Bonjour, Marie Tremblay ! Merci, Paul Durand",
    "Hello!Marie Curie,sk-abcdefghijklmnopqrstuvwxyz0123456789",
]
RAW = ["Tremblay", "Marie", "06 12", "Fontaine", "2004", "Durand", "sk-abc", "ABCDEFGHIJ", "Curie"]


@pytest.mark.parametrize("text", TEXTS)
async def test_no_finding_crosses_the_edge_at_any_split_point(text: str) -> None:
    vault = known()
    expected = known().restore(text)
    expected = SECRETS.sub("<SECRET>", expected)
    for at in range(len(text) + 1):
        got = "".join(await gather(screen_stream(chunks([text[:at], text[at:]]), SCREEN, vault)))
        assert not any(value in got for value in RAW), (at, got)
        assert vault.restore(got) == expected, at


@pytest.mark.parametrize("text", TEXTS)
async def test_no_finding_crosses_the_edge_in_small_chunks(text: str) -> None:
    chance = random.Random(7)  # noqa: S311
    for _ in range(20):
        parts, at = [], 0
        while at < len(text):
            size = chance.randint(1, 12)
            parts.append(text[at : at + size])
            at += size
        got = "".join(await gather(screen_stream(chunks(parts), SCREEN, known())))
        assert not any(value in got for value in RAW), (parts, got)


async def held(text: str) -> int:
    """The most characters that were given and had not yet come out."""
    given_, out, most = 0, 0, 0

    async def feed() -> AsyncIterator[str]:
        nonlocal given_, most
        for char in text:
            # what is waiting now, before one more character is given
            most = max(most, given_ - out)
            given_ += 1
            yield char

    async for part in screen_stream(feed(), Screen(lambda *_: [], lambda *_: []), Vault("c", KEY)):
        out += len(part)
    assert out == len(text)
    return most


@pytest.mark.parametrize(
    "text", ["mot " * 300, "Mot " * 300, "漢字" * 400, "- | " * 300, "=" * 900, "A1 b2\n" * 200]
)
async def test_no_more_than_the_hold_back_ever_waits(text: str) -> None:
    assert await held(text) <= HOLD


async def test_the_first_words_leave_at_once() -> None:
    loop = asyncio.get_running_loop()
    delays = []
    for opening in ("Bonjour ", "Here is ", "Voici la ", "nous ", "Sure, ", "The ", "Dear "):
        sent = 0.0

        async def feed(opening: str = opening) -> AsyncIterator[str]:
            nonlocal sent
            sent = loop.time()
            yield opening
            await asyncio.sleep(0.3)
            yield "fin"

        stream = screen_stream(feed(), SCREEN, Vault("c", KEY))
        first = await anext(stream)
        delays.append(loop.time() - sent)
        assert opening.startswith(first)
        await gather(stream)
    assert min(delays) < 0.030


async def _until_out(pieces: list[str], screen: Screen = SCREEN) -> int:
    """How many of `pieces` were asked for when the first text came out."""
    asked = 0

    async def feed() -> AsyncIterator[str]:
        nonlocal asked
        for piece in pieces:
            asked += 1
            yield piece

    async for _ in screen_stream(feed(), screen, Vault("c", KEY)):
        return asked
    return 0


@pytest.mark.parametrize(
    ("pieces", "needed"),
    [
        (["Bonjour", ",", " Ma", "rie"], 2),
        (["Sure", "!", " Here", " is"], 2),
        (["Bonjour", " Ma", "rie"], 2),
        (["Oui,", " la", " réunion "], 1),
        (["Bonjour", "@exemple", ".fr", " est", " là "], 5),
        (["Marie", ",", " Roy", " est", " ici "], 5),
    ],
)
async def test_the_first_word_leaves_as_soon_as_nothing_can_lengthen_it(
    pieces: list[str], needed: int
) -> None:
    assert await _until_out(pieces) == needed


async def test_a_long_secret_never_leaves_whatever_its_length() -> None:
    body = "".join(random.Random(3).choices("abcdefghABCDEFGH0123456789", k=900))  # noqa: S311
    got = "".join(await gather(screen_stream(chunks(f"la clé {body} fin"), SCREEN, known())))
    assert got == "la clé <SECRET> fin"


async def test_a_private_key_never_leaves_line_by_line() -> None:
    line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", *[line] * 20, "-----END PRIVATE KEY-----"])
    got = "".join(
        await gather(screen_stream(chunks(f"voici la clé\n{key}\nmerci"), SCREEN, known()))
    )
    assert got == "voici la clé\n<SECRET>\nmerci"


async def test_a_detector_that_fails_ends_the_stream_with_a_refusal() -> None:
    def broken(*_: object) -> list[Finding]:
        raise RuntimeError

    out: list[str] = []
    with pytest.raises(ScreenFailed):
        async for part in screen_stream(
            chunks(["Bonjour Marie ", "et la suite "]), Screen(broken, find_secrets), known()
        ):
            out.append(part)
    assert out == []


async def test_a_thousand_words_are_screened_in_few_passes() -> None:
    calls = 0

    def counted(text: str, language: str | None = None) -> list[Finding]:
        nonlocal calls
        calls += 1
        return find_pii(text)

    text = "la réunion de mardi est reportée à jeudi par Marie Roy, merci bien. " * 80
    start = time.process_time()
    await gather(
        screen_stream(chunks(re.findall(r"\S+\s*", text)), Screen(counted, find_secrets), known())
    )
    assert calls < len(text) / 40
    assert time.process_time() - start < 5
