"""A file is chosen in the page's own words, whatever language the browser speaks."""

import re
from pathlib import Path

import pytest

from tests.ui.fake_house import House
from tests.ui.test_web_pages import visit
from ui.messages import LANGUAGES, Language
from ui.web.components import fields

INPUT = re.compile(r"<input[^>]*type=.file|type: .file")
# each lies invisible over a picture of ours
OVER = {
    "playground.py": ".atl-attach input",  # the paper clip beside the message
    "knowledge.js": ".atl-drop input",  # the place where documents are dropped
    "fields.py": ".atl-file-row input",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_field_is_labelled_told_and_in_the_pages_language(
    house: House, language: Language
) -> None:
    seen = visit(house, language)
    html = str(fields.file(seen, "Backup <file>", "file", hint="A .tar", required=True))
    (id_,) = re.findall(r'<label for="([^"]+)">Backup &lt;file&gt;</label>', html)
    (given,) = re.findall(r"<input[^>]*>", html)
    assert f'id="{id_}"' in given and "required" in given
    for described in re.findall(r'aria-describedby="([^"]+)"', given)[0].split():
        assert f'id="{described}"' in html
    assert 'role="status"' in html, "the chosen name is told"
    words = {"en": ("Choose a file", "No file chosen"), "fr": ("Choisir un", "Aucun fichier")}
    assert all(each in html for each in words[language])


def test_no_page_shows_the_browsers_own_words() -> None:
    files = [*Path("ui/web").rglob("*.py"), *Path("ui/web").rglob("*.js")]
    assert {each.name for each in files if INPUT.search(each.read_text("utf-8"))} <= {*OVER}
    sheets = "".join(each.read_text("utf-8") for each in Path("ui/web/static/css").glob("*.css"))
    for selector in OVER.values():
        rule = re.search(re.escape(selector) + r"[^{]*\{([^}]*)\}", sheets)
        assert rule and "opacity: 0" in rule[1], selector
