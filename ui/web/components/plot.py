"""Lines over time as SVG of our own: from zero, labels at the lines' ends, a table beside them."""

from collections.abc import Mapping, Sequence
from math import ceil

from ui.web.markup import Markup, joined
from ui.web.plain import Visit

WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM, TOP = 640, 280, 46, 120, 28, 12
TONES = ("guardrail", "model", "tool", "retrieval", "rose", "allowed")


def plot(
    visit: Visit, labels: Sequence[str], lines: Mapping[str, Sequence[float]], *, unit: str
) -> Markup:
    """`lines` by name, each with one value per label, at most six; the rest is in the table."""
    top = _above(max((max(values, default=0) for values in lines.values()), default=0))
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels) - 1)

    def place(at: int, value: float) -> tuple[float, float]:
        height = HEIGHT - BOTTOM - TOP
        return round(LEFT + at * step, 1), round(TOP + height * (1 - value / top), 1)

    grid = joined(
        Markup('<line x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}">{} {}</text>').format(
            LEFT, WIDTH - RIGHT, y, y, LEFT - 8, y + 4, visit.number(round(value, 1)), unit
        )
        for value in (0, top / 3, 2 * top / 3, top)
        for y in (place(0, value)[1],)
    )
    names = joined(
        Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
            place(at, 0)[0], HEIGHT - 8, label
        )
        for at, label in enumerate(labels)
        if at % 2 == 1
    )
    drawn = joined(
        _line(name, [place(at, value) for at, value in enumerate(values)], tone)
        for (name, values), tone in zip(lines.items(), TONES, strict=False)
    )
    rows = joined(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            name,
            joined(Markup("<td>{}</td>").format(visit.number(round(value, 1))) for value in values),
        )
        for name, values in lines.items()
    )
    heads = joined(Markup('<th scope="col">{}</th>').format(label) for label in labels)
    return Markup(
        '<svg class="atl-plot" viewBox="0 0 {} {}" aria-hidden="true">'
        '<g class="atl-plot-grid">{}</g><g class="atl-plot-names">{}</g>{}</svg>'
        '<div class="atl-visually-hidden"><table><thead><tr><td></td>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(WIDTH, HEIGHT, grid, names, drawn, heads, rows)


def _line(name: str, points: Sequence[tuple[float, float]], tone: str) -> Markup:
    x, y = points[-1]
    return Markup(
        '<g data-tone="{}"><polyline points="{}"/><circle cx="{}" cy="{}" r="4"/>'
        '<text x="{}" y="{}">{}</text></g>'
    ).format(tone, " ".join(f"{x},{y}" for x, y in points), x, y, x + 10, y + 4, name[:18])


def _above(value: float) -> float:
    """A round number at or above `value` that three steps divide well."""
    if value <= 0:
        return 3
    size = 10 ** (len(str(int(value))) - 1)
    return float(ceil(value / (3 * size)) * 3 * size)
