"""Wording in English and French. Catalogues are `locales/<language>/<area>.json`, merged.

A value is a string with `{name}` fields, or `{"one": ..., "other": ...}` chosen by the field `n`
(French counts 0 and 1 as singular, CLDR plural rules).
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Literal

from babel import Locale

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")
_FOLDER = Path(__file__).parent / "locales"
# French sets a space before these; a line must not break there
_TIED = re.compile(r"(?<=\S) (?=[;?!:»%])|(?<=«) ")


@cache
def catalogue(language: Language) -> dict[str, str | dict[str, str]]:
    """All messages of one language. Raises ValueError when two areas define the same key."""
    merged: dict[str, str | dict[str, str]] = {}
    for file in sorted((_FOLDER / language).glob("*.json")):
        for key, value in json.loads(file.read_text("utf-8")).items():
            if key in merged:
                raise ValueError(f"{file}: {key} is already defined in another area")
            merged[key] = _tied(value) if language == "fr" else value
    return merged


def _tied(value: str | dict[str, str]) -> str | dict[str, str]:
    if isinstance(value, dict):
        return {form: _TIED.sub("\u00a0", text) for form, text in value.items()}
    return _TIED.sub("\u00a0", value)


def say(language: Language, key: str, /, **data: object) -> str:
    """The wording of `key`, filled with `data`. Raises KeyError for an unknown key."""
    message = catalogue(language)[key]
    if isinstance(message, dict):
        count = data["n"]
        form = Locale(language).plural_form(count if isinstance(count, int | float) else 0)
        message = message.get(form) or message["other"]
    return message.format(**data) if data else message


def say_error(language: Language, code: str, /, **data: object) -> str:
    """The wording of an error code; an unknown code still says no, and what to do next."""
    key = f"error.{code}"
    known = catalogue(language)
    if data.get("rule") == "no-match" and f"{key}.no-match" in known:
        key += ".no-match"  # nothing permits it: there is no rule whose name would help
    # data that is itself a key (what to do on this host) is put into words
    data = {
        name: say(language, one) if isinstance(one, str) and one in known else one
        for name, one in data.items()
    }
    try:
        return say(language, key, **data)
    except KeyError:
        return say(language, "error.unknown", code=code)
