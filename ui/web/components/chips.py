"""Verdict chips, masked text with its tokens, tiles: small marks that always carry a word."""

import re
import zlib
from collections.abc import Callable

from ui.messages import Language, catalogue, say
from ui.web.markup import Markup, escape, icon, joined

VERDICT_ICONS = {
    "allowed": "circle-check",
    "masked": "eye-off",
    "blocked": "ban",
    "flagged": "triangle-alert",
}
# the six templates differ at a glance; other icons take a colour from their name
TONES = {
    "users": 0,
    "mail": 1,
    "chart-column": 2,
    "receipt-text": 3,
    "scale": 4,
    "clipboard-list": 5,
}
_TOKEN = re.compile(r"<([A-Z][A-Z_]*?)(?:_(\d+))?>")


def verdict_chip(language: Language, verdict: str) -> Markup:
    """Icon and word; an unknown verdict is shown as flagged, never as allowed."""
    verdict = verdict if verdict in VERDICT_ICONS else "flagged"
    return Markup('<span class="atl-chip" data-verdict="{}">{}{}</span>').format(
        verdict, icon(VERDICT_ICONS[verdict]), say(language, f"web.verdict.{verdict}")
    )


def kind_name(language: Language, kind: str) -> str:
    """`EMAIL_ADDRESS` → E-mail; a kind without a word of its own is shown in lower case."""
    key = f"web.kind.{kind}"
    if key in catalogue(language):
        return say(language, key)
    return kind.removeprefix("FR_").replace("_", " ").capitalize()


def masked(language: Language, text: str, dress: Callable[[str], str] = str) -> Markup:
    """Text as the model saw it; `<PERSON_1>` becomes a token that reads "Name 1", or what `dress`
    puts in its place."""
    parts: list[str] = []
    at = 0
    for found in _TOKEN.finditer(text):
        worn = dress(found[0])
        name = (
            worn
            if worn != found[0]
            else f"{kind_name(language, found[1])} {found[2] or ''}".strip()
        )
        parts += [
            escape(text[at : found.start()]),
            Markup('<span class="atl-token">{}</span>').format(name),
        ]
        at = found.end()
    parts.append(escape(text[at:]))
    return joined(parts)


def tile(icon_name: str) -> Markup:
    """An icon on a coloured square; one icon has the same colour in every place."""
    tone = TONES.get(icon_name, zlib.crc32(icon_name.encode()) % 6)
    return Markup('<span class="atl-tile" data-tone="{}">{}</span>').format(tone, icon(icon_name))
