"""What a matplotlib figure shows, told in the file it is saved as; figures nobody saved, saved.

A drawing leaves the seal as a picture. Its title, kind and axes go with it as the picture's own
description, for whoever cannot see it. The host screens them like every word of a run.
"""

import json
import os
import sys
from functools import wraps
from itertools import pairwise
from typing import Any

LONGEST = 160  # characters of each word on it
TOLD = "Description"


def describe_saved() -> None:
    """From now on a figure that is saved as PNG or SVG carries its description."""
    figures = sys.modules.get("matplotlib.figure")
    if figures is None or hasattr(figures.Figure.savefig, "__wrapped__"):
        return
    save = figures.Figure.savefig

    @wraps(save)
    def described(self: Any, target: Any, *rest: Any, **settings: Any) -> Any:
        ending = str(settings.get("format") or str(target).rpartition(".")[2]).lower()
        if ending in ("png", "svg"):
            told = {TOLD if ending == "png" else "Title": json.dumps(shown(self))}
            settings["metadata"] = told | dict(settings.get("metadata") or {})
        return save(self, target, *rest, **settings)

    figures.Figure.savefig = described


def shown(figure: Any) -> dict[str, str]:
    """`kind`, `title`, `x` and `y` of its first axes, and of these what there is."""
    axes = figure.axes[0] if figure.axes else None
    above = figure.get_suptitle() if hasattr(figure, "get_suptitle") else ""
    if axes is None:
        return {"title": above[:LONGEST]} if above else {}
    found = {
        "kind": _kind(axes),
        "title": above or axes.get_title(),
        "x": axes.get_xlabel(),
        "y": axes.get_ylabel(),
    }
    return {name: text[:LONGEST] for name, text in found.items() if text}


def _kind(axes: Any) -> str:
    if any(type(one).__name__ == "Wedge" for one in axes.patches):
        return "pie"
    bars = [one for one in axes.containers if type(one).__name__ == "BarContainer"]
    if bars:
        return "histogram" if _touching(bars[0]) else "bar"
    if axes.lines:
        return "line"
    return "scatter" if any(hasattr(one, "get_offsets") for one in axes.collections) else ""


def _touching(bars: Any) -> bool:
    """Whether each bar begins where the one before ends, as a histogram's do."""
    edges = [(one.get_x(), one.get_x() + one.get_width()) for one in bars]
    pairs = list(pairwise(edges))
    return bool(pairs) and all(abs(a[1] - b[0]) < 1e-6 * (1 + abs(b[0])) for a, b in pairs)


def save_figures(work: str) -> None:
    """Figures that the code drew and did not save itself become PNG files."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or not pyplot.get_fignums():
        return
    if any(name.endswith((".png", ".pdf", ".svg")) for name in os.listdir(work)):
        return  # it saved what it wanted to show
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        figure.savefig(f"{work}/figure-{number}.png", dpi=110, bbox_inches="tight")
