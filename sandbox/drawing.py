"""An SVG drawing of a run, written anew from what is known to be harmless; else it stays inside.

A browser shows it as a picture (`<img>`), where no script runs and nothing is fetched; this is for
whoever opens the file itself. Only elements and attributes of the lists are written; one that acts,
fetches or repeats itself refuses the whole drawing. Styles become attributes.
"""

import re
from collections.abc import Mapping
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

SVG: Final = "http://www.w3.org/2000/svg"
XLINK: Final = "http://www.w3.org/1999/xlink"
MOST_BYTES = 2 * 1024 * 1024
MOST_ELEMENTS = 20_000  # with what `use` shows again
DEEPEST = 40

SHAPES = frozenset("path rect circle ellipse line polyline polygon text".split())  # noqa: SIM905
ELEMENTS = SHAPES | frozenset(
    "svg g tspan title desc defs clipPath linearGradient radialGradient stop use".split()  # noqa: SIM905
)
# left out with all they hold: they draw nothing here
SILENT = frozenset("metadata style".split())  # noqa: SIM905
ATTRIBUTES = frozenset(
    """
    id viewBox width height x y x1 y1 x2 y2 cx cy r rx ry fx fy dx dy d points offset transform
    preserveAspectRatio version gradientUnits gradientTransform spreadMethod clipPathUnits rotate
    textLength lengthAdjust
    fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin
    stroke-miterlimit stroke-dasharray stroke-dashoffset opacity clip-path clip-rule color
    stop-color stop-opacity font-family font-size font-style font-weight font text-anchor
    dominant-baseline alignment-baseline baseline-shift visibility display letter-spacing
    """.split()  # noqa: SIM905
)
_LOCAL = re.compile(r"#[A-Za-z_][\w.-]{0,80}")
_REFERENCE = re.compile(r"url\(\s*['\"]?#[A-Za-z_][\w.-]{0,80}['\"]?\s*\)")
_FETCHES = re.compile(r"url\s*\(|[\\<>{};]|javascript|expression|@", re.IGNORECASE)
_ID = re.compile(r"[A-Za-z_][\w.-]{0,80}")


class _Refused(Exception):
    """Not a drawing that may leave."""


class _Rewriter:
    """Handlers of the parser; `written` is the new document."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.drawn = 0
        self._path: list[str] = []
        self._silent = 0
        self._elements = 0
        self._sizes: dict[str, int] = {}  # id → elements in it; `use` of an open one repeats itself
        self._open: list[tuple[str, int]] = []
        self._uses: list[tuple[str, bool]] = []  # what is shown again, and whether by a repetition
        self._with_use: set[str] = set()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """One element begins."""
        space, _, local = name.rpartition(" ")
        self._elements += 1
        if self._elements > MOST_ELEMENTS or len(self._path) >= DEEPEST:
            raise _Refused
        if self._silent or local in SILENT or (space != SVG and self._path):
            self._silent += 1
            if any(_acts(key) for key in attributes) or local.lower() == "script":
                raise _Refused
            return
        if space != SVG or local not in ELEMENTS or (local == "svg") != (not self._path):
            raise _Refused
        kept = _attributes(attributes, local)
        self._remember(kept.get("id", ""), local, kept)
        self._path.append(local)
        self.drawn += local in SHAPES
        own = f' xmlns="{SVG}"' if local == "svg" else ""
        told = "".join(f" {key}={quoteattr(value)}" for key, value in kept.items())
        self.written.append(f"<{local}{own}{told}>")

    def end(self, _name: str) -> None:
        """The element ends."""
        if self._silent:
            self._silent -= 1
            return
        self.written.append(f"</{self._path.pop()}>")
        id_, before = self._open.pop()
        if id_:
            # of two with one id, whichever a browser takes
            self._sizes[id_] = max(self._sizes.get(id_, 0), self._elements - before)

    def text(self, text: str) -> None:
        """Words, where words are shown."""
        if not self._silent and self._path and self._path[-1] in ("text", "tspan", "title", "desc"):
            self.written.append(escape(text))

    def check(self) -> None:
        """What is shown again must not show others again: such drawings grow without end."""
        total = self._elements
        for shown, inside in self._uses:
            if inside or shown in self._with_use:
                raise _Refused
            total += self._sizes.get(shown, 0)
        if total > MOST_ELEMENTS or not self.drawn:
            raise _Refused

    def _remember(self, id_: str, local: str, kept: Mapping[str, str]) -> None:
        for name in ("clip-path", "href"):  # a clip is drawn for everything that it clips
            shown = kept.get(name, "").removeprefix("url(").strip(" )'\"").removeprefix("#")
            if not shown:
                continue
            above = {one for one, _ in self._open if one}
            self._with_use |= above | ({id_} if id_ else set())
            self._uses.append((shown, shown in above))
        self._open.append((id_, self._elements - 1))


def rewritten(data: bytes) -> bytes | None:
    """The drawing written anew, or None when it may not leave."""
    if len(data) > MOST_BYTES:
        return None
    rewriter = _Rewriter()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = rewriter.start
    parser.EndElementHandler = rewriter.end
    parser.CharacterDataHandler = rewriter.text
    parser.EntityDeclHandler = _refuse
    parser.UnparsedEntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    parser.ProcessingInstructionHandler = _refuse
    try:
        parser.Parse(data, True)
        rewriter.check()
    except (expat.ExpatError, _Refused, ValueError, LookupError):
        return None
    return ("".join(rewriter.written) + "\n").encode()


def _refuse(*_: object) -> int:
    raise _Refused


def _acts(key: str) -> bool:
    return key.rpartition(" ")[2].lower().startswith("on")


def _attributes(given: Mapping[str, str], local: str) -> dict[str, str]:
    kept: dict[str, str] = {}
    for key, value in given.items():
        space, _, name = key.rpartition(" ")
        if _acts(key):
            raise _Refused
        if name == "href" and space in ("", XLINK):
            if local != "use" or not _LOCAL.fullmatch(value.strip()):
                raise _Refused
            kept["href"] = value.strip()
        elif not space and name == "style":
            for one in value.split(";"):
                rule, _, worth = one.partition(":")
                _keep(kept, rule.strip().lower(), worth.strip())
        elif not space:
            _keep(kept, name, value.strip())
    return kept


def _keep(kept: dict[str, str], name: str, value: str) -> None:
    if name not in ATTRIBUTES:
        return
    if name == "id" and not _ID.fullmatch(value):
        raise _Refused
    if _FETCHES.search(value) and not _REFERENCE.fullmatch(value):
        raise _Refused
    kept[name] = value
