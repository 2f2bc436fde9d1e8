"""A drawing says what it shows; what it says is a stranger's word."""

import struct
import zlib

import pytest

from sandbox.artefacts import accept
from sandbox.command import run_cold
from sandbox.described import described
from sandbox.launch.choose import choose
from sandbox.limits import Limits

SVG = b'<svg xmlns="http://www.w3.org/2000/svg">%s<rect width="3" height="3"/></svg>'
CODE = """
import matplotlib.pyplot as plt
figure, axes = plt.subplots()
axes.bar(["Nord", "Sud"], [3, 4])
axes.set_title("Ventes"); axes.set_xlabel("Région"); axes.set_ylabel("Montant")
figure.savefig("mine.svg")
plt.figure(); plt.plot([1, 2]); plt.suptitle("Course")
plt.savefig("other.png")
"""


def png(text: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    told = chunk(b"tEXt", b"Description\x00" + text)
    return b"\x89PNG\r\n\x1a\n" + head + told + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_figures_that_code_saves_say_their_kind_title_and_axes() -> None:
    done = run_cold(choose(False), CODE, Limits(wall_s=60.0, cpu_s=30.0, memory_mib=512))
    shown = {one.name: described(one.media_type, one.data) for one in done.artefacts}
    assert shown == {
        "mine.svg": {"kind": "bar", "title": "Ventes", "x": "Région", "y": "Montant"},
        "other.png": {"kind": "line", "title": "Course"},
    }


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (b'{"kind": "bar", "title": "Sales"}', {"kind": "bar", "title": "Sales"}),
        (b"A view of Lyon", {"title": "A view of Lyon"}),
        (b'{"kind": "<script>", "x": 3, "more": "y", "y": " a\\n b\\u202e"}', {"y": "a b"}),
        (b'{"title": "%s"}' % (b"x" * 900), {"title": "x" * 160}),
        (b"[" * 3000, {"title": "[" * 160}),
        (b"[1]", {}),
        (b"", {}),
    ],
)
def test_what_a_drawing_says_is_bounded_and_of_known_fields(
    told: bytes, expected: dict[str, str]
) -> None:
    assert described("image/png", png(told)) == expected


def test_a_drawing_that_says_nothing_or_is_cut_off_is_silent() -> None:
    for data in (b"", b"\x89PNG\r\n\x1a\n", png(b"x")[:40], b"\x89PNG\r\n\x1a\n" + b"\xff" * 40):
        assert described("image/png", data) == {}
    assert described("text/csv", png(b"A view")) == {}


def test_a_title_of_an_svg_is_read_after_it_was_written_anew() -> None:
    kept = accept("a.svg", SVG % b"<title>Plan of the office</title>")
    assert kept is not None
    assert described(kept.media_type, kept.data) == {"title": "Plan of the office"}
    assert described("image/svg+xml", SVG % b"") == {}
