"""A line of counts over time, as SVG of our own with a base line at zero and words beside it."""

from collections.abc import Sequence

from ui.web.markup import Markup

WIDTH, HEIGHT = 120, 30


def spark(counts: Sequence[int], words: str) -> Markup:
    """`counts` in equal steps, oldest first; `words` say the same to who cannot see it."""
    most = max([*counts, 1])
    step = WIDTH / max(1, len(counts) - 1)
    points = [
        (round(place * step, 1), round(HEIGHT - 2 - (HEIGHT - 5) * count / most, 1))
        for place, count in enumerate(counts)
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    return Markup(
        '<svg class="atl-spark" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"'
        ' aria-label="{}"><title>{}</title><polygon points="0,{} {} {},{}"/>'
        '<polyline points="{}" vector-effect="non-scaling-stroke"/></svg>'
    ).format(WIDTH, HEIGHT, words, words, HEIGHT - 2, line, WIDTH, HEIGHT - 2, line)
