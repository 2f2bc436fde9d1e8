"""French in templates is set as French: with typographic apostrophes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from agents.catalog import TEMPLATES

ELISION = re.compile(r"(?i)\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|presqu|aujourd)'[a-zà-ÿœ]")


def texts(value: object) -> Iterator[str]:
    match value:
        case dict():
            for each in value.values():
                yield from texts(each)
        case list():
            for each in value:
                yield from texts(each)
        case str():
            yield value


@pytest.mark.parametrize("file", sorted(TEMPLATES.glob("*.yaml")), ids=lambda file: file.stem)
def test_french_texts_have_typographic_apostrophes(file: Path) -> None:
    for text in texts(yaml.safe_load(file.read_text("utf-8"))):
        # only what French elides: English may say it's
        found = [text[max(0, at.start() - 20) : at.end() + 20] for at in ELISION.finditer(text)]
        assert not found
