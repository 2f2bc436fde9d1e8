"""Fill the {{names}} of a Word, PowerPoint or Excel file. Runs inside the seal."""

import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, cast

ENDINGS = (".docx", ".pptx", ".xlsx")
# neither may stand in XML: control characters, halves of a character
_NEVER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MARK = re.compile(r"\{\{\s*([^{}\n]{1,80}?)\s*\}\}")

Change = Callable[[str], str]


class _Filling:
    """Replaces marks, and remembers which ones were met and which had no value."""

    def __init__(self, values: dict[str, object]) -> None:
        self.values = {_key(name): value for name, value in values.items()}
        self.met: dict[str, bool] = {}

    def text(self, text: str) -> str:
        return _MARK.sub(self._one, text)

    def _one(self, found: re.Match[str]) -> str:
        name = found.group(1)
        value = self.values.get(_key(name))
        self.met[name] = value is not None
        return found.group(0) if value is None else _NEVER.sub("", str(value))

    def cell(self, text: str) -> object:
        """A number where the whole cell is one mark with a number for it."""
        whole = _MARK.fullmatch(text.strip())
        value = self.values.get(_key(whole.group(1))) if whole else None
        if whole and isinstance(value, int | float) and not isinstance(value, bool):
            self.met[whole.group(1)] = True
            return value
        return self.text(text)


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def main(given: str) -> None:
    """Fill `{"template": …, "values": {…}}` and save it; without values, list the marks."""
    asked = json.loads(given)
    found = sorted(name for name in os.listdir(".") if name.lower().endswith(ENDINGS))
    wanted = str(asked.get("template") or "")
    chosen = [n for n in found if n.lower() == wanted.lower()] or (found if not wanted else [])
    if not chosen:
        there = ", ".join(found) or "none"
        raise SystemExit(f"there is no Word, PowerPoint or Excel file of that name; known: {there}")
    name = chosen[-1]
    filling = _Filling(dict(asked.get("values") or {}))
    keep = _OPEN[name.rpartition(".")[2].lower()](name, filling)
    if not filling.met:
        raise SystemExit(f"{name} holds no {{{{name}}}} to fill")
    if not filling.values:
        print(f"{name} asks for: {', '.join(filling.met)}")
        return
    stem, _, ending = name.rpartition(".")
    keep(f"{stem}-filled.{ending}")
    empty = [mark for mark, given in filling.met.items() if not given]
    done = len(filling.met) - len(empty)
    print(f"Filled {done} of {len(filling.met)} in {stem}-filled.{ending}.")
    if empty:
        print(f"Still to fill: {', '.join(empty)}")


def _word(name: str, filling: _Filling) -> Callable[[str], Any]:
    import docx

    document = docx.Document(name)
    parts = [document.element.body]
    for section in document.sections:
        for part in (section.header, section.footer, section.first_page_header):
            if not part.is_linked_to_previous:
                parts.append(part._element)
    space = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    for part in parts:
        for paragraph in part.iter(f"{space}p"):
            _across(list(paragraph.iter(f"{space}t")), filling.text)
    return cast(Callable[[str], Any], document.save)


def _slides(name: str, filling: _Filling) -> Callable[[str], Any]:
    import pptx

    deck = pptx.Presentation(name)
    space = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
    for slide in deck.slides:
        trees = [slide._element]
        if slide.has_notes_slide:
            trees.append(slide.notes_slide._element)
        for tree in trees:
            for paragraph in tree.iter(f"{space}p"):
                _across(list(paragraph.iter(f"{space}t")), filling.text)
    return cast(Callable[[str], Any], deck.save)


def _across(nodes: list[Any], change: Change) -> None:
    """Change a paragraph's text though a mark may run over several nodes."""
    for node in nodes:
        node.text = change(node.text or "")
    whole = "".join(node.text or "" for node in nodes)
    changed = change(whole) if "{{" in whole else whole
    if changed != whole:  # the first node keeps its look for all of it
        nodes[0].text = changed
        nodes[0].set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        for node in nodes[1:]:
            node.text = ""


def _workbook(name: str, filling: _Filling) -> Callable[[str], Any]:
    import openpyxl

    book = openpyxl.load_workbook(name)
    for cell in _cells(book):
        if isinstance(cell.value, str) and "{{" in cell.value:
            value = filling.cell(cell.value)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"  # a value that begins with = stays text
    return cast(Callable[[str], Any], book.save)


def _cells(book: Any) -> Iterator[Any]:
    for sheet in book.worksheets:
        # those there are: one stray cell at the far end would make all before it
        yield from list(sheet._cells.values())


_OPEN: dict[str, Callable[[str, _Filling], Callable[[str], Any]]] = {
    "docx": _word,
    "pptx": _slides,
    "xlsx": _workbook,
}
