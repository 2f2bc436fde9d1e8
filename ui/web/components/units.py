"""Sizes as people read them: `1.4 MB`, `1,4 Mo`. Knows no page."""

from ui.web.plain import Visit

SIZES = {"en": ("B", "KB", "MB", "GB"), "fr": ("o", "Ko", "Mo", "Go")}


def size(visit: Visit, count: float) -> str:
    """Bytes in the largest unit that keeps the number above one, in thousands; never wrapped."""
    units = SIZES[visit.language]
    for unit in units:
        if count < 1000 or unit == units[-1]:
            shown = visit.number(round(count, 1 if unit != units[0] else 0))
            return f"{shown}\u00a0{unit}"
        count /= 1000
    return ""
