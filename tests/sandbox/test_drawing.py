"""Drawings leave a run only as what is known to be harmless, written anew."""

import io
from xml.etree import ElementTree

import pytest

from sandbox.artefacts import accept
from sandbox.drawing import MOST_BYTES, MOST_ELEMENTS, rewritten

NAMES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
BOX = '<rect width="4" height="4"/>'


def svg(inside: str, head: str = "", more: str = "") -> bytes:
    return f"{head}<svg {NAMES} {more}>{inside}</svg>".encode()


@pytest.mark.parametrize("letters", ["path", "none"])
def test_a_chart_of_matplotlib_keeps_its_look(letters: str) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with matplotlib.rc_context({"svg.fonttype": letters}):
        figure, axes = plt.subplots()
        axes.bar(["a", "é & <c>"], [1, 2])
        axes.plot([0, 1], [2, 1], marker="o")
        axes.set_title("Umsätze")
        made = io.BytesIO()
        figure.savefig(made, format="svg")
        plt.close(figure)
    kept = accept("chart.svg", made.getvalue())
    assert kept is not None and (kept.name, kept.media_type) == ("chart.svg", "image/svg+xml")
    tree = ElementTree.fromstring(kept.data)  # noqa: S314  (our own writing)
    found = [one.tag.rpartition("}")[2] for one in tree.iter()]
    assert found.count("path") > 5 and "metadata" not in found and "style" not in found
    assert ("Umsätze" in kept.data.decode()) is (letters == "none")
    assert b"style=" not in kept.data and b"xlink" not in kept.data
    assert rewritten(kept.data) == kept.data  # nothing is left to take away


@pytest.mark.parametrize(
    "hostile",
    [
        svg(BOX + "<script>x()</script>"),
        svg(BOX + '<a href="https://evil.example">x</a>'),
        svg(BOX + "<foreignObject><body/></foreignObject>"),
        svg(BOX + '<image href="https://evil.example/x.png"/>'),
        svg(BOX + '<animate attributeName="href" values="javascript:x()"/>'),
        svg(BOX + '<set attributeName="onload" to="x()"/>'),
        svg('<rect onclick="x()"/>'),
        svg(BOX, more='onload="x()"'),
        svg(BOX + '<metadata onload="x()"/>'),
        svg(BOX + '<h:script xmlns:h="http://www.w3.org/1999/xhtml">x()</h:script>'),
        svg('<rect fill="url(https://evil.example/x)"/>'),
        svg('<rect style="fill:url(https://evil.example/x)"/>'),
        svg('<rect style="fill: u\\\\72l(//evil.example)"/>'),
        svg('<rect id="a b"/>'),
        svg(BOX + '<use xlink:href="https://evil.example/x.svg#a"/>'),
        svg(BOX + '<use href="data:image/svg+xml,x#a"/>'),
        svg(BOX, '<!DOCTYPE svg [<!ENTITY a "b">]>'),
        svg("<text>&a;</text>", '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
        svg(BOX, '<?xml-stylesheet href="https://evil.example/x.css"?>'),
        svg(BOX + f"<svg {NAMES}>{BOX}</svg>"),
        svg('<g id="a"><rect/><use href="#a"/></g>'),
        svg('<defs><g id="a"><rect/></g><g id="b"><use href="#a"/></g></defs><use href="#b"/>'),
        svg('<defs><g id="a">' + BOX * 500 + '</g></defs>' + '<use href="#a"/>' * 100),
        svg('<g id="a">' + BOX * 500 + '</g><rect id="a"/>' + '<use href="#a"/>' * 100),
        svg('<clipPath id="a">' + BOX * 500 + '</clipPath>' + '<g clip-path="url(#a)"/>' * 100),
        svg(BOX * MOST_ELEMENTS),
        svg("<g>" * 60 + BOX + "</g>" * 60),
        svg("<title>nothing drawn</title>"),
        svg(BOX).replace(b"2000/svg", b"2000/gsv"),
        b"<rect/>",
        b"<svg",
        b"",
        b"\xff\xfe\x00",
        b" " * (MOST_BYTES + 1),
    ],
    ids=range(34),
)  # fmt: skip
def test_a_drawing_that_acts_fetches_or_repeats_itself_stays(hostile: bytes) -> None:
    assert rewritten(hostile) is None and accept("x.svg", hostile) is None


def test_what_is_not_known_is_left_out() -> None:
    given = svg(
        '<g data-x="1" class="a" style="fill: red; behavior: none"><!-- x --><text x="1">a &lt; b'
        "</text>words</g><style>*{fill:url(//evil.example)}</style>",
        '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd">',
    )
    said = (rewritten(given) or b"").decode()
    assert said == (
        '<svg xmlns="http://www.w3.org/2000/svg"><g fill="red">'
        '<text x="1">a &lt; b</text></g></svg>\n'
    )
