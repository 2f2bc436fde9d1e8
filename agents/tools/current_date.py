"""Today's date with its weekday, and dates some days, weeks or months from a date."""

import calendar
import datetime as dt
from collections.abc import Mapping
from typing import Any

from agents.tools.base import Tool, ToolContext, ToolResult, refused

_WEEKDAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
}
_MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ),
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
        "octobre", "novembre", "décembre",
    ),
}  # fmt: skip


def spell(day: dt.date, language: str) -> str:
    """`Tuesday 24 November 2026 (2026-11-24)`, week number included."""
    names = "fr" if language == "fr" else "en"
    weekday, month = _WEEKDAYS[names][day.weekday()], _MONTHS[names][day.month - 1]
    number = "1er" if names == "fr" and day.day == 1 else str(day.day)
    week = "semaine" if names == "fr" else "week"
    iso = day.isocalendar().week
    return f"{weekday} {number} {month} {day.year} ({day.isoformat()}, {week} {iso})"


def shifted(day: dt.date, days: int = 0, months: int = 0, working_days: int = 0) -> dt.date:
    """`day` plus months (clipped to the month's end), then days, then working days (Mon to Fri).

    Raises OverflowError beyond the years 1 to 9999.
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    day = dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
    day += dt.timedelta(days=days)
    step = dt.timedelta(days=1 if working_days > 0 else -1)
    for _ in range(abs(working_days)):
        day += step
        while day.weekday() >= 5:
            day += step
    return day


async def _run(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
    day = context.now().date()
    try:
        if start := arguments.get("from_date"):
            day = dt.date.fromisoformat(start)
        result = shifted(
            day,
            arguments.get("add_days", 0),
            arguments.get("add_months", 0),
            arguments.get("add_working_days", 0),
        )
    except ValueError:
        return refused("from_date must be a real date as YYYY-MM-DD")
    except OverflowError:
        return refused("that date is too far away")
    return ToolResult(spell(result, context.language))


CURRENT_DATE = Tool(
    name="current_date",
    label_key="tool.current_date",
    description="Today's date and weekday, or a date some days, months or working days away.",
    side_effect="reads",
    parameters={
        "type": "object",
        "properties": {
            "add_days": {"type": "integer", "minimum": -40000, "maximum": 40000},
            "add_months": {"type": "integer", "minimum": -1200, "maximum": 1200},
            "add_working_days": {"type": "integer", "minimum": -5000, "maximum": 5000},
            "from_date": {"type": "string", "description": "YYYY-MM-DD; today when left out"},
        },
        "additionalProperties": False,
    },
    run=_run,
    icon="calendar",
    computed=True,
)
