"""The house's own name, logo and accent colour. Knows no pages: they ask for `current`.

An accent must be readable as a button's colour under white text and as text on the page: 4.5 to 1,
WCAG 2.2 success criterion 1.4.3. For the dark theme a lighter tone of the same hue is derived.
"""

import colorsys
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from guardrails.errors import BadInput
from guardrails.store import metadata

LEAST_CONTRAST = 4.5
LOGO_BYTES = 512 * 1024
LOGO_SIDE = 256
PAGE = "#F6F7F4"  # the page's background in the light theme (tokens.css)
DARK_PAGE = "#17211E"  # the dark theme's lightest surface
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")

branding = sa.Table(
    "branding",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(60), nullable=False, default=""),
    sa.Column("accent", sa.String(7), nullable=False, default=""),
    sa.Column("logo", sa.LargeBinary, nullable=True),
    sa.Column("changed", sa.String(40), nullable=False),
)


@dataclass(frozen=True)
class Branding:
    """What the house looks like; empty fields are the product's own. `logo` is a PNG or None."""

    name: str = ""
    accent: str = ""
    logo: bytes | None = None
    changed: str = ""

    @property
    def version(self) -> str:
        """Changes whenever the look does; for addresses that browsers may keep."""
        return re.sub(r"\D", "", self.changed)[:20]


OURS = Branding()  # the product's own look


class Brand:
    """Reads and changes the look. The last one read is kept in memory: every page asks for it."""

    def __init__(
        self, engine: sa.Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._kept: Branding | None = None

    def current(self) -> Branding:
        """The look in force."""
        if self._kept is None:
            with self._engine.connect() as connection:
                row = connection.execute(sa.select(branding).where(branding.c.id == 1)).first()
            self._kept = (
                Branding()
                if row is None
                else Branding(str(row.name), str(row.accent), row.logo, str(row.changed))
            )
        return self._kept

    def change(
        self,
        *,
        name: str | None = None,
        accent: str | None = None,
        logo: bytes | None = None,
        without_logo: bool = False,
    ) -> Branding:
        """Change what is given; `logo` is any PNG, JPEG or WebP.

        Raises BadInput("bad-brand-name", "bad-colour", "colour-contrast", "bad-logo").
        """
        now = self.current()
        name = now.name if name is None else name.strip()
        if len(name) > 60 or not name.isprintable():
            raise BadInput("bad-brand-name")
        accent = now.accent if accent is None else checked_colour(accent)
        kept = None if without_logo else now.logo if logo is None else safe_logo(logo)
        changed = self._clock().isoformat()
        values = {"name": name, "accent": accent, "logo": kept, "changed": changed}
        with self._engine.begin() as connection:
            connection.execute(branding.delete().where(branding.c.id == 1))
            connection.execute(branding.insert().values(id=1, **values))
        self._kept = Branding(name, accent, kept, changed)
        return self._kept


def checked_colour(text: str) -> str:
    """`#RRGGBB` in capitals, or empty. Raises BadInput("bad-colour", "colour-contrast")."""
    text = text.strip()
    if not text:
        return ""
    if not _COLOUR.fullmatch(text):
        raise BadInput("bad-colour")
    found = min(contrast(text, "#FFFFFF"), contrast(text, PAGE))
    if found < LEAST_CONTRAST:
        # cut, not rounded: 4.49 must not be shown as the 4.5 that is asked for
        raise BadInput("colour-contrast", found=int(found * 100) / 100, least=LEAST_CONTRAST)
    return text.upper()


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def tones(accent: str) -> dict[str, dict[str, str]]:
    """The accent's names in tokens.css for both themes, each readable where it is used."""
    hue, light, strength = colorsys.rgb_to_hls(*_channels(accent))
    bright = light
    while contrast(_hex(hue, bright, strength), DARK_PAGE) < 7 and bright < 0.95:
        bright += 0.02
    return {
        "light": {
            "--atl-primary": accent,
            "--atl-primary-dark": _hex(hue, light * 0.75, strength),
            "--atl-soft": _hex(hue, 0.93, min(strength, 0.5)),
        },
        "dark": {
            "--atl-primary": _hex(hue, bright, strength),
            "--atl-primary-dark": _hex(hue, min(0.97, bright + 0.08), strength),
            "--atl-soft": _hex(hue, 0.15, min(strength, 0.4)),
            "--atl-on-primary": "#0B0F0E",
        },
    }


def stylesheet(look: Branding) -> str:
    """The look as a stylesheet that follows tokens.css; empty without an accent."""
    if not look.accent:
        return ""
    both = tones(look.accent)
    light = ";".join(f"{name}:{value}" for name, value in both["light"].items())
    dark = ";".join(f"{name}:{value}" for name, value in both["dark"].items())
    return f':root{{{light}}}\n:root[data-theme="dark"]{{{dark}}}\n'


def safe_logo(data: bytes) -> bytes:
    """The picture drawn anew as a PNG of at most 256 pixels a side: nothing else survives.

    Vector pictures are refused: they can carry script. Raises BadInput("bad-logo").
    """
    from PIL import Image, UnidentifiedImageError

    if not data or len(data) > LOGO_BYTES:
        raise BadInput("bad-logo", most=LOGO_BYTES // 1024)
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as picture:
            if picture.width * picture.height > 16_000_000:
                raise BadInput("bad-logo", most=LOGO_BYTES // 1024)
            drawn = picture.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        # Pillow raises SyntaxError for some broken PNG files
        raise BadInput("bad-logo", most=LOGO_BYTES // 1024) from error
    drawn.thumbnail((LOGO_SIDE, LOGO_SIDE))
    out = io.BytesIO()
    drawn.save(out, "PNG", optimize=True)
    return out.getvalue()


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _luminance(colour: str) -> float:
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in _channels(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _hex(hue: float, light: float, strength: float) -> str:
    channels = colorsys.hls_to_rgb(hue, max(0.0, min(1.0, light)), strength)
    return "#" + "".join(f"{round(value * 255):02X}" for value in channels)
