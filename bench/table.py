"""One table for every bench: figure, measured, target, ratio to a named peer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure. `target` None is only shown; `least` says that more is better; `peer` is
    (name, value) measured in the same run."""

    name: str
    value: float
    unit: str = ""
    target: float | None = None
    least: bool = False
    peer: tuple[str, float] | None = None


def show(title: str, rows: list[Row]) -> None:
    """Print the rows below `title`."""
    print(f"\n{title}")
    print(f"{'figure':<52} {'measured':>12} {'target':>12}  {'':<7} peer")
    for row in rows:
        print(_line(row))


def _line(row: Row) -> str:
    target, verdict = "", ""
    if row.target is not None:
        met = row.value >= row.target if row.least else row.value <= row.target
        target = f"{'>=' if row.least else '<='} {row.target:g} {row.unit}".rstrip()
        verdict = "reached" if met else "missed"
    peer = ""
    if row.peer is not None:
        name, value = row.peer
        ratio = f" (x{row.value / value:.2f})" if value else ""
        peer = f"{name} {value:.4g} {row.unit}{ratio}"
    measured = f"{row.value:.4g} {row.unit}".rstrip()
    return f"{row.name:<52} {measured:>12} {target:>12}  {verdict:<7} {peer}".rstrip()
