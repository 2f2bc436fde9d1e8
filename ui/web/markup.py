"""Markup that escapes: every value that goes into a page passes through here. Knows no page.

`Markup("<b>{}</b>").format(value)` escapes `value` unless it is itself Markup (markupsafe).
"""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

STATIC = Path(__file__).parent / "static"

__all__ = ["STATIC", "Markup", "attributes", "escape", "icon", "joined", "static"]


@cache
def static_version() -> str:
    """12 hex characters over every static file, so that browsers may keep them for a year."""
    digest = hashlib.sha256()
    for file in sorted(STATIC.rglob("*")):
        if file.is_file():
            digest.update(file.relative_to(STATIC).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def static(path: str) -> str:
    """The address of a static file. The version is a folder so that relative links carry it on."""
    return f"/static/{static_version()}/{path}"


@cache
def icon_names() -> frozenset[str]:
    """The Lucide icons in the sprite."""
    sprite = (STATIC / "icons/lucide.svg").read_text("utf-8")
    return frozenset(part.partition('"')[0] for part in sprite.split('<symbol id="')[1:])


def icon(name: str, extra: str = "") -> Markup:
    """A decorative Lucide icon; an unknown name shows the robot."""
    name = name if name in icon_names() else "bot"
    return Markup(
        '<svg class="atl-icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>'
    ).format(extra, static("icons/lucide.svg"), name)


def joined(parts: Iterable[str], between: str = "") -> Markup:
    """Parts one after the other; strings that are not Markup are escaped."""
    return Markup(between).join(parts)  # noqa: S704  (`between` is a literal of ours)


def attributes(**given: object) -> Markup:
    """HTML attributes; `_` becomes `-`, None and False are left out, True is bare."""
    parts = []
    for name, value in given.items():
        name = name.rstrip("_").replace("_", "-")
        if value is True:
            parts.append(Markup(" {}").format(name))
        elif value is not None and value is not False:
            parts.append(Markup(' {}="{}"').format(name, value))
    return joined(parts)
