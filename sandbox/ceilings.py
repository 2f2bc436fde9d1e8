"""The most that one run may use here: policy's word, in one file, below the product's own bound.

The file holds only what was set; everything else is `limits.CEILING`.
"""

import json
from dataclasses import asdict, fields, replace
from pathlib import Path

from guardrails.errors import BadInput
from sandbox.limits import CEILING, FLOOR, Limits

FILE = "limits.json"  # in the home


def load(file: Path) -> Limits:
    """The ceilings in force. Raises BadInput("limits-file") for a file that is broken.

    Going on without it would let runs use more than policy allows.
    """
    if not file.exists():
        return CEILING
    try:
        given = json.loads(file.read_text("utf-8"))
        if not isinstance(given, dict):
            raise BadInput("limits-file", file=str(file))
        return lowered(given)
    except (ValueError, TypeError, BadInput) as error:
        raise BadInput("limits-file", file=str(file)) from error


def save(file: Path, ceiling: Limits) -> None:
    """Keep these. Raises OSError."""
    own = {name: value for name, value in asdict(ceiling).items() if value != asdict(CEILING)[name]}
    part = file.with_suffix(".part")
    part.write_text(json.dumps(own, indent=2), "utf-8")
    part.replace(file)


def lowered(given: dict[str, float]) -> Limits:
    """The product's ceiling with these values in its place.

    Raises BadInput("limits-unknown") for another name, ("limits-range") for a value that is not
    between the smallest that works and the product's own ceiling.
    """
    known = {f.name: type(getattr(CEILING, f.name)) for f in fields(Limits)}
    for name, value in given.items():
        if name not in known or isinstance(value, bool) or not isinstance(value, int | float):
            raise BadInput("limits-unknown", name=name)
        least, most = getattr(FLOOR, name), getattr(CEILING, name)
        if not least <= value <= most:
            raise BadInput("limits-range", name=name, least=least, most=most)
    return replace(CEILING, **{name: known[name](value) for name, value in given.items()})
