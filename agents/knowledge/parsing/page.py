"""Words of an HTML page. Runs inside the seal."""

import html.parser
import re


class _Words(html.parser.HTMLParser):
    _BLOCKS = frozenset(("p", "div", "br", "tr", "ul", "ol", "table", "section", "article", "hr"))
    _HIDDEN = frozenset(("script", "style", "template", "noscript"))
    _VOID = frozenset(
        (
            "area",
            "base",
            "br",
            "col",
            "embed",
            "hr",
            "img",
            "input",
            "link",
            "meta",
            "source",
            "wbr",
        )
    )
    _UNSEEN = re.compile(
        r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])"
        r"|(?<![-\w])color\s*:\s*(?:#fff(?:fff)?\b|white\b|transparent|rgb\(255,\s*255,\s*255\))",
        re.I,
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._hidden = 0
        self._unseen: list[str] = []  # tags open inside an element that is not shown
        self.concealed = 0  # words that a reader would not see

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._unseen:
            if tag not in self._VOID:
                self._unseen.append(tag)
            return
        given = dict(attrs)
        style = str(given.get("style") or "")
        if tag not in self._VOID and ("hidden" in given or self._concealing(style)):
            self._unseen.append(tag)
            return
        if tag in self._HIDDEN:
            self._hidden += 1
        elif re.fullmatch(r"h[1-6]", tag):
            self.out.append("\n\n" + "#" * int(tag[1]) + " ")
        elif tag == "li":
            self.out.append("\n- ")
        elif tag in ("td", "th"):
            self.out.append(" | ")
        elif tag in self._BLOCKS:
            self.out.append("\n")

    def _concealing(self, style: str) -> bool:
        found = self._UNSEEN.search(style)
        # white letters on a coloured ground are seen
        return found is not None and not (
            found.group().lower().startswith("color") and "background" in style.lower()
        )

    def handle_comment(self, data: str) -> None:
        if len(data.split()) >= 4 and not data.startswith("[if"):
            self.concealed += len(data.split())

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            if tag in self._unseen:
                while self._unseen.pop() != tag:
                    pass
            return
        if tag in self._HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in self._BLOCKS or re.fullmatch(r"h[1-6]", tag):
            self.out.append("\n")

    def handle_data(self, data: str) -> None:
        if self._unseen:
            self.concealed += len(data.split())
        elif not self._hidden:
            self.out.append(re.sub(r"\s+", " ", data))


def page(text: str) -> tuple[str, bool]:
    """The words that a reader sees, and whether there are others."""
    words = _Words()
    words.feed(text)
    words.close()
    return "".join(words.out), words.concealed > 0
